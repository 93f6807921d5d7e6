// The order of a queue of claims: fair between keys, since a name costs nothing and a boast neither.
//
//   first   claims that are not sound: judging them takes nothing
//   proven  keys with accepted claims of late and none rejected since (eval/judge/track_record.h)
//   unknown keys without either; they share a part of the time with the doubtful ones (AuditFunds)
//   doubtful keys whose last claim was rejected, last
//
// Within a class the claim comes first whose key will have had least of the verifiers' time once it is judged: a
// round-robin by key, in seconds. Of one key, the most valuable claim comes first. Claims of one candidate in one category
// come oldest first, so that nobody overtakes a find that waits by running it again.
#pragma once

#include "cli/verify/claim_queue.h"

namespace cultivar {

void order_claims(ClaimQueue& queue);

// The time that is left, for each class.
class AuditFunds {
public:
    AuditFunds(const VerificationBudget& share, double unproven_s) : share_(share), unproven_s_(unproven_s) {}

    enum class Fit {
        now,
        later,  // once there was more search
        never,  // it costs more than half of all the time that verification may ever take, as things are
    };
    Fit fit(KeyStanding standing, double cost_s) const;
    bool affords(KeyStanding standing, double cost_s) const { return cost_s <= left_s(standing); }
    // Counts the time of a verdict; `proven`: its key is in good standing now.
    void spend(double seconds, bool proven);

private:
    double all_s(KeyStanding standing) const;
    double left_s(KeyStanding standing) const;

    VerificationBudget share_;
    double unproven_s_;
};

}  // namespace cultivar
