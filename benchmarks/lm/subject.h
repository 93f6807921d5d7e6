// Our side of the comparison: training steps and scoring as the worker does them, on made-up tokens.
#pragma once

#include <vector>

#include "train/lm/loop/stepper.h"
#include "train/lm/model/model.h"
#include "train/lm/model/optimizer.h"

namespace cultivar {

class Subject {
public:
    Subject(const LmConfig& config, at::Device device);

    double training_tokens_per_s(double seconds);
    double scoring_tokens_per_s(double seconds);

    std::int64_t parameters() const { return stepper_.layout().size; }

private:
    void training_step();

    Stepper stepper_;
    Model model_;                       // for scoring
    std::vector<std::int64_t> tokens_;  // the tokens of one step, and one more
    std::int64_t steps_ = 0;
};

// Returns the mean losses before each of the first `steps` steps. Start and tokens need no file, and peer.py makes the
// same: two rows per step.
std::vector<double> first_losses(const LmConfig& config, at::Device device, int steps);

}  // namespace cultivar
