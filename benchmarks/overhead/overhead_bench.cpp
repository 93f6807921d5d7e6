// overhead_bench PROGRAM [--known N] [--own N] [--runs R] [--files N] measures what `cultivar explore` adds to a run: it
// founds a pool with an instant command (`echo`), gives it N runs of strangers (1000) and N of this clone (100), and
// explores R runs (20). Prints a line of JSON with the milliseconds of a start and of each further run. For comparison,
// optuna_overhead.py beside it measures the same function in Optuna.
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bandit/space/random.h"
#include "benchmarks/synthetic/journal.h"
#include "benchmarks/synthetic/measured.h"
#include "benchmarks/synthetic/run.h"
#include "pool/clone/clone.h"
#include "pool/types/candidate.h"
#include "pool/types/record.h"
#include "pool/util/file.h"

namespace cultivar {
namespace {

constexpr int kRunsAWriter = 100;
constexpr double kLimit_s = 3600;
constexpr std::uint64_t kSeed = 7;
constexpr const char* kTask = R"(metric = "distance"
[command]
run = ["echo", "METRIC distance={gene.x}"]
score = { metric = "distance" }
[gene.x]
type = "real"
default = 9.0
range = [0.0, 10.0]
[gene.y]
type = "real"
default = 9.0
range = [0.0, 10.0]
)";

struct Options {
    std::string program;
    std::map<std::string, int> counts = {{"--known", 1000}, {"--own", 100}, {"--runs", 20}, {"--files", 0}};
};

Result<Options> read_options(const std::vector<std::string>& words) {
    Options options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto count = options.counts.find(words[i]);
        if (count == options.counts.end()) {
            options.program = words[i];
            continue;
        }
        const std::string value = ++i < words.size() ? words[i] : "";
        const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), count->second);
        if (wrong != std::errc() || end != value.data() + value.size() || count->second < 0)
            return fail(Code::usage, fmt::format("'{}' cannot take '{}'", words[i - 1], value));
    }
    if (options.program.empty()) return fail(Code::usage, "which program? overhead_bench build/dev/bin/cultivar");
    return options;
}

Result<std::string> line_of(const Clone& clone, const std::string& writer, Random& random, std::int64_t unix_s) {
    const double x = 1 + 9 * random.uniform();
    TRY_ASSIGN(const Candidate candidate,
               make_candidate(clone.task.space, clone.task_id, {{"x", x}, {"y", 10 * random.uniform()}}));
    Run run;
    run.task = clone.task_id;
    run.candidate = candidate.id;
    run.toml = candidate.toml;
    run.category = "cpu-1s";
    run.budget_s = 1;
    run.seed = run_seed(run.candidate, 0);
    run.status = RunStatus::done;
    run.decision = Decision::reverted;
    run.operator_name = "tune";
    run.choice = "tune";
    run.reason = "made up";
    run.writer = writer;
    run.val_bpb = x;
    run.wall_s = run.train_s = 0.01;
    run.energy.method = "estimated";
    run.started = run.ended = utc_text(unix_s);
    return to_line(run);
}

Result<void> write_runs(Clone& clone, const std::string& ref, const SyntheticWriter& writer, int count,
                        Random& random) {
    TRY_ASSIGN(const std::int64_t created_s, parse_utc(clone.task.created));
    std::vector<std::string> lines;
    for (int i = 0; i < count; ++i) {
        TRY_ASSIGN(std::string line, line_of(clone, writer.name, random, created_s + i));
        lines.push_back(std::move(line));
    }
    if (!lines.empty()) TRY(append_log(clone.repo, ref, lines, writer.at(created_s + count), writer.key));
    return {};
}

Result<void> fill(const std::string& folder, int known, int own) {
    TRY_ASSIGN(Clone clone, open_clone(folder));
    Random random(kSeed);
    TRY(write_runs(clone, clone.journal_ref(), {clone.key, clone.writer, ""}, own, random));
    for (int number = 0; number * kRunsAWriter < known; ++number) {
        TRY_ASSIGN(const SyntheticWriter writer, synthetic_writer(kSeed, number));
        const int count = std::min(kRunsAWriter, known - number * kRunsAWriter);
        TRY(write_runs(clone, tracking_ref(writer.journal_ref()), writer, count, random));
    }
    return {};
}

Result<void> write_files(const std::string& folder, int count) {
    std::error_code ec;
    std::filesystem::create_directories(folder + "/files", ec);
    for (int i = 0; i < count; ++i)
        TRY(write_file_atomically(fmt::format("{}/files/{:04}.txt", folder, i), std::string(4096, 'a')));
    return write_file_atomically(folder + "/task.toml", kTask);
}

Result<double> explore_s(const Options& options, const std::string& pool, int runs) {
    TRY_ASSIGN(const Measured measured,
               measure({options.program, "-q", "-C", pool, "explore", "--seed", "1", "--runs", std::to_string(runs)},
                       kLimit_s));
    if (measured.exit_code != 0) return fail(Code::io, measured.error);
    return measured.wall_s;
}

Result<void> bench(const std::vector<std::string>& words) {
    TRY_ASSIGN(const Options options, read_options(words));
    std::string folder = (std::filesystem::temp_directory_path() / "overhead-XXXXXX").string();
    if (!::mkdtemp(folder.data())) return fail(Code::io, "cannot make a temporary folder");
    ::setenv("XDG_STATE_HOME", (folder + "/state").c_str(), 1);
    const std::string pool = folder + "/pool";
    const auto count = [&](const char* name) { return options.counts.at(name); };
    TRY(write_files(folder, count("--files")));
    TRY(run_quietly(
        {options.program, "-q", "init", pool, "--kind", "command", "--task", folder + "/task.toml", "--budget", "1s"}));
    TRY(fill(pool, count("--known"), count("--own")));
    TRY(run_quietly({"git", "-C", pool, "pack-refs", "--all"}));  // as a clone has them
    TRY(run_quietly({options.program, "-q", "-C", pool, "trust", "--yes"}));
    TRY(explore_s(options, pool, 1));  // imports the runs
    TRY_ASSIGN(const double one_s, explore_s(options, pool, 1));
    TRY_ASSIGN(const double all_s, explore_s(options, pool, 1 + count("--runs")));
    const double run_ms = 1e3 * (all_s - one_s) / std::max(1, count("--runs"));
    fmt::print("{}\n", nlohmann::ordered_json{{"known", count("--known")},
                                              {"own", count("--own")},
                                              {"files", count("--files")},
                                              {"runs", count("--runs")},
                                              {"first_ms", 1e3 * one_s},
                                              {"run_ms", run_ms}}
                           .dump());
    std::error_code ec;
    if (!std::getenv("KEEP_WORLD")) std::filesystem::remove_all(folder, ec);
    return {};
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    auto done = cultivar::bench({argv + 1, argv + argc});
    if (done) return 0;
    fmt::print(stderr, "overhead_bench: {}\n", done.error().message);
    return done.error().code == cultivar::Code::usage ? 129 : 128;
}
