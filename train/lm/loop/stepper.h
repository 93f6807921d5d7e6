// Trains a model, one step at a time: lanes take a step's micro-batches in turn, then one update follows.
//
// Only the configuration and the number of threads decide which lane takes which micro-batch and in which order sums
// are made. With the same tokens and times on the same machine the result is therefore the same bit for bit, even if
// the step was interrupted between micro-batches and continued in another process. Another number of threads adds the
// same gradients in another order.
//
// In the last `qat_share` of the budget the micro-batches use the weights as the artifact will have them (quantised;
// the gradients pass straight through to the exact weights).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "train/lm/loop/checkpoint.h"
#include "train/lm/model/model.h"
#include "train/lm/model/optimizer.h"

namespace cultivar {

// The division of a step into micro-batches of whole rows, taken in turn by the lanes.
struct StepPlan {
    std::int64_t tokens;        // per step
    std::int64_t micro_tokens;  // per micro-batch; the last one may be smaller
    std::int64_t batches;       // micro-batches per step
    std::int64_t lanes;

    explicit StepPlan(const LmConfig& config, at::Device device = at::kCPU);
    // Returns the tokens of one micro-batch and the token after them.
    std::span<const std::int64_t> micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const;
};

class Stepper {
public:
    explicit Stepper(const LmConfig& config, at::Device device = at::kCPU);

    const StepPlan& plan() const { return plan_; }
    const Layout& layout() const { return model_.layout(); }
    std::vector<float> result() const;  // the final weights: the model's or their average

    // Sets the seed's initial weights, with no step begun.
    void start(std::uint64_t seed);

    // Call before the first micro-batch of a step that begins `before_s` into the budget, also when the step is
    // resumed.
    void begin(double before_s, double budget_s);
    // Continues the step of these tokens (one more than the step has) up to micro-batch `batches`, or until `pause`
    // returns true: each lane calls it after each micro-batch, at the same time as others. True when all micro-batches
    // are done.
    bool accumulate(std::span<const std::int64_t> tokens, std::int64_t batches, const std::function<bool()>& pause);
    void abandon();       // discards the step's gradients
    double loss() const;  // nats per token, of a step with all micro-batches done

    // Ends the step, the `step`-th from 0, with the rates for `before_s` seconds into the budget.
    void update(std::int64_t step, double before_s, double budget_s);

    // The floats that a checkpoint keeps: the state, of state_floats() floats, and within a step each lane's gradients.
    // Valid until the next step. Call checkpoint_floats_were_written() after writing to them.
    std::size_t state_floats() const;
    FloatBuffers checkpoint_floats(bool within_step);
    void checkpoint_floats_were_written();
    std::vector<LaneProgress>& lanes() { return lanes_; }

private:
    std::vector<at::Tensor> state_tensors() const;

    StepPlan plan_;
    ScheduleConfig schedule_;
    ArtifactConfig artifact_;
    Model model_;
    Optimizer optimizer_;
    at::Tensor exact_;  // the exact weights, if the model's may be quantised; else undefined
    std::vector<std::pair<at::Tensor, at::Tensor>>
        staged_;  // state and its copy in host memory; on the CPU both are the same
    std::vector<LaneProgress> lanes_;
};

}  // namespace cultivar
