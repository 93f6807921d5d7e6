// Where libtorch 1.13 (Debian 12) and 2.x (Debian 13 and elsewhere) differ: the one file that knows. Who uses what is
// named here includes this header.
#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>  // at::NoGradGuard: 2.x's ATen/ATen.h does not bring it
#include <torch/version.h>

namespace cultivar {

// On: matrix products on CUDA are bf16. Of the calling thread. Off also drops the weights' bf16 copies.
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

// softmax(q k^T / sqrt(D)) v, each position seeing itself and those before; [B, H, T, D] each. Only where
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
