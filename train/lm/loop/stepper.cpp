#include "train/lm/loop/stepper.h"

#include <algorithm>

#include "train/lm/config/schedule.h"
#include "train/lm/model/quantize.h"
#include "train/lm/ops/parallel_lanes.h"

namespace cultivar {
namespace {

constexpr std::int64_t kCpuTokens = 1024;           // a layer's activations stay near a core's cache
constexpr std::int64_t kAcceleratorTokens = 65536;  // enough to fill it

}  // namespace

StepPlan::StepPlan(const LmConfig& config, at::Device device) : tokens(config.tokens_per_step) {
    const std::int64_t row = config.model.seq_len, rows = tokens / row;
    const std::int64_t workers = device.is_cpu() ? at::get_num_threads() : 1;
    const std::int64_t most = (device.is_cpu() ? kCpuTokens : kAcceleratorTokens) / row;
    micro_tokens = row * std::clamp<std::int64_t>(most, 1, (rows + workers - 1) / workers);
    batches = (tokens + micro_tokens - 1) / micro_tokens;
    lanes = std::min(workers, batches);
}

std::span<const std::int64_t> StepPlan::micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const {
    const std::int64_t begin = batch * micro_tokens, count = std::min(micro_tokens, tokens - begin);
    return step.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count + 1));
}

Stepper::Stepper(const LmConfig& config, at::Device device)
    : plan_(config, device),
      schedule_(config.schedule),
      artifact_(config.artifact),
      model_(config.model, plan_.lanes, ops_for(device), device),
      optimizer_(model_, config.optim),
      lanes_(static_cast<std::size_t>(plan_.lanes)) {
    if (artifact_.qat_share > 0) exact_ = at::zeros_like(model_.values());
}

void Stepper::start(std::uint64_t seed) {
    for (const at::Tensor& tensor : state_tensors()) at::Tensor(tensor).zero_();
    optimizer_.averaged_steps().front() = 0;
    model_.initialise(seed);
    if (exact_.defined()) exact_.copy_(model_.values());
    abandon();
}

void Stepper::abandon() {
    model_.clear_gradients();
    lanes_.assign(lanes_.size(), {});
}

std::vector<float> Stepper::result() const {
    std::vector<float> values(static_cast<std::size_t>(layout().size));
    at::from_blob(values.data(), {layout().size}, at::kFloat).copy_(optimizer_.result());
    return values;
}

void Stepper::begin(double before_s, double budget_s) {
    if (!exact_.defined()) return;
    model_.values().copy_(exact_);
    if (before_s < (1 - artifact_.qat_share) * budget_s) return;
    const at::Tensor seen = model_.values().to(at::kCPU);  // no copy if they are on the CPU
    const std::vector<TensorPlace>& tensors = layout().tensors;
    each_in_turn(static_cast<std::int64_t>(tensors.size()), [&](std::int64_t i) {
        const TensorPlace& place = tensors[static_cast<std::size_t>(i)];
        const std::span values(seen.data_ptr<float>() + place.begin, static_cast<std::size_t>(place.size));
        fake_quantize(place, artifact_, values, values);
    });
    model_.values().copy_(seen);
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
    if (exact_.defined()) model_.values().copy_(exact_);
    optimizer_.step({step, lr_multiplier(step, before_s, budget_s, schedule_), before_s / budget_s});
    if (exact_.defined()) exact_.copy_(model_.values());
    lanes_.assign(lanes_.size(), {});
}

std::vector<at::Tensor> Stepper::state_tensors() const {
    std::vector<at::Tensor> tensors{exact_.defined() ? exact_ : model_.values(), optimizer_.first_moments(),
                                    optimizer_.second_moments()};
    if (optimizer_.averages().defined()) tensors.push_back(optimizer_.averages());
    return tensors;
}

std::size_t Stepper::state_floats() const {
    return state_tensors().size() * static_cast<std::size_t>(layout().size) + 1;
}

FloatBuffers Stepper::checkpoint_floats(bool within_step) {
    std::vector<at::Tensor> tensors = state_tensors();
    for (std::int64_t lane = 0; within_step && lane < plan_.lanes; ++lane) {
        tensors.push_back(model_.lane_gradients(lane));
    }
    FloatBuffers floats{optimizer_.averaged_steps()};
    staged_.clear();
    for (const at::Tensor& tensor : tensors) {
        staged_.emplace_back(tensor, tensor.to(at::kCPU));
        floats.emplace_back(staged_.back().second.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()));
    }
    return floats;
}

void Stepper::checkpoint_floats_were_written() {
    for (const auto& [tensor, host] : staged_) {
        if (!host.is_same(tensor)) tensor.copy_(host);
    }
}

}  // namespace cultivar
