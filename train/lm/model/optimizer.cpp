#include "train/lm/model/optimizer.h"

#include <algorithm>
#include <cmath>

#include "train/lm/config/schedule.h"
#include "train/lm/ops/parallel_lanes.h"
#include "train/lm/ops/torch_compat.h"

namespace cultivar {
namespace {

constexpr double kClipEpsilon = 1e-6;
constexpr std::int64_t kPieceFloats = 1 << 16;

at::Tensor part(const at::Tensor& flat, std::int64_t begin, std::int64_t size) { return flat.narrow(0, begin, size); }

}  // namespace

Optimizer::Optimizer(Model& model, const OptimConfig& config)
    : model_(model),
      config_(config),
      updates_(model.updates()),
      first_(at::zeros_like(model.values())),
      second_(at::zeros_like(model.values())) {
    if (config.averaging != Averaging::none) averages_ = at::zeros_like(model.values());
    cut_up();
}

void Optimizer::cut_up() {
    for (const TensorPlace& place : model_.layout().tensors) {
        if (place.group == Group::matrix && config_.method == Method::muon) {
            pieces_.push_back({place.begin, place.size, place.shape[0], place.shape[1], place.group});
            continue;
        }
        for (std::int64_t begin = 0; begin < place.size; begin += kPieceFloats) {
            pieces_.push_back({place.begin + begin, std::min(kPieceFloats, place.size - begin), 0, 0, place.group});
        }
    }
    const auto cost = [](const Piece& piece) { return piece.size * std::max<std::int64_t>(piece.rows, 1); };
    std::stable_sort(pieces_.begin(), pieces_.end(), [&](const Piece& a, const Piece& b) { return cost(a) > cost(b); });
}

void Optimizer::step(const StepMoment& moment) {
    const at::NoGradGuard no_gradients;
    const double factor = clip_factor();
    each_in_turn(static_cast<std::int64_t>(pieces_.size()), [&](std::int64_t i) {
        const at::NoGradGuard no_gradients_here;  // gradient mode is per thread
        update(pieces_[static_cast<std::size_t>(i)], moment, factor);
    });
    if (averages_.defined()) average(moment);
}

double Optimizer::clip_factor() const {
    if (config_.grad_clip <= 0) return 1;
    std::vector<double> squares(pieces_.size());
    each_in_turn(static_cast<std::int64_t>(pieces_.size()), [&](std::int64_t i) {
        const at::NoGradGuard no_gradients_here;
        const auto place = static_cast<std::size_t>(i);
        squares[place] = updates_.sum_of_squares(part(model_.gradients(), pieces_[place].begin, pieces_[place].size));
    });
    double sum = 0;
    for (double each : squares) sum += each;
    return std::min(1.0, config_.grad_clip / (std::sqrt(sum) + kClipEpsilon));
}

double Optimizer::rate_of(Group group) const {
    switch (group) {
        case Group::matrix:
            return config_.matrix_lr;
        case Group::embedding:
            return config_.embed_lr;
        case Group::head:
            return config_.head_lr;
        case Group::scalar:
            break;
    }
    return config_.scalar_lr;
}

double Optimizer::decay_of(Group group) const {
    if (group == Group::scalar) return 0;
    return group == Group::matrix ? config_.matrix_decay : config_.embed_decay;
}

void Optimizer::update(const Piece& piece, const StepMoment& moment, double factor) const {
    const at::Tensor gradient = part(model_.gradients(), piece.begin, piece.size);
    const at::Tensor first = part(first_, piece.begin, piece.size),
                     values = part(model_.values(), piece.begin, piece.size);
    const double rate = rate_of(piece.group) * moment.multiplier, keep = 1 - rate * decay_of(piece.group);
    if (piece.rows > 0) {
        const double momentum = muon_momentum_at(moment.step, config_.muon_momentum_start, config_.muon_momentum,
                                                 config_.muon_momentum_warmup_steps);
        const MuonStep step{rate, keep, momentum, factor, config_.muon_steps};
        return updates_.muon(step, piece.rows, piece.columns, gradient, first, values);
    }
    const auto steps = static_cast<double>(moment.step + 1);
    AdamStep step{};
    step.rate = static_cast<float>(rate / (1 - std::pow(config_.beta1, steps)));
    step.beta1 = static_cast<float>(config_.beta1);
    step.beta2 = static_cast<float>(config_.beta2);
    step.square_correction = static_cast<float>(1 / std::sqrt(1 - std::pow(config_.beta2, steps)));
    step.epsilon = static_cast<float>(config_.adam_eps);
    step.keep = static_cast<float>(keep);
    step.factor = static_cast<float>(factor);
    updates_.adam(step, gradient, first, part(second_, piece.begin, piece.size), values);
}

void Optimizer::average(const StepMoment& moment) {
    const bool early = config_.averaging == Averaging::swa && moment.budget_share < 1 - config_.swa_share;
    averaged_steps_ = early ? 0 : averaged_steps_ + 1;
    double share = early ? 1 : 1 / static_cast<double>(averaged_steps_);
    if (config_.averaging == Averaging::ema) share = std::max(share, 1 - config_.ema_decay);
    const std::int64_t size = averages_.numel();
    each_in_turn((size + kPieceFloats - 1) / kPieceFloats, [&](std::int64_t i) {
        const at::NoGradGuard no_gradients_here;
        const std::int64_t begin = i * kPieceFloats, count = std::min(kPieceFloats, size - begin);
        updates_.average(part(model_.values(), begin, count), share, part(averages_, begin, count));
    });
}

}  // namespace cultivar
