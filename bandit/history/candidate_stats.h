// Statistics of every candidate in one category, computed once from a History.
//
// "Own" runs are this clone's or accepted by a verdict. Only they make a candidate a parent, enter the noise estimate
// and judge. Unverified foreign runs and runs of other categories are kept apart: they are hints
// (bandit/model/hint_sources.h) and reasons to import. Rejected candidates do not appear. Pointers live
// as long as the History. Building costs O(candidates + trials).
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "bandit/history/history.h"
#include "pool/util/short_id.h"

namespace cultivar {

// So many failures, and no other end, are the candidate's own fault.
inline constexpr int kOwnFault = 2;

struct CandidateStats {
    const KnownCandidate* known = nullptr;  // null: the history has its trials, but not its genes
    // Of own runs with status done, oldest first. Where verifiers trained it with fresh seeds, those come first, and claimed
    // scores are left out.
    std::vector<double> scores;
    double mean = 0;                      // of scores, or of the fresh seeds alone; 0 if there are none
    std::vector<const Trial*> own;        // own runs of any status, oldest first
    std::vector<const Trial*> foreign;    // unverified runs of others in this category
    std::vector<const Trial*> elsewhere;  // runs in other categories, by any writer
    Decision decision = Decision::none;   // decision_of(own)
    // Known candidates that name it as a parent, in flight included; a child counts only if it has more than
    // unverified runs of others, and no longer once it only failed.
    int children = 0;
    // Of runs of this clone with its source files: so many of the newest failed in a row. 0 if it brings none.
    int source_failures = 0;

    // Own runs that failed.
    int failures() const;
    // It failed, and no own run of it ended in any other way: nothing is known of its score.
    bool only_failed() const { return !own.empty() && failures() == static_cast<int>(own.size()); }
    // It only failed, but too rarely to tell whether that is its own fault: it may be tried again.
    bool may_try_again() const { return only_failed() && failures() < kOwnFault; }

    bool scored() const { return !scores.empty(); }
    int runs() const { return static_cast<int>(scores.size()); }
    bool tried() const { return !own.empty() || !foreign.empty(); }
    // It may be run again or have children.
    bool open() const { return known != nullptr && !known->retired; }
    // It may have children: own runs kept it or have not settled it yet.
    bool parent() const {
        return open() && scored() && (decision == Decision::kept || decision == Decision::undecided);
    }
};

// Of the newest of these own runs, oldest first, that has one. A verdict confirms the score of a claimed run and not its
// writer's decision: that may keep a candidate, and puts no other decision off, or anybody could take the pool's best for a
// parent from all by running it once more.
template <typename Trials>
Decision decision_of(const Trials& trials) {
    Decision decision = Decision::none;
    for (const Trial* trial : trials) {
        const bool counts = !trial->claimed || trial->decision == Decision::kept ||
                            (trial->decision == Decision::undecided && decision == Decision::none);
        if (counts && trial->decision != Decision::none) decision = trial->decision;
    }
    return decision;
}

// A hash table from ids to positions in CandidateTable::all(), in one block of memory because a plan looks up every
// candidate and trial of a pool.
class Places {
public:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1), kRejected = kNone - 1;

    explicit Places(std::size_t expected);
    std::size_t find(std::string_view id) const;
    // Returns the place of this id; stores `place` if the id is new.
    std::size_t enter(std::string_view id, std::size_t place);

private:
    struct Entry {
        std::string_view id;
        std::size_t place;
    };
    struct Slot {
        std::uint32_t tag = 0, entry = kFree;
    };
    static constexpr std::uint32_t kFree = static_cast<std::uint32_t>(-1);
    // Returns the slot that holds this id, or the free slot for it.
    std::size_t slot_of(std::string_view id, std::uint64_t hash) const;

    std::vector<Slot> slots_;  // their number is a power of two; at most half of them are taken
    std::vector<Entry> entries_;
};

class CandidateTable {
public:
    explicit CandidateTable(const History& history);

    // Null if the candidate is unknown or a verdict rejected it.
    const CandidateStats* find(std::string_view candidate) const;
    // The same for one of the history's own trials, without a search.
    const CandidateStats* of(const Trial& trial) const;
    bool noiseless() const { return history_.noiseless; }
    // True also for a rejected candidate.
    bool knows(std::string_view candidate) const { return places_.find(candidate) != Places::kNone; }
    const std::vector<CandidateStats>& all() const { return all_; }  // in the order they became known
    const CandidateStats* best() const;  // the lowest own mean score of all; null if no candidate has a score
    // The best of these candidates by own mean score; null if none was scored here.
    const CandidateStats* best_of(const std::vector<std::string>& candidates) const;
    // As in CandidateStats, of any files.
    int source_failures(const SourceFiles& files) const;

private:
    void follow_source(const CandidateStats& stats, const Trial& trial);
    static void settle(CandidateStats& stats);

    std::vector<CandidateStats> all_;
    const CandidateStats* at(std::size_t place) const { return place < all_.size() ? &all_[place] : nullptr; }

    const History& history_;
    Places places_;  // indices into all_
    std::map<SourceFiles, int> failed_in_a_row_;
    std::vector<std::size_t> of_trial_;  // index into all_ of each trial of the history
};

}  // namespace cultivar
