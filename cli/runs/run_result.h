// The result of a run, before and after it is recorded.
#pragma once

#include <optional>
#include <string>

#include "pool/types/record.h"

namespace cultivar {

struct RunResult {
    bool stopped = false;                // by should_stop: a checkpoint was written, nothing is recorded
    std::string killed;                  // the signal that ended it for the first time: nothing is recorded, and the
                                         // plan waits to be tried again; one line
    Run run;                             // its decision and the reason for that are still open
    std::optional<std::string> weights;  // the artifact's bytes, of a scored run
    std::string output;                  // of a pool's command: the kept parts
};

// A recorded run.
struct ExploredRun {
    std::string id;  // the record's
    Run run;
    double sigma = 0;  // of the noise by which it was judged; 0: unknown
};

}  // namespace cultivar
