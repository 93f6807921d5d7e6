// What the first three tiers take of a claim of 600 s: a real run of the built-in worker, shorter, from which the claim is
// scaled (its steps and tokens; a step takes what it took), scored again and replayed by the real worker as
// `cultivar verify` would do it.
#pragma once

#include <string>

#include "pool/result.h"

namespace cultivar {

struct CostRequest {
    std::string worker;          // cultivar-lm
    std::string corpus;          // text, at least 6 MB
    std::string seed = "small";  // of lm_seeds()
    double train_s = 20;         // what is really trained
    double claim_s = 600;        // what it stands for
    int threads = 2;
};

struct PartCost {
    double wall_s = 0, cpu_s = 0;
    int count = 0;  // chunks or steps
};

struct ClaimCost {
    double trained_s = 0;
    std::int64_t trained_steps = 0, parameters = 0, slice_targets = 0;
    double claim_s = 0;  // with start-up and scoring
    double structure_s = 0;
    PartCost slice, hold_out, replay, whole_slice, full_set;
    double deviation = 0;  // of the replay
};

// Errors: those of the import and the worker.
Result<ClaimCost> measure_cost(const CostRequest& request);

}  // namespace cultivar
