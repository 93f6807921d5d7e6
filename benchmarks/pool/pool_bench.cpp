// pool_bench measures how a pool scales. It makes synthetic pools (benchmarks/synthetic/pool.h), serves each by `git
// daemon` on loopback and runs the real `cultivar` on a clone, in fresh processes, as a user would:
//   first_pull            cultivar clone                     git_first_fetch   git fetch of every branch into a bare
//   nothing_new, ten_new  cultivar pull; ten_new: another    git_nothing_new   repository, the same way
//                         contributor pushed 10 runs         git_ten_new
//   top, status, cross    the commands; cross: of two of     rebuild           status without an index
//                         the newest candidates
//   merges                101 pairs drawn from the whole pool, by the library: the merge alone (merge_ms)
//   propose               10 own runs, the kept ones with artifacts of 100 kB
//   choose_next           the plan of one run, by the library in a process of its own: `explore` would train as well
//   optuna_load           with --peer: Optuna's journal storage loading as many trials (optuna_journal.py)
// Times are wall times from start to end of the process. `own` is the peak resident memory of the program itself as
// last seen before it ended (sampled every 2 ms), `all` the largest of it and the programs that it ran. A relay between
// client and server counts the bytes. A command over the limit is stopped and reported as such.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "benchmarks/pool/bench_steps.h"
#include "benchmarks/pool/pool_stages.h"
#include "benchmarks/synthetic/options.h"

namespace cultivar {
namespace {

constexpr const char* kUsage =
    "usage: pool_bench [--runs N]... [--contributors N] [--crossover SHARE] [--seed N] [--peer] [--json]\n"
    "                  [--keep DIR] [--limit SECONDS] [--cultivar PROGRAM]\n"
    "\n"
    "Measures the commands of a clone on synthetic pools of N runs (1000; several --runs: how figures grow too), "
    "beside\n"
    "plain git and, with --peer, Optuna's journal storage (python3-optuna, run by /usr/bin/python3 or what PYTHON\n"
    "names). --keep leaves the repositories in DIR. A command may take 600 s, or as --limit says. The program is the\n"
    "one beside pool_bench.\n";

struct Options {
    PoolShape shape;
    std::vector<int> sizes;
    StageOptions stages;
    std::string keep;
    bool json = false;
};

Result<void> read_option(const std::string& word, const std::string& value, Options& options) {
    if (word == "--keep") {
        options.keep = value;
    } else if (word == "--cultivar") {
        options.stages.cultivar = value;
    } else if (word == "--limit") {
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.stages.limit_s);
        if (error != std::errc{} || end != value.data() + value.size() || !(options.stages.limit_s > 0))
            return fail(Code::usage, fmt::format("'{}' is not a number of seconds", value));
    } else {
        return fail(Code::usage, fmt::format("cannot read '{}'", word));
    }
    return {};
}

Result<Options> read_options(const std::vector<std::string>& words) {
    Options options;
    options.stages.cultivar = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "cultivar";
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--json" || words[i] == "--peer") {
            (words[i] == "--json" ? options.json : options.stages.peer) = true;
            continue;
        }
        if (i + 1 == words.size()) return fail(Code::usage, fmt::format("cannot read '{}'", words[i]));
        TRY_ASSIGN(const std::vector<std::string> rest, read_shape({words[i], words[i + 1]}, options.shape));
        if (words[i] == "--runs") options.sizes.push_back(options.shape.runs);
        if (!rest.empty()) TRY(read_option(words[i], words[i + 1], options));
        ++i;
    }
    if (options.sizes.empty()) options.sizes.push_back(options.shape.runs);
    return options;
}

// Sets an environment in which no user settings apply.
void stand_alone(const std::string& folder) {
    for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "XDG_CONFIG_HOME"}) ::unsetenv(name);
    for (const auto& [name, value] : std::map<std::string, std::string>{{"GIT_CONFIG_GLOBAL", "/dev/null"},
                                                                        {"GIT_CONFIG_NOSYSTEM", "1"},
                                                                        {"HOME", folder},
                                                                        {"CULTIVAR_NAME", "bench"},
                                                                        {"CULTIVAR_MACHINE", "box"}})
        ::setenv(name.c_str(), value.c_str(), 1);
}

Result<std::string> make_folder(const std::string& keep) {
    std::string folder = keep;
    std::error_code ec;
    if (keep.empty()) {
        folder = (std::filesystem::temp_directory_path() / "pool-bench-XXXXXX").string();
        if (!::mkdtemp(folder.data())) return fail(Code::io, fmt::format("cannot create '{}'", folder));
    }
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message()));
    return std::filesystem::absolute(folder).string();
}

Result<void> bench(Options options, const std::string& folder) {
    std::vector<SizeReport> reports;
    for (const int runs : options.sizes) {
        options.shape.runs = runs;
        options.stages.folder = fmt::format("{}/{}", folder, runs);
        std::filesystem::create_directory(options.stages.folder);
        TRY_ASSIGN(SizeReport report, PoolStages(options.stages, options.shape).run());
        fmt::print("{}", options.json ? json_line(report) : table(report));
        std::fflush(stdout);
        reports.push_back(std::move(report));
        if (options.keep.empty()) std::filesystem::remove_all(options.stages.folder);
    }
    if (reports.size() > 1) fmt::print("{}", options.json ? growth_json_line(reports) : growth_table(reports));
    return {};
}

Result<void> run(const std::vector<std::string>& words) {
    TRY_ASSIGN(Options options, read_options(words));
    TRY_ASSIGN(const std::string folder, make_folder(options.keep));
    stand_alone(folder);
    auto done = bench(options, folder);
    if (options.keep.empty()) std::filesystem::remove_all(folder);
    return done;
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (!words.empty() && words[0] == "--step") return cultivar::run_bench_step({words.begin() + 1, words.end()});
    if (!words.empty() && words[0] == "--help") return std::fputs(cultivar::kUsage, stdout) < 0;
    auto done = cultivar::run(words);
    if (done) return 0;
    fmt::print(stderr, "pool_bench: {}\n", done.error().message);
    if (done.error().code == cultivar::Code::usage) std::fputs(cultivar::kUsage, stderr);
    return done.error().code == cultivar::Code::usage ? 129 : 128;
}
