// A model in training, one step at a time: a step's tokens cut into micro-batches, taken in turn by lanes, one update.
//
// Which lane takes which micro-batch, and in which order sums are made, follows from the configuration and the number of
// threads alone. So does every bit of the result: with the same tokens and times, on the same machine, and whether or
// not the step was paused between micro-batches and gone on with in another process. Another number of threads adds the
// same gradients up in another order.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "train/lm/checkpoint.h"
#include "train/lm/model.h"
#include "train/lm/optimizer.h"

namespace cultivar {

// How a step is cut up: micro-batches of whole rows, taken in turn by the lanes.
struct StepPlan {
    std::int64_t tokens;        // of a step
    std::int64_t micro_tokens;  // of a micro-batch; the last one may be smaller
    std::int64_t batches;       // micro-batches of a step
    std::int64_t lanes;

    explicit StepPlan(const LmConfig& config);
    // Tokens of a step's micro-batch and the one after them.
    std::span<const std::int64_t> micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const;
};

class Stepper {
public:
    explicit Stepper(const LmConfig& config);

    const StepPlan& plan() const { return plan_; }
    const Layout& layout() const { return model_.layout(); }
    std::span<const float> values() { return model_.value_floats(); }

    // The seed's weights, nothing learnt, no step begun.
    void start(std::uint64_t seed);

    // Goes on with the step of these tokens (and one more) up to micro-batch `batches`, until `pause` says so: lanes ask
    // it, side by side, after each micro-batch. True when all are done.
    bool accumulate(std::span<const std::int64_t> tokens, std::int64_t batches, const std::function<bool()>& pause);
    void abandon();       // forgets what the step has gathered
    double loss() const;  // nats a token, of a step whose micro-batches are done

    // Ends the step, the `step`-th from 0, with the rates of `before_s` seconds into the budget.
    void update(std::int64_t step, double before_s, double budget_s);

    // What a checkpoint keeps: between steps, and within one what the lanes have gathered so far.
    FloatBuffers state();
    FloatBuffers lane_gradients();
    std::vector<LaneProgress>& lanes() { return lanes_; }

private:
    StepPlan plan_;
    ScheduleConfig schedule_;
    Model model_;
    Optimizer optimizer_;
    std::vector<LaneProgress> lanes_;
};

}  // namespace cultivar
