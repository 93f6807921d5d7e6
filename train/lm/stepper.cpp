#include "train/lm/stepper.h"

#include <algorithm>

#include "train/lm/lanes.h"
#include "train/lm/schedule.h"

namespace cultivar {
namespace {

constexpr std::int64_t kMicroBatchTokens = 1024;  // activations of a layer stay near the cache

}  // namespace

StepPlan::StepPlan(const LmConfig& config) : tokens(config.tokens_per_step) {
    const std::int64_t row = config.model.seq_len, rows = tokens / row, threads = at::get_num_threads();
    const std::int64_t per_thread = (rows + threads - 1) / threads;
    micro_tokens = row * std::clamp<std::int64_t>(kMicroBatchTokens / row, 1, per_thread);
    batches = (tokens + micro_tokens - 1) / micro_tokens;
    lanes = lanes_for(batches);
}

std::span<const std::int64_t> StepPlan::micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const {
    const std::int64_t begin = batch * micro_tokens, count = std::min(micro_tokens, tokens - begin);
    return step.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count + 1));
}

Stepper::Stepper(const LmConfig& config)
    : plan_(config),
      schedule_(config.schedule),
      model_(config.model, plan_.lanes),
      optimizer_(model_, config.optim),
      lanes_(static_cast<std::size_t>(plan_.lanes)) {}

void Stepper::start(std::uint64_t seed) {
    for (std::span<float> buffer : state()) std::fill(buffer.begin(), buffer.end(), 0.0F);
    model_.initialise(seed);
    abandon();
}

void Stepper::abandon() {
    model_.clear_gradients();
    lanes_.assign(lanes_.size(), {});
}

bool Stepper::accumulate(std::span<const std::int64_t> tokens, std::int64_t batches,
                         const std::function<bool()>& pause) {
    const double weight = 1.0 / static_cast<double>(plan_.tokens);
    const auto next = [&](std::int64_t lane) {
        return lane + lanes_[static_cast<std::size_t>(lane)].batches * plan_.lanes;
    };
    run_lanes(plan_.lanes, [&](std::int64_t lane) {
        LaneProgress& progress = lanes_[static_cast<std::size_t>(lane)];
        while (next(lane) < batches) {
            progress.loss_sum += model_.accumulate(lane, plan_.micro_batch(tokens, next(lane)), weight);
            ++progress.batches;
            if (pause()) break;
        }
    });
    for (std::int64_t lane = 0; lane < plan_.lanes; ++lane) {
        if (next(lane) < batches) return false;
    }
    return true;
}

double Stepper::loss() const {
    double sum = 0;
    for (const LaneProgress& lane : lanes_) sum += lane.loss_sum;
    return sum / static_cast<double>(plan_.tokens);
}

void Stepper::update(std::int64_t step, double before_s, double budget_s) {
    model_.gather_gradients();
    optimizer_.step(step, lr_multiplier(step, before_s, budget_s, schedule_));
    lanes_.assign(lanes_.size(), {});
}

FloatBuffers Stepper::state() {
    return {model_.value_floats(), optimizer_.first_moment_floats(), optimizer_.second_moment_floats()};
}

FloatBuffers Stepper::lane_gradients() {
    FloatBuffers gradients;
    for (std::int64_t lane = 0; lane < plan_.lanes; ++lane) gradients.push_back(model_.lane_gradient_floats(lane));
    return gradients;
}

}  // namespace cultivar
