#include "train/lm/ops/device.h"

#include <fmt/format.h>

#include "train/lm/ops/torch_compat.h"

namespace cultivar {

Outcome<at::Device> find_device(const std::string& name) {
    if (name == "cpu") return at::Device(at::kCPU);
    if (name == "cuda" && at::hasCUDA()) return at::Device(at::kCUDA, 0);
    if (name == "mps" && at::hasMPS()) return at::Device(at::kMPS, 0);
    return fail(ErrorEvent{"usage", fmt::format("this worker has no device '{}'", name)});
}

PassPrecision::PassPrecision(at::Device device) : lowered_(device.is_cuda()) {
    if (lowered_) set_cuda_autocast(true);
}

PassPrecision::~PassPrecision() {
    if (lowered_) set_cuda_autocast(false);
}

}  // namespace cultivar
