// verify_bench measures the cost of verifying a claim and the rate of wrong verdicts. It prints one line of JSON.
#include <cstdio>
#include <cstdlib>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "benchmarks/common/spread_json.h"
#include "benchmarks/verify/claim_cost.h"
#include "benchmarks/verify/claim_simulation.h"
#include "benchmarks/verify/queue_simulation.h"

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUsage =
    "usage: verify_bench [--claims N] [--seed N] [--days N] [--worker PATH --corpus FILE [--candidate NAME]]\n"
    "\n"
    "Puts N (1000) simulated claims of each kind, honest and not, through the judgements of `cultivar verify`, as any\n"
    "claim is judged (8 of 64 chunks) and as a would-be best is (all), and tells the share that is accepted with its\n"
    "95 % interval. With --days it plays a verifier's queue for so many days instead: N claims of each kind, mixed,\n"
    "under the default share of a machine and of the search of honest contributors. With a worker (cultivar-lm) and a "
    "text of 6 MB or more it also measures, in processor seconds, "
    "what\n"
    "a step of the seed candidate NAME (small) takes on two threads, and what the tiers take of the claim of 600 s "
    "that\n"
    "this makes: seconds, and their share of the claim's.\n";

struct Options {
    int claims = 1000;
    std::uint64_t seed = 1;
    int days = 0;  // of a queue; 0: none is played
    CostRequest cost;
    bool help = false;
};

Result<Options> read_options(const std::vector<std::string>& words) {
    Options options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--help") {
            options.help = true;
            continue;
        }
        if (i + 1 == words.size()) return fail(Code::usage, fmt::format("cannot read '{}'", words[i]));
        const std::string &name = words[i], &value = words[i + 1];
        ++i;
        if (name == "--claims")
            options.claims = std::atoi(value.c_str());
        else if (name == "--seed")
            options.seed = std::strtoull(value.c_str(), nullptr, 10);
        else if (name == "--days")
            options.days = std::atoi(value.c_str());
        else if (name == "--worker")
            options.cost.worker = value;
        else if (name == "--corpus")
            options.cost.corpus = value;
        else if (name == "--candidate")
            options.cost.seed = value;
        else
            return fail(Code::usage, fmt::format("unknown option '{}'", name));
    }
    if (options.claims < 1 || options.days < 0 || options.cost.worker.empty() != options.cost.corpus.empty())
        return fail(Code::usage, "a number is out of range, or only one of --worker and --corpus is given");
    return options;
}

Json json_of(const SimulatedClaims& simulated) {
    return {{"claims", simulated.claims}, {"accepted", simulated.accepted}, {"share", json_of(simulated.share())}};
}

Json simulate_all(const Options& options) {
    const std::map<std::string, Deceit> kinds = {{"honest", Deceit::none},
                                                 {"edited", Deceit::edited},
                                                 {"swapped", Deceit::swapped},
                                                 {"trained_on_validation", Deceit::trained},
                                                 {"other_training", Deceit::traced},
                                                 {"hidden_in_few_chunks", Deceit::hidden},
                                                 {"slightly_trained_on_validation", Deceit::slightly}};
    Json all;
    for (const auto& [name, deceit] : kinds) {
        for (bool whole : {false, true}) {
            Random random(options.seed);
            all[name][whole ? "all_chunks" : "few_chunks"] =
                json_of(simulate_claims(deceit, whole, options.claims, ClaimNoise(), random));
        }
    }
    return all;
}

Json simulate_all_reruns(const Options& options) {
    Json all = Json::array();
    for (double spread : {0.0003, 0.002, 0.005, 0.015, 0.03}) {
        for (int replicates : {0, 4, 20}) {
            for (double lie : {0.0, 0.01, 0.02, 0.05, 0.1, 0.5}) {
                Random random(options.seed);
                Json one = {{"spread", spread}, {"replicates", replicates}, {"lie", lie}};
                one.update(json_of(simulate_reruns({spread, replicates, lie}, options.claims, random)));
                all.push_back(std::move(one));
            }
        }
    }
    return all;
}

