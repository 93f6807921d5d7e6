#include "train/lm/config/cap_check.h"

#include "train/lm/config/tensor_layout.h"

namespace cultivar {

Outcome<void> check_caps(const UseCost& caps, const ModelConfig& config) {
    UseCost cost;
    cost.parameters = make_layout(config).size;
    cost.forward_flops_per_token = config.forward_flops_per_token();
    if (auto over = over_cap(cost, caps)) return fail(ErrorEvent{"unfit", *over});
    return {};
}

}  // namespace cultivar
