// What the first three tiers take of a claim of 600 s, in processor seconds, which a busy machine does not stretch. No run
// of 600 s is made: what a step takes is measured on the real worker, by replays of two lengths, and so is how many steps
// the claim would have made in 600 s on all threads; then the worker scores a model of that size, as trained in two
// steps, and replays as many steps, just as `cultivar verify` would have it do.
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
    double claim_s = 0;  // with start-up and scoring
    double structure_s = 0;
    PartCost slice, hold_out, replay, whole_slice, full_set;
    double deviation = 0;  // between two replays
};

// Errors: those of the import and the worker.
Result<ClaimCost> measure_cost(const CostRequest& request);

}  // namespace cultivar