Json simulate_all_origins(const Options& options) {
    Json all = Json::array();
    for (double blur : {0.0, 0.00003, 0.0001, 0.0003, 0.0005, 0.001, 0.002}) {
        for (bool whole : {false, true}) {
            Random random(options.seed);
            Json one = {{"blur", blur}, {"chunks", whole ? "all" : "few"}};
            one.update(json_of(simulate_origins(blur, whole, options.claims, ClaimNoise(), random)));
            all.push_back(std::move(one));
        }
    }
    return all;
}

Json simulate_days(const Options& options) {
    Random random(options.seed);
    const QueueFigures figures = simulate_queue(options.claims, options.days, ClaimNoise(), random);
    Json kinds;
    for (const auto& [name, sum] : figures.kinds) {
        const auto share = [claims = sum.claims](int count) {
            Json json = json_of(share_of(count, claims));
            json["claims"] = count;
            return json;
        };
        kinds[name] = {{"claims", sum.claims},
                       {"accepted", share(sum.accepted)},
                       {"provisional", share(sum.provisional)},
                       {"rejected", share(sum.rejected)},
                       {"waiting", share(sum.waiting)},
                       {"trained_again", sum.rerun},
                       {"days_as_best", sum.best}};
    }
    return {{"days", options.days}, {"paying_s", figures.paying_s}, {"verify_s", figures.spent_s}, {"kinds", kinds}};
}

Json json_of(const PartCost& part, double claim_s, int threads) {
    return {{"count", part.count},
            {"wall_s", part.wall_s},
            {"cpu_s", part.cpu_s},
            {"wall_share", part.wall_s / claim_s},
            {"cpu_share", part.cpu_s / threads / claim_s}};
}

Json json_of(const ClaimCost& cost, int threads) {
    const double tier2_s = cost.slice.wall_s + cost.hold_out.wall_s,
                 tier2_cpu_s = cost.slice.cpu_s + cost.hold_out.cpu_s;
    const auto part = [&](const PartCost& one) { return json_of(one, cost.claim_s, threads); };
    return {{"step_cpu_s", cost.step_cpu_s},
            {"start_cpu_s", cost.start_cpu_s},
            {"steps", cost.steps},
            {"parameters", cost.parameters},
            {"slice_targets", cost.slice_targets},
            {"claim_s", cost.claim_s},
            {"structure_s", cost.structure_s},
            {"slice", part(cost.slice)},
            {"hold_out", part(cost.hold_out)},
            {"tiers_1_and_2",
             {{"wall_share", (cost.structure_s + tier2_s) / cost.claim_s},
              {"cpu_share", (cost.structure_s + tier2_cpu_s / threads) / cost.claim_s}}},
            {"tier_3", part(cost.replay)},
            {"replay_deviation", cost.deviation},
            {"whole_slice", part(cost.whole_slice)},
            {"full_set", part(cost.full_set)}};
}

Result<void> bench(const Options& options) {
    if (options.days > 0) {
        fmt::print("{}\n", Json{{"bench", "verify"}, {"queue", simulate_days(options)}}.dump());
        return {};
    }
    Json line = {{"bench", "verify"},
                 {"judged", simulate_all(options)},
                 {"reruns", simulate_all_reruns(options)},
                 {"origins", simulate_all_origins(options)}};
    if (!options.cost.worker.empty()) {
        TRY_ASSIGN(const ClaimCost cost, measure_cost(options.cost));
        line["cost"] = json_of(cost, options.cost.threads);
    }
    fmt::print("{}\n", line.dump());
    return {};
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    auto options = cultivar::read_options(words);
    if (options && options->help) {
        std::fputs(cultivar::kUsage, stdout);
        return EXIT_SUCCESS;
    }
    auto done = options ? cultivar::bench(*options) : cultivar::Result<void>(cultivar::fail(options.error()));
    if (done) return EXIT_SUCCESS;
    fmt::print(stderr, "verify_bench: {}\n", done.error().message);
    if (done.error().code != cultivar::Code::usage) return EXIT_FAILURE;
    std::fputs(cultivar::kUsage, stderr);
    return 2;
}
