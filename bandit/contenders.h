// Where every candidate stands in one category: a History folded once, candidate by candidate.
//
// "Own" runs are this clone's or accepted by a verdict; only they make parents, noise and judgements. Foreign runs that
// nobody verified are kept apart: they inform the models at a discount and say what is worth importing. Candidates that
// a verdict rejected do not appear at all. Pointers live as long as the History. Building costs O(candidates + trials).
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bandit/history.h"
#include "pool/short_id.h"

namespace cultivar {

struct Contender {
    const Known* known = nullptr;        // null: the history has its trials, but not its genes
    std::vector<double> scores;          // own runs that were done, oldest first
    double mean = 0;                     // of scores; 0 if there are none
    std::vector<const Trial*> own;       // own runs of any status, oldest first
    std::vector<const Trial*> foreign;   // the others
    Decision decision = Decision::none;  // the newest of own that decided something or left it open
    int children = 0;                    // known candidates that name it as a parent, in flight included

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

class Contenders {
public:
    explicit Contenders(const History& history);

    // Null: nothing is known of it, or a verdict rejected it.
    const Contender* find(std::string_view candidate) const;
    // Is anything known of it, be it that it was rejected?
    bool knows(std::string_view candidate) const { return by_id_.contains(candidate) || rejected_.contains(candidate); }
    const std::vector<Contender>& all() const { return all_; }  // in the order they became known
    const Contender* best() const;                              // of all, by own mean score; null where none has one
    // The best of these parents by own mean score; null where none was scored here.
    const Contender* best_of(const std::vector<std::string>& candidates) const;

private:
    std::vector<Contender> all_;
    std::unordered_map<std::string_view, std::size_t> by_id_;
    std::unordered_set<std::string_view> rejected_;
};

}  // namespace cultivar
