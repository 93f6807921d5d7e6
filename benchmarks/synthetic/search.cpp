#include "benchmarks/synthetic/search.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "bandit/space/constraint_repair.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

constexpr double kKeptShare = 0.2, kReplicateShare = 0.1;
constexpr double kStoppedShare = 0.06, kUnfitShare = 0.03, kFailedShare = 0.01;  // shares of the runs that are not kept
constexpr double kBackToDefault = 0.3;
constexpr std::size_t kRecent = 300;
constexpr int kTries = 100;
constexpr double kFirstLoss = 2.4, kFloorLoss = 0.9;

double three_digits(double value) { return std::stod(fmt::format("{:.3g}", value)); }

double stepped(const Gene& gene, double value, Random& random) {
    const double step = 0.2 * random.normal();
    const double moved =
        gene.log_scale ? value * std::pow(gene.high / gene.low, step) : value + step * (gene.high - gene.low);
    return std::clamp(moved, gene.low, gene.high);
}

std::int64_t stepped_whole(const Gene& gene, std::int64_t value, Random& random) {
    if (!gene.levels.empty()) return gene.levels[random.below(gene.levels.size())];
    const double moved = stepped(gene, static_cast<double>(value), random);
    const auto multiple = static_cast<double>(gene.multiple_of);
    const double fitting =
        std::clamp(std::round(moved / multiple) * multiple, std::ceil(gene.low / multiple) * multiple,
                   std::floor(gene.high / multiple) * multiple);
    return static_cast<std::int64_t>(fitting);
}

Value moved(const Gene& gene, const Value& now, Random& random) {
    if (now != gene.default_value && random.chance(kBackToDefault)) return gene.default_value;
    if (auto* real = std::get_if<double>(&now))
        return std::clamp(three_digits(stepped(gene, *real, random)), gene.low, gene.high);
    if (auto* whole = std::get_if<std::int64_t>(&now)) return stepped_whole(gene, *whole, random);
    if (auto* yes = std::get_if<bool>(&now)) return !*yes;
    return gene.choices[random.below(gene.choices.size())];
}

// Moves one to three active genes. Nothing if the constraints could not be kept.
std::optional<Candidate> mutate_once(const Task& task, const std::string& task_id, const Candidate& from,
                                     Random& random) {
    Genes genes = from.genes;
    std::set<std::string> touched;
    const std::size_t count = 1 + random.below(3);
    const std::vector<Gene>& all = task.space.genes();
    while (touched.size() < count) {
        const Gene& gene = all[random.below(all.size())];
        if (!task.space.active(gene, genes)) continue;
        genes[gene.name] = moved(gene, genes.at(gene.name), random);
        touched.insert(gene.name);
    }
    if (!repair(task.space, genes, touched)) return std::nullopt;
    auto made = make_candidate(task.space, task_id, genes);
    return made ? std::optional(std::move(*made)) : std::nullopt;
}

RunSketch sketch_of(const Candidate& candidate, const std::string& operator_name) {
    RunSketch sketch;
    sketch.candidate = candidate.id;
    sketch.toml = candidate.toml;
    sketch.operator_name = operator_name;
    return sketch;
}

RunStatus fate(Random& random) {
    const double draw = random.uniform();
    if (draw < kStoppedShare) return RunStatus::stopped;
    if (draw < kStoppedShare + kUnfitShare) return RunStatus::unfit;
    return draw < kStoppedShare + kUnfitShare + kFailedShare ? RunStatus::failed : RunStatus::done;
}

}  // namespace

KeptCandidate& SyntheticSearch::recent() { return recent_[random_.below(recent_.size())]; }

Result<RunSketch> SyntheticSearch::next() {
    if (seeds_ < lm_seeds().size()) return seed();
    if (random_.chance(kReplicateShare)) return replicate();
    const bool kept = random_.chance(kKeptShare / (1 - kReplicateShare));
    if (kept && random_.chance(crossover_)) {
        TRY_ASSIGN(std::optional<RunSketch> child, crossed());
        if (child) return *child;
    }
    return mutant(kept);
}

Result<RunSketch> SyntheticSearch::seed() {
    const auto seeds = lm_seeds();
    const auto& [name, toml] = seeds[seeds_++];
    TRY_ASSIGN(Candidate candidate, read_candidate(task_.space, task_id_, toml, name));
    return keep(sketch_of(candidate, "seed"), candidate, {});
}

RunSketch SyntheticSearch::replicate() {
    KeptCandidate& again = recent();
    RunSketch sketch = sketch_of(again.candidate, "replicate");
    sketch.replicate = again.runs++;
    sketch.decision = Decision::undecided;
    sketch.val_loss = again.val_loss + 0.01 * random_.normal();
    return sketch;
}

Result<RunSketch> SyntheticSearch::mutant(bool kept) {
    for (int i = 0; i < kTries; ++i) {
        const KeptCandidate& parent = recent();
        auto child = mutate_once(task_, task_id_, parent.candidate, random_);
        if (!child || !is_new(*child)) continue;
        RunSketch sketch = sketch_of(*child, random_.chance(0.7) ? "tune" : "switch");
        if (kept) return keep(std::move(sketch), std::move(*child), {&parent});
        seen_.insert(child->id);
        sketch.parents = {parent.candidate.id};
        sketch.status = fate(random_);
        sketch.decision = sketch.status == RunStatus::done ? Decision::reverted : Decision::none;
        sketch.val_loss = parent.val_loss + 0.01 + 0.1 * std::abs(random_.normal());
        return sketch;
    }
    return fail(Code::unfit, "no candidate is left to try");
}

Result<std::optional<RunSketch>> SyntheticSearch::crossed() {
    const KeptCandidate &a = recent(), &b = recent();
    if (a.commit == b.commit) return std::nullopt;
    auto child = graph_.cross(a.commit, b.commit);
    if (!child || !is_new(*child)) return std::nullopt;
    ++crosses_;
    TRY_ASSIGN(RunSketch sketch, keep(sketch_of(*child, "cross"), *child, {&a, &b}));
    return std::optional(std::move(sketch));
}

// Each kept child gains a small part of the distance to the loss floor.
Result<RunSketch> SyntheticSearch::keep(RunSketch sketch, Candidate child,
                                        const std::vector<const KeptCandidate*>& parents) {
    double best = kFirstLoss;
    std::vector<Oid> commits;
    for (const KeptCandidate* parent : parents) {
        best = std::min(best, parent->val_loss);
        commits.push_back(parent->commit);
        sketch.parents.push_back(parent->candidate.id);
    }
    sketch.decision = Decision::kept;
    sketch.val_loss = best - 0.03 * random_.uniform() * (best - kFloorLoss);
    TRY_ASSIGN(const Oid commit, graph_.keep(child, commits));
    seen_.insert(child.id);
    recent_.push_back({std::move(child), commit, sketch.val_loss, 1});
    if (recent_.size() > kRecent) recent_.pop_front();
    return sketch;
}

}  // namespace cultivar
