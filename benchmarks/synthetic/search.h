// Simulates a search over the language-model task's space: each run's candidate, its parents and whether it was kept.
// About one run in five is kept. Children come from the newest kept candidates by one to three changed genes, some kept
// ones by a cross. Deterministic given the seed.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "bandit/space/random.h"
#include "benchmarks/synthetic/run.h"
#include "pool/git/repository.h"
#include "pool/types/candidate.h"

namespace cultivar {

// A candidate that later ones may descend from.
struct KeptCandidate {
    Candidate candidate;
    Oid commit;
    double val_loss = 0;
    int runs = 1;
};

// The search's access to the commit graph. `keep` returns the commit of a kept candidate, `cross` the child of two.
struct CommitGraph {
    std::function<Result<Oid>(const Candidate& candidate, const std::vector<Oid>& parents)> keep;
    std::function<Result<Candidate>(const Oid& a, const Oid& b)> cross;
};

class SyntheticSearch {
public:
    // `task` must outlive the object.
    SyntheticSearch(const Task& task, std::uint64_t seed, double crossover, CommitGraph graph)
        : task_(task), task_id_(task.id()), random_(seed), crossover_(crossover), graph_(std::move(graph)) {}

    // Returns the next run; the pool's seeds come first. The caller fills in writer, category and start.
    Result<RunSketch> next();

    int crosses() const { return crosses_; }

private:
    Result<RunSketch> seed();
    RunSketch replicate();
    Result<RunSketch> mutant(bool kept);
    Result<std::optional<RunSketch>> crossed();
    Result<RunSketch> keep(RunSketch sketch, Candidate child, const std::vector<const KeptCandidate*>& parents);
    KeptCandidate& recent();
    bool is_new(const Candidate& candidate) const { return !seen_.contains(candidate.id); }

    const Task& task_;
    std::string task_id_;
    Random random_;
    double crossover_;
    CommitGraph graph_;
    std::deque<KeptCandidate> recent_;
    std::unordered_set<std::string> seen_;
    std::size_t seeds_ = 0;
    int crosses_ = 0;
};

}  // namespace cultivar
