// stop_bench measures the savings and losses of stopping hopeless runs early, on curves of real trainings. It draws
// streams of runs from each file and gives them to a rule one after the other. It prints a line of JSON per file and
// method.
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "benchmarks/common/spread_json.h"
#include "benchmarks/replay/replay_options.h"
#include "benchmarks/replay/stop_methods.h"

namespace cultivar {
namespace {

constexpr const char* kUsage =
    "usage: stop_bench [--method ours|median|halving|none]... [--repeats N] [--length N] [--seed N] FILE...\n"
    "\n"
    "Replays streams of runs (--length, 100, or all that a file has; --repeats, 100 streams) from files of curves: a\n"
    "header of fractions of the budget and a row of losses for each run, .csv or .csv.gz. Told are the share of the\n"
    "training used, how often the stream's best run was lost, and the regret added, (published - best) / (median -\n"
    "best), each with its 95 % interval. Every method sees the same streams.\n";

std::string line_of(const CurveSet& set, const std::string& method, const ReplayOptions& options) {
    const int repeats = static_cast<int>(options.numbers.at("--repeats"));
    const auto length = std::min(static_cast<std::size_t>(options.numbers.at("--length")), set.runs.size());
    std::vector<double> used, stopped, regret;
    int lost = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        Random random(static_cast<std::uint64_t>(options.numbers.at("--seed")) * 1'000'003 +
                      static_cast<std::uint64_t>(repeat));
        const StreamResult result = replay_stream(set, length, *make_stopper(method), random);
        used.push_back(result.used);
        stopped.push_back(result.stopped);
        regret.push_back(result.regret_added);
        lost += result.lost;
    }
    const Estimate share = mean_of(used);
    return nlohmann::ordered_json{{"file", set.name},
                                  {"method", method},
                                  {"repeats", repeats},
                                  {"length", length},
                                  {"used", json_of(share)},
                                  {"speed_up", 1 / share.mean},
                                  {"stopped", mean_of(stopped).mean},
                                  {"lost", json_of(share_of(lost, repeats))},
                                  {"regret_added", json_of(mean_of(regret))}}
        .dump();
}

Result<void> bench(const std::vector<std::string>& words) {
    TRY_ASSIGN(const ReplayOptions options,
               read_replay_options(words, {{"--repeats", 100}, {"--length", 100}, {"--seed", 1}}, stop_methods()));
    for (const std::string& path : options.files) {
        TRY_ASSIGN(const CurveSet set, read_curves(path));
        for (const std::string& method : options.methods) {
            fmt::print("{}\n", line_of(set, method, options));
            std::fflush(stdout);
        }
    }
    return {};
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    return cultivar::run_bench("stop_bench", cultivar::kUsage, argc, argv, cultivar::bench);
}
