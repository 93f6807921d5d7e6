// Measures the cost of the first three tiers for a claim of 600 s, in processor seconds, which do not depend on the
// machine's load. It makes no run of 600 s: replays of two lengths on the real worker give the time per step and hence
// the number of steps in 600 s on all threads. The worker then scores a model of that size, trained for two steps, and
// replays as many steps as `cultivar verify` would request.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

struct CostRequest {
    std::string worker;          // cultivar-lm
    std::string corpus;          // text, at least 6 MB
    std::string seed = "small";  // of lm_seeds()
    double claim_s = 600;
    int threads = 2;
};

struct PartCost {
    double wall_s = 0, cpu_s = 0;
    int count = 0;  // chunks or steps
};

struct ClaimCost {
    double step_cpu_s = 0, start_cpu_s = 0;
    std::int64_t steps = 0, parameters = 0, slice_targets = 0;
    double claim_s = 0;  // including start-up and scoring
    double structure_s = 0;
    PartCost slice, hold_out, replay, whole_slice, full_set;
    double deviation = 0;  // between two replays
};

// Errors: those of the import and the worker.
Result<ClaimCost> measure_cost(const CostRequest& request);

}  // namespace cultivar
