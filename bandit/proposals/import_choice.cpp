#include "bandit/proposals/import_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace cultivar {
namespace {

constexpr std::size_t kMostOfWriter = 128, kMostRanked = 256;  // imports that the model ranks

// Returns the writer of the first run of a candidate that did not run here; "" if there is none or it is trusted.
std::string_view writer_of(const CandidateStats& stats) {
    const Trial* trial = !stats.foreign.empty()     ? stats.foreign.front()
                         : !stats.elsewhere.empty() ? stats.elsewhere.front()
                                                    : nullptr;
    return trial == nullptr ? std::string_view() : trial->writer;
}

// Returns the ancestors of all possible parents: a score of their own here would tell little.
Ids outgrown_here(const CandidateTable& candidates) {
    std::vector<const CandidateStats*> parents;
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.parent()) parents.push_back(&stats);
    }
    return ancestors(candidates, std::move(parents));
}

bool importable(const CandidateStats& stats) {
    if (!stats.open() || stats.known->in_flight || !stats.own.empty()) return false;
    bool scored_elsewhere = std::isfinite(mean_score(stats.foreign, RunStatus::done));
    return stats.known->kept || (stats.known->seed && scored_elsewhere);
}

}  // namespace

double mean_score(const std::vector<const Trial*>& trials, RunStatus status) {
    double sum = 0;
    int count = 0;
    for (const Trial* trial : trials) {
        if (trial->status == status) sum += trial->score, ++count;
    }
    return count > 0 ? sum / count : std::numeric_limits<double>::infinity();
}

Ids ancestors(const CandidateTable& candidates, std::vector<const CandidateStats*> open) {
    Ids found;
    while (!open.empty()) {
        const CandidateStats* next = open.back();
        open.pop_back();
        if (next == nullptr || next->known == nullptr) continue;
        for (const std::string& parent : next->known->parents) {
            if (found.insert(parent).second) open.push_back(candidates.find(parent));
        }
    }
    return found;
}

std::vector<const CandidateStats*> ranked_imports(const CandidateTable& candidates, double incumbent) {
    std::unordered_set<std::string_view> improved;  // has a kept child
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.known == nullptr || !stats.known->kept) continue;
        for (const std::string& parent : stats.known->parents) improved.insert(parent);
    }
    struct Rank {
        const CandidateStats* stats;
        int group;
        double score;
    };
    const Ids outgrown = outgrown_here(candidates);
    std::vector<Rank> ranks;
    for (const CandidateStats& stats : candidates.all()) {
        if (!importable(stats) || outgrown.contains(stats.known->candidate.id)) continue;
        double score = mean_score(stats.foreign, RunStatus::done);
        bool tip = !improved.contains(stats.known->candidate.id);
        int group = score < incumbent ? 0 : stats.tried() ? 3 : tip ? 1 : 2;
        ranks.push_back({&stats, group, group == 0 || group == 3 ? score : -static_cast<double>(ranks.size())});
    }
    std::ranges::stable_sort(
        ranks, [](const Rank& a, const Rank& b) { return a.group != b.group ? a.group < b.group : a.score < b.score; });
    std::vector<const CandidateStats*> imports;
    for (const Rank& rank : ranks) imports.push_back(rank.stats);
    return imports;
}

const CandidateStats& most_promising(const std::vector<const CandidateStats*>& imports, const Surrogate* model) {
    if (model == nullptr) return *imports.front();
    const CandidateStats* best = nullptr;
    double highest = 0;
    std::size_t ranked = 0;
    std::unordered_map<std::string_view, std::size_t> of_writer;
    for (const CandidateStats* import : imports) {
        if (++of_writer[writer_of(*import)] > kMostOfWriter) continue;
        if (++ranked > kMostRanked) break;
        const double acquisition = model->acquisition(import->known->candidate.genes);
        if (best == nullptr || acquisition > highest) highest = acquisition, best = import;
    }
    return *best;
}

}  // namespace cultivar
