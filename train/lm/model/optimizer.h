// The optimizers of Parameter Golf's baseline, and their variants, over the model's flat buffers.
//
// Muon (Jordan et al. 2024) for the blocks' matrices: buffer <- momentum * buffer + g; update = the orthogonal factor
// of g + momentum * buffer (Nesterov) by Newton-Schulz iterations, times sqrt(max(1, rows / columns)); or AdamW
// (Loshchilov, Hutter 2019). Adam (Kingma, Ba 2015) for the rest. All in fp32. Decay is decoupled: w -= rate * decay *
// w before the update; gains, scales and mixes have none.
//
// Averages of the weights: "ema" keeps `ema_decay` of the average at each step, but counts the first steps equally;
// "swa" is the mean of the weights after each step of the last `swa_share` of the budget, and the current weights
// before that.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "train/lm/model/model.h"
#include "train/lm/ops/weight_updates.h"

namespace cultivar {

// The moment of a step, on which rates, momentum and averages depend.
struct StepMoment {
    std::int64_t step = 0;    // from 0
    double multiplier = 1;    // the schedule's factor of all rates
    double budget_share = 0;  // share of the budget that had passed when the step's rates were set
};

class Optimizer {
public:
    Optimizer(Model& model, const OptimConfig& config);

    // Makes one step from the model's gathered gradients: clips them if configured, and clears them afterwards.
    // Newton-Schulz dominates the cost; see train/lm/kernels/newton_schulz.h.
    void step(const StepMoment& moment);

    // The final weights: the model's, or their average.
    const at::Tensor& result() const { return averages_.defined() ? averages_ : model_.values(); }

    // The state for a checkpoint, all of it floats: arrays of the model's size, and a count.
    const at::Tensor& first_moments() const { return first_; }    // Muon's momentum and Adam's mean
    const at::Tensor& second_moments() const { return second_; }  // Adam's mean square; unused by Muon
    const at::Tensor& averages() const { return averages_; }      // undefined without averaging
    std::span<float> averaged_steps() { return {&averaged_steps_, 1}; }

private:
    struct Piece {  // a range of the flat arrays, updated by one thread
        std::int64_t begin, size;
        std::int64_t rows, columns;  // of a matrix for Muon; 0 for Adam
        Group group;
    };

    void cut_up();
    double clip_factor() const;
    void update(const Piece& piece, const StepMoment& moment, double factor) const;
    void average(const StepMoment& moment);
    double rate_of(Group group) const;
    double decay_of(Group group) const;

    Model& model_;
    OptimConfig config_;
    const Updates& updates_;
    std::vector<Piece> pieces_;  // the costliest first
    at::Tensor first_, second_, averages_;
    float averaged_steps_ = 0;  // exact up to 2^24
};

}  // namespace cultivar
