// Chooses the tiers of a claim's audit by its impact, its key's track record, and spot check.
//
// The rule follows BOINC's adaptive replication, which runs the results of a host twice until ten in a row were good,
// and from then on one in as many as were good; and fishtest, where nobody approves their own work and one bad result
// sends a worker's other results back for review.
//
//   structure  every claim
//   rescore    every claim: on chunks drawn for it, so that no accepted claim rests on a word alone
//   replay     every claim of a key with fewer than kProbation valid claims in a row, or of no key; of the others one
//              in n / kProbation by spot check, n being that count, and never less than one in 20. A rejected claim
//              makes n 0. eval/judge/track_record.h says which claims count.
//   in full    (every chunk, the full set, every run replayed, a fresh seed) a claim that would become the best of its
//              category, with as many fresh seeds as a record takes; a parent of kMuchUsed children or more; a claim
//              that is odd beside the rest of the pool; and by spot check, one replay in 20
//
// Track records belong to keys, since a name costs nothing; a new key starts at 0, so that making one gains nothing.
// The spot check is drawn from the operating system when the claim's turn has come: its writer cannot know it.
//
// All verification stays under the pool's share of the search of this clone, of the verifiers and of keys in good standing
// (Totals::paying_s): the figures of strangers pay for nothing. Both are counted in seconds, start-up and
// scoring included: every record has measured them, while joules are mostly estimated from them. Keys take turns
// (cli/verify/claim_order.h); a claim that no longer fits waits until there was more search. A rerun that does not fit
// is put off alone.
#pragma once

#include <cstdint>
#include <string>

#include "pool/types/audit.h"

namespace cultivar {

inline constexpr int kProbation = 10;
inline constexpr int kMuchUsed = 4;
inline constexpr double kLeastReplays = 0.05;  // of a key's claims, however many were valid
inline constexpr double kFullByLot = 0.05;     // of those replays

// The changes to the pool that a claim would bring.
struct ClaimImpact {
    bool best = false;  // better than everything accepted in its category
    double gain = 0;    // by how much, in the pool's metric; without anything accepted there, above a score of 0
    int children = 0;   // candidates that name it as a parent
    bool odd = false;   // beside the rest of the pool
};

// The history of the claim's key.
struct TrackRecord {
    bool known_key = false;  // signed by a key
    int valid_in_a_row = 0;  // that key's claims accepted since the last one rejected, by eval/judge/track_record.h
};

struct AuditPlan {
    PlannedAudit audit{};
    std::string why{};  // one line, for people
    bool cut = false;   // by a person, to less than is due: then nothing is accepted
};

double replay_chance(const TrackRecord& track_record);
// `lot` in [0, 1).
AuditPlan plan_for(const ClaimImpact& impact, const TrackRecord& track_record, double lot);
// That plan for a pool with a command of its own, where nothing is replayed: with an evaluator every artifact is scored
// again; without one a rerun is all there is.
AuditPlan plan_for_command(const AuditPlan& plan, bool evaluator);

// Does `a` come before `b`? Equal ones stay in their order.
bool more_valuable(const ClaimImpact& a, const ClaimImpact& b);

// The part of the time that claims of keys without a good standing may have used in all.
inline constexpr double kUnprovenPart = 0.5;
// Budgets of the pool that count as search from the beginning, so that a young pool can verify its first claims.
inline constexpr double kFirstBudgets = 4;

struct VerificationBudget {
    double search_s = 0, spent_s = 0, share = 0, first_s = 0;
    double allowed_s() const { return share * (first_s + search_s); }
    double left_s() const { return allowed_s() - spent_s; }
    double unproven_s() const { return share * (first_s + kUnprovenPart * search_s); }
};

// A claim that decided nothing `attempts` times, the last time at `last_s`, is tried again after an hour, then after two,
// four and so on, up to kLongestWait_s.
inline constexpr double kFirstWait_s = 3600, kLongestWait_s = 30 * 86400;
bool due_again(int attempts, std::int64_t last_s, std::int64_t now_s);

}  // namespace cultivar
