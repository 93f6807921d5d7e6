// noise_bench measures keeping and reverting under the seed noise of real trainings. It prints a line of JSON per file
// and method.
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "benchmarks/common/spread_json.h"
#include "benchmarks/replay/noise_replay.h"
#include "benchmarks/replay/replay_options.h"

namespace cultivar {
namespace {

constexpr const char* kUsage =
    "usage: noise_bench [--method ours|single|three]... [--repeats N] [--runs N] [--scale SIGMA] [--improving SHARE]\n"
    "                   [--seed N] FILE...\n"
    "\n"
    "Climbs of --runs runs (100, replicates included), --repeats (400) of each. A share of the proposals "
    "(--improving,\n"
    "0.2) is better than its parent and the others are worse, by |N(0, 1)| * --scale (1) times the pooled standard\n"
    "deviation of the file's seeds; the noise of a run is a residual of one of its configurations. A file is a "
    "header,\n"
    "then a configuration and its seeds' losses, .csv or .csv.gz. Told are the share of what was kept that is no "
    "better\n"
    "than its parent, the true gain and the published value less the true one, both in standard deviations. Methods:\n"
    "the library's test; kept if a single run beats the record; three seeds at 95 %.\n";

std::string line_of(const SeedNoise& noise, const std::string& method, const ReplayOptions& options) {
    const Proposals proposals{options.numbers.at("--improving"), options.numbers.at("--scale")};
    const int repeats = static_cast<int>(options.numbers.at("--repeats"));
    std::vector<double> gain, optimism, runs;
    std::int64_t kept = 0, falsely = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        Random random(static_cast<std::uint64_t>(options.numbers.at("--seed")) * 1'000'003 +
                      static_cast<std::uint64_t>(repeat));
        const ClimbResult result =
            replay_climb(noise, method, proposals, static_cast<int>(options.numbers.at("--runs")), random);
        kept += result.kept;
        falsely += result.falsely;
        gain.push_back(result.gain);
        optimism.push_back(result.optimism);
        runs.push_back(result.runs);
    }
    return nlohmann::ordered_json{{"file", noise.name},
                                  {"method", method},
                                  {"repeats", repeats},
                                  {"sigma", noise.sigma},
                                  {"scale", proposals.scale},
                                  {"improving", proposals.improving},
                                  {"kept", static_cast<double>(kept) / repeats},
                                  {"false_promotions", json_of(share_of(falsely, kept))},
                                  {"gain_sigma", json_of(mean_of(gain))},
                                  {"optimism_sigma", json_of(mean_of(optimism))},
                                  {"runs", mean_of(runs).mean}}
        .dump();
}

Result<void> bench(const std::vector<std::string>& words) {
    TRY_ASSIGN(const ReplayOptions options,
               read_replay_options(
                   words, {{"--repeats", 400}, {"--runs", 100}, {"--scale", 1}, {"--improving", 0.2}, {"--seed", 1}},
                   noise_methods()));
    for (const std::string& path : options.files) {
        TRY_ASSIGN(const SeedNoise noise, read_seeds(path));
        for (const std::string& method : options.methods) {
            fmt::print("{}\n", line_of(noise, method, options));
            std::fflush(stdout);
        }
    }
    return {};
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    return cultivar::run_bench("noise_bench", cultivar::kUsage, argc, argv, cultivar::bench);
}
