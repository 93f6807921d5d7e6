#include "benchmarks/lm/subject.h"

#include <cmath>

#include "benchmarks/common/timing.h"
#include "train/lm/loop/scorer.h"
#include "train/lm/model/split_mix.h"
#include "train/lm/ops/parallel_lanes.h"

namespace cultivar {
namespace {

constexpr std::int64_t kScoringBatches = 4;  // per lane and round
constexpr std::int64_t kCheckRows = 2;

// The fraction of 43758.5453 * sin(12.9898 * i + number of the tensor), spread over +-amplitude.
std::vector<float> noise_for(const Layout& layout) {
    std::vector<float> values(static_cast<std::size_t>(layout.size));
    double number = 0;
    for (const TensorPlace& place : layout.tensors) {
        const double amplitude = place.control() ? 1.2 : std::sqrt(3.0 / static_cast<double>(place.shape.back()));
        for (std::int64_t i = 0; i < place.size; ++i) {
            const double noise = 43758.5453 * std::sin(12.9898 * static_cast<double>(i) + number);
            values[static_cast<std::size_t>(place.begin + i)] =
                static_cast<float>(amplitude * (2 * (noise - std::floor(noise)) - 1));
        }
        ++number;
    }
    return values;
}

}  // namespace

Subject::Subject(const LmConfig& config, at::Device device)
    : stepper_(config, device),
      model_(config.model, 1, ops_for(device), device),
      tokens_(static_cast<std::size_t>(stepper_.plan().tokens + 1)) {
    SplitMix random(1);
    for (std::int64_t& token : tokens_) {
        token = static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(config.model.vocabulary));
    }
    stepper_.start(1);
    model_.initialise(1);
    training_step();  // warms up: page faults and the libraries' start-up
}

void Subject::training_step() {
    stepper_.begin(0, 1);
    stepper_.accumulate(tokens_, stepper_.plan().batches, [] { return false; });
    stepper_.loss();  // waits for the device, as each step of a run does
    stepper_.update(steps_++, 0, 1);
}

double Subject::training_tokens_per_s(double seconds) {
    return static_cast<double>(stepper_.plan().tokens) * rate(seconds, [&] { training_step(); });
}

double Subject::scoring_tokens_per_s(double seconds) {
    const std::int64_t size = score_batch_targets(model_.config());
    const std::int64_t lanes = model_.values().is_cpu() ? at::get_num_threads() : 1;
    std::vector<std::int64_t> ids(static_cast<std::size_t>(size + 1));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = tokens_[i % tokens_.size()];
    const double rounds_per_s = rate(seconds, [&] {
        run_lanes(lanes, [&](std::int64_t) {
            std::vector<float> losses(static_cast<std::size_t>(size));
            for (std::int64_t batch = 0; batch < kScoringBatches; ++batch) model_.target_losses(ids, losses);
        });
    });
    return static_cast<double>(lanes * kScoringBatches * size) * rounds_per_s;
}

std::vector<double> first_losses(const LmConfig& config, at::Device device, int steps) {
    Model model(config.model, 1, ops_for(device), device);
    Optimizer optimizer(model, config.optim);
    model.set_values(noise_for(model.layout()));
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(kCheckRows * config.model.seq_len + 1));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        tokens[i] = static_cast<std::int64_t>(7 * i * i + 3 * i + 1) % config.model.vocabulary;
    }
    const double count = static_cast<double>(tokens.size() - 1);
    std::vector<double> losses;
    for (int step = 0; step < steps; ++step) {
        losses.push_back(model.accumulate(0, tokens, 1 / count) / count);
        optimizer.step({step, 1, 0});
    }
    return losses;
}

}  // namespace cultivar
