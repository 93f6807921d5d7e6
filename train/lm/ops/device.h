// The devices that a run may be asked to use.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "train/lm/config/worker_error.h"

namespace cultivar {

// "cpu", "cuda" or "mps", if this libtorch and this machine have it. Errors: usage.
Outcome<at::Device> find_device(const std::string& name);

// What a device computes with while a pass through a model lasts: bf16 products on CUDA (autocast), fp32 elsewhere.
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
