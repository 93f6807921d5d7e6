// Hides the differences between libtorch 1.13 (Debian 12) and 2.x (Debian 13 and others). Files that use a name from
// here include this header.
#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>  // at::NoGradGuard: ATen/ATen.h of 2.x does not include it
#include <torch/version.h>

namespace cultivar {

// Switches bf16 matrix products on CUDA on or off for the calling thread. Off also drops the weights' bf16 copies.
inline void set_cuda_autocast(bool on) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_enabled(at::kCUDA, on);
    at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
#else
    at::autocast::set_enabled(on);
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
#endif
    if (!on) at::autocast::clear_cache();
}

inline constexpr bool kHasFusedAttention = TORCH_VERSION_MAJOR >= 2;

// softmax(q k^T / sqrt(D)) v with causal masking (a position sees itself and earlier ones); [B, H, T, D] each. Only if
// kHasFusedAttention.
inline at::Tensor fused_causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
#if TORCH_VERSION_MAJOR >= 2
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, true);
#else
    (void)k, (void)v;
    return q;
#endif
}

}  // namespace cultivar
