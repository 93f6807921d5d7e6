#include "bandit/history/candidate_stats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace cultivar {

namespace {

// Ids are hexadecimal digits of a digest, so any sixteen of them serve as a hash.
std::uint64_t hash_of(std::string_view id) {
    std::uint64_t digits[2] = {0, 0};
    std::memcpy(digits, id.data(), std::min(id.size(), sizeof digits));
    return (digits[0] * 0x9e3779b97f4a7c15ULL) ^ (digits[1] * 0xc2b2ae3d27d4eb4fULL);
}

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }

}  // namespace

int CandidateStats::failures() const {
    return static_cast<int>(
        std::ranges::count_if(own, [](const Trial* trial) { return trial->status == RunStatus::failed; }));
}

Places::Places(std::size_t expected) : slots_(std::bit_ceil(2 * expected + 2)) { entries_.reserve(expected); }

std::size_t Places::slot_of(std::string_view id, std::uint64_t hash) const {
    const std::size_t last = slots_.size() - 1;
    for (std::size_t slot = (hash >> 32) & last;; slot = (slot + 1) & last) {
        const auto& [tag, entry] = slots_[slot];
        if (entry == kFree || (tag == tag_of(hash) && entries_[entry].id == id)) return slot;
    }
}

std::size_t Places::find(std::string_view id) const {
    const std::uint32_t entry = slots_[slot_of(id, hash_of(id))].entry;
    return entry == kFree ? kNone : entries_[entry].place;
}

std::size_t Places::enter(std::string_view id, std::size_t place) {
    const std::uint64_t hash = hash_of(id);
    std::size_t slot = slot_of(id, hash);
    if (slots_[slot].entry != kFree) return entries_[slots_[slot].entry].place;
    if (2 * (entries_.size() + 1) > slots_.size()) {
        slots_.assign(2 * slots_.size(), {});
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const std::uint64_t old = hash_of(entries_[i].id);
            slots_[slot_of(entries_[i].id, old)] = {tag_of(old), static_cast<std::uint32_t>(i)};
        }
        slot = slot_of(id, hash);
    }
    slots_[slot] = {tag_of(hash), static_cast<std::uint32_t>(entries_.size())};
    entries_.push_back({id, place});
    return place;
}

CandidateTable::CandidateTable(const History& history) : history_(history), places_(history.candidates.size()) {
    all_.reserve(history.candidates.size());
    for (const KnownCandidate& known : history.candidates) {
        const std::size_t place = known.rejected ? Places::kRejected : all_.size();
        if (places_.enter(known.candidate.id, place) == all_.size()) all_.emplace_back().known = &known;
    }
    of_trial_.reserve(history.trials.size());
    std::size_t next = 0;  // most candidates ran first in the order in which they became known
    for (const Trial& trial : history.trials) {
        const bool expected =
            next < all_.size() && all_[next].known != nullptr && all_[next].known->candidate.id == trial.candidate;
        const std::size_t place = expected ? next : places_.enter(trial.candidate, all_.size());
        if (place < all_.size()) next = std::max(next, place + 1);
        of_trial_.push_back(place);
        if (place == Places::kRejected) continue;
        if (place == all_.size()) all_.emplace_back();
        CandidateStats& stats = all_[place];
        (trial.trusted ? stats.own : stats.foreign).push_back(&trial);
        follow_source(stats, trial);
        if (!trial.trusted) continue;
        if (trial.status == RunStatus::done && std::isfinite(trial.score)) stats.scores.push_back(trial.score);
    }
    for (const Trial& trial : history.elsewhere) {
        const std::size_t place = places_.find(trial.candidate);
        if (place < all_.size()) all_[place].elsewhere.push_back(&trial);
    }
    for (const CandidateStats& child : all_) {
        if (child.known == nullptr || (child.own.empty() && !child.foreign.empty() && !child.known->in_flight))
            continue;
        if (child.only_failed() && !child.known->in_flight) continue;
        for (const std::string& parent : child.known->parents) {
            const std::size_t place = places_.find(parent);
            if (place < all_.size()) ++all_[place].children;
        }
    }
    for (CandidateStats& stats : all_) {
        if (stats.known != nullptr) stats.source_failures = source_failures(stats.known->candidate.files);
        settle(stats);
    }
}

// A run that somebody else claims to have made says nothing of what the source does here.
void CandidateTable::follow_source(const CandidateStats& stats, const Trial& trial) {
    if (!trial.trusted || trial.claimed || stats.known == nullptr || stats.known->candidate.files.empty()) return;
    if (trial.status == RunStatus::failed) ++failed_in_a_row_[stats.known->candidate.files];
    if (trial.status == RunStatus::done || trial.status == RunStatus::stopped)
        failed_in_a_row_[stats.known->candidate.files] = 0;
}

int CandidateTable::source_failures(const SourceFiles& files) const {
    if (files.empty()) return 0;
    const auto found = failed_in_a_row_.find(files);
    return found == failed_in_a_row_.end() ? 0 : found->second;
}

// Sets decision and mean. A candidate without an own score stays without one, whatever verifiers know of it.
void CandidateTable::settle(CandidateStats& stats) {
    stats.decision = decision_of(stats.own);
    if (!stats.scored()) return;
    const bool fresh = stats.known != nullptr && !stats.known->fresh.empty();
    if (fresh) {
        stats.scores = stats.known->fresh;
        for (const Trial* trial : stats.own) {
            if (!trial->claimed && trial->status == RunStatus::done && std::isfinite(trial->score))
                stats.scores.push_back(trial->score);
        }
    }
    const std::vector<double>& counted = fresh ? stats.known->fresh : stats.scores;
    stats.mean = std::accumulate(counted.begin(), counted.end(), 0.0) / static_cast<double>(counted.size());
}

const CandidateStats* CandidateTable::find(std::string_view candidate) const { return at(places_.find(candidate)); }

const CandidateStats* CandidateTable::of(const Trial& trial) const {
    return at(of_trial_[static_cast<std::size_t>(&trial - history_.trials.data())]);
}

const CandidateStats* CandidateTable::best() const {
    const CandidateStats* best = nullptr;
    for (const CandidateStats& stats : all_) {
        if (stats.scored() && (best == nullptr || stats.mean < best->mean)) best = &stats;
    }
    return best;
}

const CandidateStats* CandidateTable::best_of(const std::vector<std::string>& candidates) const {
    const CandidateStats* best = nullptr;
    for (const std::string& candidate : candidates) {
        const CandidateStats* stats = find(candidate);
        if (stats == nullptr || !stats->scored()) continue;
        if (best == nullptr || stats->mean < best->mean) best = stats;
    }
    return best;
}

}  // namespace cultivar
