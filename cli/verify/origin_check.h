// Beside the tiers: is a claim a find of its writer's own? Two other ways to come by a good score are to take the weights of
// another's run (eval/judge/profile_match.h) and to give another's candidate a new name (pool/rules/same_candidate.h).
#pragma once

#include "cli/verify/claim_queue.h"

namespace cultivar {

struct Origin {
    std::string same_as{};     // it is a candidate that another key claimed before; "": it is not
    std::string taken_from{};  // its weights are too near another run's; "": they are not
};

// `sums`: of the claim's weights, measured here on these chunks, in nats. Reads up to 320 records. Errors: those of the
// index.
Result<Origin> origin_of(Session& session, const QueuedClaim& one, const std::vector<int>& chunks,
                         const std::vector<double>& sums);

}  // namespace cultivar
