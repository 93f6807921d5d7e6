#include "energy/compare/comparison.h"

#include <algorithm>

#include <fmt/format.h>

#include "energy/compare/judge.h"

namespace cultivar {
namespace {

// Repeats are pairs only if each of both arms has one partner.
Pairs pairs_of(const Arm& first, const Arm& second) {
    std::map<std::string, std::size_t> seeds;
    for (std::size_t i = 0; i < second.repeats.size(); ++i) {
        const std::string& seed = second.repeats[i].seed;
        if (seed.empty() || !seeds.emplace(seed, i).second) return {};
    }
    Pairs pairs;
    for (std::size_t i = 0; i < first.repeats.size(); ++i) {
        const auto found = seeds.find(first.repeats[i].seed);
        if (found == seeds.end()) return {};
        pairs.emplace_back(i, found->second);
        seeds.erase(found);
    }
    return seeds.empty() ? pairs : Pairs();
}

ScoreJudged judge_score(const CostModel& model, const Pairs& pairs) {
    ScoreJudged judged;
    std::vector<double> losses[2];
    for (const std::size_t arm : {0, 1}) {
        double sum = 0;
        for (const Tally& tally : model.tallies(arm)) {
            if (!tally.best_loss || !tally.is_reached) return judged;
            losses[arm].push_back(*tally.best_loss);
            sum += *tally.best_loss;
        }
        judged.losses[arm] = sum / static_cast<double>(losses[arm].size());
    }
    const auto [first, second] = in_pairs(losses, pairs);
    judged.chance = difference(first, second, !pairs.empty());
    if (!judged.chance) return judged;
    if (judged.chance->high < 0) judged.finding = Finding::lower;
    if (judged.chance->low > 0) judged.finding = Finding::higher;
    if (judged.finding == Finding::cannot_say)
        judged.more = more_repeats(*judged.chance, std::abs(judged.chance->mean));
    return judged;
}

Result<void> check(const Arm& arm, const Target& target) {
    if (arm.repeats.empty() || std::ranges::any_of(arm.repeats, [](const Repeat& one) { return one.runs.empty(); }))
        return fail(Code::usage, fmt::format("arm '{}' has no runs", arm.name), "cultivar log");
    if (target.kind != TargetKind::compute) return {};
    for (const Repeat& repeat : arm.repeats) {
        if (std::ranges::any_of(repeat.runs, [](const SpentRun& run) { return !run.flops; }))
            return fail(Code::usage, fmt::format("arm '{}' has runs that tell no compute", arm.name),
                        "--to or --joules instead of --compute");
    }
    return {};
}

}  // namespace

const char* name(Finding finding) {
    switch (finding) {
        case Finding::lower:
            return "lower";
        case Finding::higher:
            return "higher";
        case Finding::cannot_say:
            break;
    }
    return "cannot say";
}

std::vector<std::string> unlike(const Arm& first, const Arm& second) {
    std::vector<std::string> differences;
    if (first.task != second.task)
        differences.emplace_back("the arms have different tasks: their scores differ in meaning");
    if (first.scoring != second.scoring) differences.emplace_back("the arms were scored in different ways");
    const std::set<std::string> one = first.methods(), other = second.methods();
    if (one != other)
        differences.push_back(fmt::format("the arms were measured by different methods: {} and {}",
                                          one.empty() ? "none" : fmt::format("{}", fmt::join(one, ", ")),
                                          other.empty() ? "none" : fmt::format("{}", fmt::join(other, ", "))));
    return differences;
}

Result<Comparison> compare_arms(const Arm& first, const Arm& second, const Target& target, const Factors& factors) {
    for (const Arm* arm : {&first, &second}) TRY(check(*arm, target));
    const CostModel model(first, second, target, factors);
    const Pairs pairs = pairs_of(first, second);
    Comparison comparison{.target = target, .is_paired = !pairs.empty(), .unlike = unlike(first, second)};
    for (const Accounting& accounting : kAccountings) {
        const Judged judged = judge(model, accounting, model.as_stated(accounting.machine), pairs);
        for (const Flip& flip : flips_of(model, judged, pairs)) comparison.flips.push_back(flip);
        comparison.judged.push_back(judged);
    }
    if (target.kind != TargetKind::score) comparison.score = judge_score(model, pairs);
    for (const std::size_t arm : {0, 1}) {
        comparison.tallies[arm] = model.tallies(arm);
        comparison.lacks[arm] = model.lacks(arm);
    }
    comparison.used = model.used();
    return comparison;
}

}  // namespace cultivar
