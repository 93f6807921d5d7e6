#include "cli/search/delayed_runs.h"

#include <sstream>

#include "cli/app/json.h"
#include "pool/util/file.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostFile_bytes = 16 << 20;

std::string list_path(const std::string& state_dir) { return state_dir + "delayed.jsonl"; }

std::string line_of(const DelayedRun& run) {
    Json delays = Json::array();
    for (const Delay& one : run.delays) delays.push_back({one.from_unix_s, one.seconds});
    return Json{{"run", run.id}, {"delays", delays}}.dump() + "\n";
}

std::optional<DelayedRun> run_of(const std::string& line) {
    try {
        const Json json = Json::parse(line);
        DelayedRun run{json.at("run").get<std::string>(), {}};
        for (const Json& one : json.at("delays"))
            run.delays.push_back({one.at(0).get<std::int64_t>(), one.at(1).get<double>()});
        return run;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace

std::vector<DelayedRun> read_delayed_runs(const std::string& state_dir) {
    std::vector<DelayedRun> runs;
    const auto text = read_file(list_path(state_dir), kMostFile_bytes);
    std::istringstream lines(text.value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (auto run = run_of(line)) runs.push_back(std::move(*run));
    }
    return runs;
}

Result<void> add_delayed_run(const std::string& state_dir, const DelayedRun& run) {
    std::vector<DelayedRun> runs = read_delayed_runs(state_dir);
    runs.push_back(run);
    const std::size_t skipped = runs.size() > kMostDelayedRuns ? runs.size() - kMostDelayedRuns : 0;
    std::string text;
    for (std::size_t i = skipped; i < runs.size(); ++i) text += line_of(runs[i]);
    return write_file_atomically(list_path(state_dir), text);
}

}  // namespace cultivar
