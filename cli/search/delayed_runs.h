// The recorded runs of this clone that waited for the grid or the machine, in <state>/delayed.jsonl, a line each:
// {"run":ID,"delays":[[UNIX SECONDS,SECONDS],...]}. Records lack it: when somebody uses a machine is nobody else's business.
#pragma once

#include <string>
#include <vector>

#include "energy/when/delay.h"
#include "pool/util/result.h"

namespace cultivar {

struct DelayedRun {
    std::string id;  // the record's
    Delays delays;
};

inline constexpr std::size_t kMostDelayedRuns = 2'000;  // the newest

// Errors: io.
Result<void> add_delayed_run(const std::string& state_dir, const DelayedRun& run);
// Oldest first; lines that cannot be read are left out.
std::vector<DelayedRun> read_delayed_runs(const std::string& state_dir);

}  // namespace cultivar
