// The expected cost of an audit here, in seconds: by the speed that this clone measured in its own verdicts of the claim's
// category, never by the claim's words alone. Where nothing was measured yet, its words count within bounds that the
// category's budget sets, because only a stranger's record tells them.
#pragma once

#include <map>
#include <vector>

#include "cli/session/session.h"

namespace cultivar {

struct QueuedClaim;

class CostBook {
public:
    // One statement. Errors: those of the index.
    static Result<CostBook> of(Session& session);

    // Sets expected_s and rerun_s by the claim's plan. A claim that is not sound costs nothing.
    void estimate(const Task& task, bool hold_out, QueuedClaim& one) const;

private:
    struct Measured {
        std::vector<double> chunk_s, step_s;  // newest first
    };
    double chunk_s(const Task& task, const QueuedClaim& one, double targets) const;
    double replays_s(const QueuedClaim& one) const;

    std::map<std::string, Measured> by_category_{};
};

}  // namespace cultivar
