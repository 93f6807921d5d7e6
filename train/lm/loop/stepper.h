// A model in training, one step at a time: a step's tokens cut into micro-batches, taken in turn by lanes, one update.
//
// Which lane takes which micro-batch, and in which order sums are made, follows from the configuration and the number of
// threads alone. So does every bit of the result: with the same tokens and times, on the same machine, and whether or
// not the step was paused between micro-batches and gone on with in another process. Another number of threads adds the
// same gradients up in another order.
//
// In the last `qat_share` of the budget the micro-batches see the weights as the artifact will have them (quantised, the
// gradients going straight through to the exact ones).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "train/lm/loop/checkpoint.h"
#include "train/lm/model/model.h"
#include "train/lm/model/optimizer.h"

namespace cultivar {

// How a step is cut up: micro-batches of whole rows, taken in turn by the lanes.
struct StepPlan {
    std::int64_t tokens;        // of a step
    std::int64_t micro_tokens;  // of a micro-batch; the last one may be smaller
    std::int64_t batches;       // micro-batches of a step
    std::int64_t lanes;

    explicit StepPlan(const LmConfig& config, at::Device device = at::kCPU);
    // Tokens of a step's micro-batch and the one after them.
    std::span<const std::int64_t> micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const;
};

class Stepper {
public:
    explicit Stepper(const LmConfig& config, at::Device device = at::kCPU);

    const StepPlan& plan() const { return plan_; }
    const Layout& layout() const { return model_.layout(); }
    std::vector<float> result() const;  // the weights that the run is for

    // The seed's weights, nothing learnt, no step begun.
    void start(std::uint64_t seed);

    // Before the first micro-batch of a step that begins `before_s` into the budget, also one gone on with.
    void begin(double before_s, double budget_s);
    // Goes on with the step of these tokens (and one more) up to micro-batch `batches`, until `pause` says so: lanes ask
    // it, side by side, after each micro-batch. True when all are done.
    bool accumulate(std::span<const std::int64_t> tokens, std::int64_t batches, const std::function<bool()>& pause);
    void abandon();       // forgets what the step has gathered
    double loss() const;  // nats a token, of a step whose micro-batches are done

    // Ends the step, the `step`-th from 0, with the rates of `before_s` seconds into the budget.
    void update(std::int64_t step, double before_s, double budget_s);

    // What a checkpoint keeps: the state, of state_floats() floats, and within a step what each lane has gathered. Valid
    // until the next step; whoever has written into them says so.
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
    at::Tensor exact_;  // the weights that are trained, where the model's may be quantised; else undefined
    std::vector<std::pair<at::Tensor, at::Tensor>> staged_;  // state and its copy in the host's memory, or itself
    std::vector<LaneProgress> lanes_;
};

}  // namespace cultivar
