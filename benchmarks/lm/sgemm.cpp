#include "benchmarks/lm/sgemm.h"

#include "benchmarks/common/timing.h"
#include "train/lm/ops/parallel_lanes.h"
#include "train/lm/ops/torch_compat.h"

namespace cultivar {

SgemmCeiling::SgemmCeiling(const LmConfig& config, at::Device device)
    : plan_(config, device), options_(at::device(device).dtype(device.is_cuda() ? at::kBFloat16 : at::kFloat)) {
    const ModelConfig& model = config.model;
    const std::int64_t d = model.width, hidden = model.hidden(), ways_in = model.mlp == Mlp::swiglu ? 2 : 1;
    const auto add = [&](std::int64_t outputs, std::int64_t inputs) {
        products_.push_back({outputs, inputs, at::randn({outputs, inputs}, options_)});
    };
    for (std::int64_t layer = 0; layer < model.layers; ++layer) {
        add(d + 2 * model.kv_width(), d);
        add(d, d);
        add(ways_in * hidden, d);
        add(d, hidden);
    }
    add(model.vocabulary, d);
}

std::vector<SgemmCeiling::Lane> SgemmCeiling::make_lanes(std::int64_t count, std::int64_t rows) const {
    std::vector<Lane> lanes(static_cast<std::size_t>(count));
    for (Lane& lane : lanes) {
        for (const Product& product : products_) {
            lane.inputs.push_back(at::randn({rows, product.inputs}, options_));
            lane.outputs.push_back(at::randn({rows, product.outputs}, options_));
            lane.weight_gradients.push_back(at::zeros({product.outputs, product.inputs}, options_));
        }
    }
    return lanes;
}

void SgemmCeiling::pass(Lane& lane) const {
    for (std::size_t i = 0; i < products_.size(); ++i) {
        at::mm_out(lane.outputs[i], lane.inputs[i], products_[i].weight.t());
    }
    for (std::size_t i = products_.size(); i-- > 0;) {
        at::mm_out(lane.inputs[i], lane.outputs[i], products_[i].weight);
        lane.weight_gradients[i].addmm_(lane.outputs[i].t(), lane.inputs[i]);
        lane.inputs[i].fill_(1e-3);  // otherwise the values would grow with each pass
    }
}

double SgemmCeiling::flops_per_s(bool side_by_side, double seconds) {
    const std::int64_t rows = side_by_side ? plan_.micro_tokens : plan_.micro_tokens * plan_.lanes;
    std::vector<Lane> lanes = make_lanes(side_by_side ? plan_.lanes : 1, rows);
    const auto count = static_cast<std::int64_t>(lanes.size());
    const auto pass_all = [&] {
        run_lanes(count, [&](std::int64_t lane) {
            const at::NoGradGuard no_gradients;  // a guard applies to its thread only
            pass(lanes[static_cast<std::size_t>(lane)]);
        });
        if (!options_.device().is_cpu()) lanes[0].weight_gradients[0][0][0].item();  // waits for the device
    };
    pass_all();
    const double passes_per_s = rate(seconds, pass_all);
    double flops = 0;
    for (const Product& product : products_) {
        flops += 6 * static_cast<double>(count * rows * product.outputs * product.inputs);
    }
    return flops * passes_per_s;
}

}  // namespace cultivar
