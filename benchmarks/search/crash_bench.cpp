// crash_bench [--runs N] [--pools N] [--seed S] [--genes N] [--crashes PERCENT] [--region]
//
// Measures how far crashes mislead the search. The task is a parabola: 1 at the optimum, where every gene is 3, and 19
// at the seed, where every gene is 0; genes reach from -10 to 10. A run crashes by chance, whatever its candidate; with
// --region also every run whose first gene is above 4 (3/10 of the space, next to the optimum). Every run counts.
// Prints a line of JSON: the best score of each pool, sorted, and their mean.
#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bandit/planner/planner.h"
#include "bandit/policy/keep_test.h"
#include "bandit/space/random.h"

namespace cultivar {
namespace {

const std::string kTask(64, 'c');
constexpr double kOptimum = 3, kRegionFrom = 4;

struct Options {
    int runs = 40, pools = 10, seed = 1, genes = 2, crashes = 20;
    bool region = false;
};

Result<Space> parabola_space(int count) {
    std::vector<Gene> genes;
    for (int i = 0; i < count; ++i) {
        Gene& gene = genes.emplace_back();
        gene.name = fmt::format("x{}", i);
        gene.type = GeneType::real;
        gene.default_value = 0.0;
        gene.low = -10;
        gene.high = 10;
    }
    return Space::make(std::move(genes), {});
}

double parabola(const Genes& genes) {
    double sum = 0;
    for (const auto& [name, value] : genes)
        sum += (std::get<double>(value) - kOptimum) * (std::get<double>(value) - kOptimum);
    return 1 + 2 * sum / static_cast<double>(genes.size());
}

class CrashingPool {
public:
    CrashingPool(const Space& space, const Options& options, std::uint64_t seed)
        : space_(space), options_(options), seed_(seed), luck_(seed ^ 0xc4a5ULL) {
        history_.category = "cpu-1s";
        know(make_candidate(space, kTask, {}).value(), {}).seed = true;
    }

    // Errors: those of the planner.
    Result<double> best() {
        for (int run = 0; run < options_.runs; ++run) TRY(run_once());
        return best_;
    }

private:
    KnownCandidate& know(const Candidate& candidate, std::vector<std::string> parents) {
        auto found = std::ranges::find_if(history_.candidates,
                                          [&](const KnownCandidate& one) { return one.candidate == candidate; });
        if (found != history_.candidates.end()) return *found;
        history_.candidates.push_back({.candidate = candidate, .parents = std::move(parents)});
        return history_.candidates.back();
    }

    Result<void> run_once() {
        const PlannerInput input{&space_, kTask, &history_, seed_, [](const auto&, const auto&) -> Result<Candidate> {
                                     return fail(Code::unfit, "no crosses here");
                                 }};
        TRY_ASSIGN(const Plan plan, plan_next(input));
        KnownCandidate& known = know(plan.child, plan.parents);
        ++known.runs_anywhere;
        Trial trial;
        trial.candidate = plan.child.id;
        trial.operator_name = plan.operator_name;
        trial.parents = plan.parents;
        const bool outside = options_.region && std::get<double>(plan.child.genes.at("x0")) > kRegionFrom;
        if (luck_.chance(options_.crashes / 100.0) || outside) {
            trial.status = RunStatus::failed;
            history_.trials.push_back(std::move(trial));
            return {};
        }
        trial.score = parabola(plan.child.genes);
        best_ = std::min(best_, trial.score);
        history_.trials.push_back(std::move(trial));
        const Decision decision = judge(history_, plan.child.id, plan.parents).decision;
        history_.trials.back().decision = decision;
        if (decision == Decision::kept) known.kept = true;
        return {};
    }

    const Space& space_;
    const Options& options_;
    std::uint64_t seed_;
    Random luck_;
    History history_;
    double best_ = std::numeric_limits<double>::infinity();
};

Result<Options> read_options(const std::vector<std::string>& words) {
    Options options;
    std::map<std::string, int*> numbers = {{"--runs", &options.runs},
                                           {"--pools", &options.pools},
                                           {"--seed", &options.seed},
                                           {"--genes", &options.genes},
                                           {"--crashes", &options.crashes}};
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--region") {
            options.region = true;
            continue;
        }
        auto number = numbers.find(words[i]);
        if (number == numbers.end() || i + 1 == words.size())
            return fail(Code::usage, fmt::format("no option '{}', or no value for it", words[i]));
        const std::string& value = words[++i];
        auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *number->second);
        if (error != std::errc() || end != value.data() + value.size() || *number->second < 0)
            return fail(Code::usage, fmt::format("'{}' is no count", value));
    }
    if (options.runs < 1 || options.pools < 1 || options.genes < 1) return fail(Code::usage, "a count is 0");
    return options;
}

Result<void> bench(const std::vector<std::string>& words) {
    TRY_ASSIGN(const Options options, read_options(words));
    TRY_ASSIGN(const Space space, parabola_space(options.genes));
    std::vector<double> bests;
    for (int pool = 0; pool < options.pools; ++pool) {
        TRY_ASSIGN(const double best,
                   CrashingPool(space, options, static_cast<std::uint64_t>(options.seed + pool)).best());
        bests.push_back(best);
    }
    std::ranges::sort(bests);
    const double mean = std::accumulate(bests.begin(), bests.end(), 0.0) / static_cast<double>(bests.size());
    for (double& best : bests) best = std::round(best * 1e4) / 1e4;
    const nlohmann::ordered_json line = {
        {"genes", options.genes},   {"runs", options.runs}, {"crashes", options.crashes},
        {"region", options.region}, {"mean", mean},         {"best", bests}};
    fmt::print("{}\n", line.dump());
    return {};
}

}  // namespace
}  // namespace cultivar

int main(int count, char** words) {
    auto done = cultivar::bench({words + 1, words + count});
    if (done) return 0;
    fmt::print(stderr, "crash_bench: {}\n", done.error().message);
    return done.error().code == cultivar::Code::usage ? 129 : 128;
}
