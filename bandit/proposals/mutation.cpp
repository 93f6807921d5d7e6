#include "bandit/proposals/mutation.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "bandit/space/constraint_repair.h"
#include "bandit/space/coordinates.h"

namespace cultivar {
namespace {

constexpr double kStep = 0.2;  // of the range
constexpr double kForeignWeight = 0.5, kMostForeign = 2;
constexpr std::size_t kMemory = 500;  // children; older ones are no guide and cost time
constexpr double kSizeWeight = 4;
constexpr double kLowEnd = 0.25;  // of a range
constexpr const char* kSteps = "steps";
constexpr double kReachWeight = 8;  // weight of a gene that does not take effect within the budget
constexpr double kLeastPart = 0.2;  // smallest fraction of the steps available

// Returns the distance that an ordered gene moves. Near the low end of a linear range the range says little about the
// value's scale: there a step halves or doubles it.
double step_length(const Gene& gene, double unit, int direction, Random& random) {
    double length = std::abs(random.normal());
    if (gene.log_scale || !gene.levels.empty() || unit <= 0 || unit > kLowEnd) return length * kStep;
    return unit * std::abs(std::exp2(direction * (0.5 + length)) - 1);
}

bool movable(const Space& space, const Gene& gene, const Genes& genes, GeneKind kind) {
    return gene.structural == (kind == GeneKind::structural) && value_count(gene) > 1 && space.active(gene, genes);
}

struct Step {
    std::size_t gene;
    int direction;    // 0: unordered
    double distance;  // signed, in units of the range
};

std::vector<Step> steps_between(const Space& space, const Genes& before, const Genes& after) {
    std::vector<Step> steps;
    for (std::size_t i = 0; i < space.genes().size(); ++i) {
        const Gene& gene = space.genes()[i];
        const Value &from = before.at(gene.name), &to = after.at(gene.name);
        if (from == to || !space.active(gene, after)) continue;
        double distance = ordered(gene) ? to_unit(gene, to) - to_unit(gene, from) : 0;
        steps.push_back({i, (distance > 0) - (distance < 0), distance});
    }
    return steps;
}

struct StepOutcome {
    bool known = false;
    bool success = false;
    double weight = 1;
};

StepOutcome outcome_of(const CandidateStats& child) {
    if (child.own.empty()) {
        Decision decision = child.foreign.front()->decision;
        return {decision == Decision::kept || decision == Decision::reverted, decision == Decision::kept,
                kForeignWeight};
    }
    if (child.decision == Decision::undecided || child.only_failed()) return {};
    return {!child.scored() || child.decision != Decision::none, child.decision == Decision::kept, 1};
}

bool beyond_reach(const Gene& gene, const Value& value, double steps) {
    auto* whole = std::get_if<std::int64_t>(&value);
    return whole && gene.unit == kSteps && steps >= 1 && static_cast<double>(*whole) > steps;
}

// Moves one gene and notes its name.
void move_gene(const Gene& gene, int direction, double steps, Genes& genes, std::set<std::string>& moved,
               Random& random) {
    Value& value = genes.at(gene.name);
    if (beyond_reach(gene, value, steps)) {
        double part = kLeastPart + (1 - kLeastPart) * random.uniform();
        value = from_unit(gene, to_unit(gene, Value(std::max<std::int64_t>(1, std::llround(part * steps)))));
    } else if (ordered(gene)) {
        double length = step_length(gene, to_unit(gene, value), direction, random);
        value = step_from(gene, value, direction, length, random.uniform());
    } else {
        auto count = static_cast<std::uint64_t>(value_count(gene));
        value = from_index(gene, (to_index(gene, value) + 1 + random.below(count - 1)) % count);
    }
    moved.insert(gene.name);
}

}  // namespace

Experience::Experience(const Space& space, const CandidateTable& candidates) : arms_(space.genes().size()) {
    for (std::size_t i = 0; i < arms_.size(); ++i) {
        if (!is_size(space.genes()[i])) continue;
        for (Arm& sized : arms_[i]) sized.prior = kSizeWeight;
    }
    std::size_t learnt = 0, told = 0;
    for (auto child = candidates.all().rbegin(); child != candidates.all().rend(); ++child) {
        if (child->known == nullptr || !child->tried() || child->known->parents.size() != 1) continue;
        if (++(child->own.empty() ? told : learnt) <= kMemory) learn(space, candidates, *child);
        if (learnt >= kMemory && told >= kMemory) break;
    }
    for (auto& directions : arms_) {
        for (Arm& one : directions) {
            const double share = kMostForeign / std::max(one.foreign_successes + one.foreign_failures, kMostForeign);
            one.successes += share * one.foreign_successes;
            one.failures += share * one.foreign_failures;
        }
    }
}

void Experience::learn(const Space& space, const CandidateTable& candidates, const CandidateStats& child) {
    const CandidateStats* parent = candidates.find(child.known->parents.front());
    if (parent == nullptr || parent->known == nullptr) return;
    StepOutcome outcome = outcome_of(child);
    if (!outcome.known) return;
    std::vector<Step> steps = steps_between(space, parent->known->candidate.genes, child.known->candidate.genes);
    for (const Step& step : steps) {
        double share = outcome.weight / static_cast<double>(steps.size());
        Arm& one = arm(step.gene, step.direction);
        if (child.own.empty()) {
            (outcome.success ? one.foreign_successes : one.foreign_failures) += share;
        } else {
            (outcome.success ? one.successes : one.failures) += share;
        }
    }
}

double Experience::weight(std::size_t gene, int direction) const {
    const Arm& arm = arms_[gene][static_cast<std::size_t>(direction + 1)];
    return arm.prior * (0.5 + arm.successes) / (1 + arm.successes + arm.failures);
}

double mean_steps(const CandidateStats& stats) {
    double sum = 0;
    int count = 0;
    for (const Trial* trial : stats.own) {
        if (trial->status == RunStatus::done) sum += static_cast<double>(trial->steps), ++count;
    }
    return count > 0 ? sum / count : 0;
}

std::optional<Genes> mutate(const Space& space, const Genes& base, GeneKind kind, const Experience& experience,
                            double steps_made, Random& random) {
    std::vector<Step> steps;  // every step there is
    std::vector<double> weights;
    std::size_t dimensions = 0;
    for (std::size_t i = 0; i < space.genes().size(); ++i) {
        const Gene& gene = space.genes()[i];
        if (!movable(space, gene, base, kind)) continue;
        ++dimensions;
        // Both directions together weigh as much as one unordered gene.
        double share = ordered(gene) ? 0.5 : 1;
        if (beyond_reach(gene, base.at(gene.name), steps_made)) share *= kReachWeight;
        for (int direction : {-1, 0, 1}) {
            if (ordered(gene) == (direction == 0)) continue;
            steps.push_back({i, direction, 0});
            weights.push_back(share * experience.weight(i, direction));
        }
    }
    if (dimensions == 0) return std::nullopt;
    std::size_t moves = 1;
    for (std::size_t i = 1; i < dimensions && kind == GeneKind::plain; ++i)
        moves += random.chance(1.0 / static_cast<double>(dimensions));

    Genes child = base;
    std::set<std::string> moved;
    while (moves-- > 0) {
        Step step = steps[random.pick(weights)];
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (steps[i].gene == step.gene) weights[i] = 0;
        }
        const Gene& gene = space.genes()[step.gene];
        if (!moved.contains(gene.name) && space.active(gene, child))
            move_gene(gene, step.direction, steps_made, child, moved, random);
    }
    if (!repair(space, child, moved)) return std::nullopt;
    return child;
}

std::optional<Genes> follow(const Space& space, const Genes& before, const Genes& base, GeneKind kind, Random& random) {
    Genes child = base;
    std::set<std::string> moved;
    double length = 0.5 + random.uniform();
    for (const Step& step : steps_between(space, before, base)) {
        const Gene& gene = space.genes()[step.gene];
        if (step.direction == 0 || !movable(space, gene, base, kind)) continue;
        child.at(gene.name) =
            step_from(gene, base.at(gene.name), step.direction, std::abs(step.distance) * length, random.uniform());
        moved.insert(gene.name);
    }
    if (moved.empty() || !repair(space, child, moved)) return std::nullopt;
    return child;
}

}  // namespace cultivar
