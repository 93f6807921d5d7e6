// Where every candidate stands in one category: a History folded once, candidate by candidate.
//
// "Own" runs are this clone's or accepted by a verdict; only they make parents, noise and judgements. Foreign runs that
// nobody verified are kept apart, as are those of other categories: they are what others say (bandit/sources) and what is
// worth importing. Candidates that a verdict rejected do not appear at all. Pointers live as long as the History.
// Building costs O(candidates + trials).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bandit/history/history.h"
#include "pool/util/short_id.h"

namespace cultivar {

struct CandidateStats {
    const KnownCandidate* known = nullptr;  // null: the history has its trials, but not its genes
    std::vector<double> scores;             // own runs that were done, oldest first
    double mean = 0;                        // of scores; 0 if there are none
    std::vector<const Trial*> own;          // own runs of any status, oldest first
    std::vector<const Trial*> foreign;      // the others
    std::vector<const Trial*> elsewhere;    // of other categories, anybody's
    Decision decision = Decision::none;     // the newest of own that decided something or left it open
    int children = 0;  // known candidates that name it as a parent, in flight included; without those
                       // that only unverified runs of others speak for

    bool scored() const { return !scores.empty(); }
    int runs() const { return static_cast<int>(scores.size()); }
    bool tried() const { return !own.empty() || !foreign.empty(); }
    // May be run again or have children.
    bool open() const { return known != nullptr && !known->retired; }
    // May have children: kept here by own runs, or not settled yet.
    bool parent() const {
        return open() && scored() && (decision == Decision::kept || decision == Decision::undecided);
    }
};

// Places by id, in one block of memory: a plan asks for every candidate and trial of a pool.
class Places {
public:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1), kRejected = kNone - 1;

    explicit Places(std::size_t expected);
    std::size_t find(std::string_view id) const;
    // The place that this id has, or gets.
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
    // The slot that holds this id, or the free one that would.
    std::size_t slot_of(std::string_view id, std::uint64_t hash) const;

    std::vector<Slot> slots_;  // a power of two, at most half of them taken
    std::vector<Entry> entries_;
};

class CandidateStandings {
public:
    explicit CandidateStandings(const History& history);

    // Null: nothing is known of it, or a verdict rejected it.
    const CandidateStats* find(std::string_view candidate) const;
    // The same for one of the history's own trials, without a search.
    const CandidateStats* of(const Trial& trial) const;
    // Is anything known of it, be it that it was rejected?
    bool knows(std::string_view candidate) const { return places_.find(candidate) != Places::kNone; }
    const std::vector<CandidateStats>& all() const { return all_; }  // in the order they became known
    const CandidateStats* best() const;  // of all, by own mean score; null where none has one
    // The best of these parents by own mean score; null where none was scored here.
    const CandidateStats* best_of(const std::vector<std::string>& candidates) const;

private:
    std::vector<CandidateStats> all_;
    const CandidateStats* at(std::size_t place) const { return place < all_.size() ? &all_[place] : nullptr; }

    const History& history_;
    Places places_;                      // in all_
    std::vector<std::size_t> of_trial_;  // the same
};

}  // namespace cultivar
