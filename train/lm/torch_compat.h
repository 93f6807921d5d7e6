// Where libtorch 1.13 (Debian 12) and 2.x (Debian 13 and elsewhere) differ: the one file that knows. Whoever uses what is
// named here includes this header.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>  // at::NoGradGuard: 2.x's ATen/ATen.h does not bring it
#include <torch/version.h>

#include <cmath>
#include <limits>

namespace cultivar {

// softmax(q k^T / sqrt(D)) v, each position seeing itself and those before; q, k, v [B, H, T, D]. Differentiable. From
// 2.0 on by torch's fused kernels, which never hold the T x T weights.
inline at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
#if TORCH_VERSION_MAJOR >= 2
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, true);
#else
    const std::int64_t tokens = q.size(2);
    const at::Tensor scores = at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
    const at::Tensor future =
        at::full({tokens, tokens}, -std::numeric_limits<float>::infinity(), scores.options()).triu(1);
    return at::matmul(at::softmax(scores + future, -1), v);
#endif
}

}  // namespace cultivar
