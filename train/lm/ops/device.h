// The devices that a run can use.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "train/lm/config/worker_error.h"

namespace cultivar {

// Finds the device "cpu", "cuda" or "mps", if this libtorch and this machine have it. Errors: usage.
Outcome<at::Device> find_device(const std::string& name);

// Sets the device's precision during a pass through a model: bf16 products on CUDA (autocast), fp32 elsewhere.
class PassPrecision {
public:
    explicit PassPrecision(at::Device device);
    ~PassPrecision();
    PassPrecision(const PassPrecision&) = delete;
    PassPrecision& operator=(const PassPrecision&) = delete;

private:
    bool lowered_;
};

}  // namespace cultivar
