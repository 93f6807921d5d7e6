#include "train/lm/optimizer.h"

#include <algorithm>
#include <cmath>

#include "train/lm/lanes.h"
#include "train/lm/schedule.h"

namespace cultivar {
namespace {

constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
constexpr double kNormEpsilon = 1e-7;
constexpr double kAdamEpsilon = 1e-8;
constexpr double kClipEpsilon = 1e-6;

std::span<float> floats(at::Tensor& tensor) {
    return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

at::Tensor newton_schulz(const at::Tensor& matrix, std::int64_t iterations) {
    const bool tall = matrix.size(0) > matrix.size(1);
    at::Tensor x = (tall ? matrix.t() : matrix) / (matrix.norm() + kNormEpsilon);
    for (std::int64_t i = 0; i < iterations; ++i) {
        const at::Tensor a = at::mm(x, x.t());
        const at::Tensor b = at::addmm(a, a, a, kB, kC);
        x = at::addmm(x, b, x, kA, 1);
    }
    return tall ? x.t() : x;
}

Optimizer::Optimizer(Model& model, const OptimConfig& config)
    : model_(model),
      config_(config),
      first_(at::zeros({model.layout().size})),
      second_(at::zeros({model.layout().size})) {
    for (const TensorPlace& place : model.layout().tensors) {
        if (place.group == Group::matrix) matrices_.push_back(place);
    }
}

std::span<float> Optimizer::first_moment_floats() { return floats(first_); }
std::span<float> Optimizer::second_moment_floats() { return floats(second_); }

void Optimizer::step(std::int64_t step, double multiplier) {
    const at::NoGradGuard no_gradients;
    if (config_.grad_clip > 0) clip();
    const double momentum =
        muon_momentum_at(step, config_.muon_momentum_start, config_.muon_momentum, config_.muon_momentum_warmup_steps);
    const auto count = static_cast<std::int64_t>(matrices_.size()), lanes = lanes_for(count);
    run_lanes(lanes, [&](std::int64_t lane) {
        const at::NoGradGuard no_gradients_here;  // it is a property of the thread
        for (std::int64_t i = lane; i < count; i += lanes) {
            muon(matrices_[static_cast<std::size_t>(i)], momentum, multiplier);
        }
    });
    adam(Group::embedding, config_.embed_lr * multiplier, step);
    adam(Group::head, config_.head_lr * multiplier, step);
    adam(Group::scalar, config_.scalar_lr * multiplier, step);
    model_.clear_gradients();
}

void Optimizer::clip() {
    at::Tensor gradients = model_.gradients();
    const double norm = gradients.norm().item<double>();
    gradients.mul_(std::min(1.0, config_.grad_clip / (norm + kClipEpsilon)));
}

void Optimizer::muon(const TensorPlace& matrix, double momentum, double multiplier) {
    const auto view = [&](const at::Tensor& flat) {
        return flat.narrow(0, matrix.begin, matrix.size).view(matrix.shape);
    };
    const at::Tensor gradient = view(model_.gradients());
    const at::Tensor buffer = view(first_).mul_(momentum).add_(gradient);
    const at::Tensor update = newton_schulz(at::add(gradient, buffer, momentum), config_.muon_steps);
    const auto rows = static_cast<double>(matrix.shape[0]), columns = static_cast<double>(matrix.shape[1]);
    view(model_.values()).add_(update, -config_.matrix_lr * multiplier * std::sqrt(std::max(1.0, rows / columns)));
}

void Optimizer::adam(Group group, double rate, std::int64_t step) {
    const GroupRange range = group_range(model_.layout(), group);
    if (range.size == 0) return;
    const auto view = [&](const at::Tensor& flat) { return flat.narrow(0, range.begin, range.size); };
    const at::Tensor gradient = view(model_.gradients());
    const at::Tensor mean = view(first_).mul_(config_.beta1).add_(gradient, 1 - config_.beta1);
    const at::Tensor square = view(second_).mul_(config_.beta2).addcmul_(gradient, gradient, 1 - config_.beta2);
    const double steps = static_cast<double>(step + 1);
    const double mean_bias = 1 - std::pow(config_.beta1, steps);
    const double square_bias = 1 - std::pow(config_.beta2, steps);
    const at::Tensor spread = at::sqrt(square).div_(std::sqrt(square_bias)).add_(kAdamEpsilon);
    view(model_.values()).addcdiv_(mean, spread, -rate / mean_bias);
}

}  // namespace cultivar
