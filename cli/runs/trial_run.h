// One run of the pool's command for its user to look at: watched in its sandbox, in a folder of its own, and recorded nowhere.
#pragma once

#include <functional>
#include <string>

#include "cli/session/session.h"
#include "pool/util/clock.h"
#include "train/launch/trainer_process.h"

namespace cultivar {

struct TrialRun {
    std::string candidate, seed;  // whose genes: an id, and the name of the seed ("": the space's defaults)
    Outcome outcome;
};

// With the genes of main's first seed, for the pool's budget. Errors: usage (the pool has no command), not_found (not
// trusted, no such program), io, git.
Result<TrialRun> try_command(const Session& session, const Clock& clock, const std::function<bool()>& should_stop);

}  // namespace cultivar
