#include "train/lm/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "train/lm/kernels/gemm.h"
#include "train/lm/kernels/row_ops.h"
#include "train/lm/kernels/vector_math.h"

namespace cultivar {
namespace {

constexpr std::int64_t kScoreFloats = 32 * 1024;  // one block of scores; the backward pass needs two
constexpr std::int64_t kLeastRows = 32, kMostRows = 64;

// Queries per block. Larger blocks make products more efficient but compute more scores of future keys in vain.
std::int64_t block_rows(const AttentionShape& shape) {
    return std::min(shape.tokens, std::clamp(kScoreFloats / shape.tokens, kLeastRows, kMostRows));
}

// The place of one head among a row's tokens: its vectors are `stride` floats apart.
struct HeadPlace {
    const float* data;
    std::int64_t stride;
};

struct RopeParams {
    const float *cosine, *sine;
    bool normalise;
    float factor;  // multiplies the result
};

CULTIVAR_INLINE float inverse_rms(const float* x, std::int64_t head_dim) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < head_dim; ++i) sum += x[i] * x[i];
    return 1 / std::sqrt(sum / static_cast<float>(head_dim) + kNormEpsilon);
}

// Computes queries or keys of one head as attention uses them: normalised, rotated, times the factor. out [T, D].
CULTIVAR_CLONES
void apply_rope(HeadPlace head, const RopeParams& turn, std::int64_t tokens, std::int64_t head_dim, float* out) {
    const std::int64_t half = head_dim / 2;
    for (std::int64_t t = 0; t < tokens; ++t, out += head_dim) {
        const float *x = head.data + t * head.stride, *c = turn.cosine + t * half, *s = turn.sine + t * half;
        const float r = turn.factor * (turn.normalise ? inverse_rms(x, head_dim) : 1);
#pragma omp simd
        for (std::int64_t i = 0; i < half; ++i) {
            const float a = x[i] * r, b = x[i + half] * r;
            out[i] = a * c[i] + b * s[i];
            out[i + half] = b * c[i] - a * s[i];
        }
    }
}

// Backward of the function above: takes the gradient of out to that of x, stored at out's place among the tokens.
// Returns the sum over the tokens of the gradient of the factor.
CULTIVAR_CLONES
float apply_rope_backward(HeadPlace head, const RopeParams& turn, std::int64_t tokens, std::int64_t head_dim,
                          const float* d_out, float* scratch, float* dx, std::int64_t dx_stride) {
    const std::int64_t half = head_dim / 2;
    float d_factor = 0;
    for (std::int64_t t = 0; t < tokens; ++t, d_out += head_dim, dx += dx_stride) {
        const float *x = head.data + t * head.stride, *c = turn.cosine + t * half, *s = turn.sine + t * half;
        const float r = turn.normalise ? inverse_rms(x, head_dim) : 1;
        float along = 0;  // component of the gradient, rotated back, along x
#pragma omp simd reduction(+ : along)
        for (std::int64_t i = 0; i < half; ++i) {
            const float a = d_out[i] * c[i] - d_out[i + half] * s[i];
            const float b = d_out[i] * s[i] + d_out[i + half] * c[i];
            scratch[i] = a;
            scratch[i + half] = b;
            along += a * x[i] + b * x[i + half];
        }
        d_factor += along * r;
        const float scale = turn.factor * r;
        const float pull = turn.normalise ? scale * r * r * along / static_cast<float>(head_dim) : 0;
#pragma omp simd
        for (std::int64_t i = 0; i < head_dim; ++i) dx[i] = scale * scratch[i] - pull * x[i];
    }
    return d_factor;
}

CULTIVAR_CLONES
void mix_values(HeadPlace own, HeadPlace first, const float* mix, std::int64_t tokens, std::int64_t head_dim,
                float* out) {
    for (std::int64_t t = 0; t < tokens; ++t, out += head_dim) {
        const float *v = own.data + t * own.stride, *v1 = mix ? first.data + t * first.stride : v;
        const float a = mix ? mix[0] : 1, b = mix ? mix[1] : 0;
#pragma omp simd
        for (std::int64_t i = 0; i < head_dim; ++i) out[i] = a * v[i] + b * v1[i];
    }
}

CULTIVAR_CLONES
void mix_values_backward(HeadPlace own, HeadPlace first, const float* mix, std::int64_t tokens, std::int64_t head_dim,
                         const float* d_values, Matrix<float> d_own, Matrix<float> d_first, float* d_mix) {
    float along_own = 0, along_first = 0;
    for (std::int64_t t = 0; t < tokens; ++t, d_values += head_dim) {
        float* out = d_own.data + t * d_own.stride;
        if (!mix) {
            for (std::int64_t i = 0; i < head_dim; ++i) out[i] = d_values[i];
            continue;
        }
        const float *v = own.data + t * own.stride, *v1 = first.data + t * first.stride;
        float* out_first = d_first.data + t * d_first.stride;
#pragma omp simd reduction(+ : along_own, along_first)
        for (std::int64_t i = 0; i < head_dim; ++i) {
            out[i] = mix[0] * d_values[i];
            out_first[i] = mix[1] * d_values[i];
            along_own += d_values[i] * v[i];
            along_first += d_values[i] * v1[i];
        }
    }
    if (!mix) return;
    d_mix[0] += along_own;
    d_mix[1] += along_first;
}

// Turns scores of queries [begin, begin + rows) against keys [0, end) into exponentials relative to the highest score,
// zero for future keys. inverse_sums [rows], log_sums [rows].
CULTIVAR_CLONES
void exponentials(float* scores, std::int64_t begin, std::int64_t rows, std::int64_t end, float* inverse_sums,
                  float* log_sums) {
    for (std::int64_t n = 0; n < rows; ++n, scores += end) {
        const std::int64_t seen = begin + n + 1;
        float highest = scores[0], sum = 0;
#pragma omp simd reduction(max : highest)
        for (std::int64_t i = 0; i < seen; ++i) highest = scores[i] > highest ? scores[i] : highest;
#pragma omp simd reduction(+ : sum)
        for (std::int64_t i = 0; i < seen; ++i) {
            scores[i] = fast_exp(scores[i] - highest);
            sum += scores[i];
        }
        for (std::int64_t i = seen; i < end; ++i) scores[i] = 0;
        inverse_sums[n] = 1 / sum;
        log_sums[n] = highest + std::log(sum);
    }
}

// Computes the weights again from the scores, and the gradient of the scores from that of the weights.
CULTIVAR_CLONES
void weights_and_score_gradients(float* scores, float* d_weights, const float* log_sums, const float* deltas,
                                 std::int64_t begin, std::int64_t rows, std::int64_t end) {
    for (std::int64_t n = 0; n < rows; ++n, scores += end, d_weights += end) {
        const std::int64_t seen = begin + n + 1;
        const float log_sum = log_sums[n], delta = deltas[n];
#pragma omp simd
        for (std::int64_t i = 0; i < seen; ++i) {
            const float weight = fast_exp(scores[i] - log_sum);
            scores[i] = weight;
            d_weights[i] = weight * (d_weights[i] - delta);
        }
        for (std::int64_t i = seen; i < end; ++i) scores[i] = d_weights[i] = 0;
    }
}

CULTIVAR_CLONES
void scale_rows(Matrix<float> x, const float* factors, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t n = 0; n < rows; ++n) {
        float* row = x.data + n * x.stride;
        for (std::int64_t i = 0; i < columns; ++i) row[i] *= factors[n];
    }
}

CULTIVAR_CLONES
void row_dots(Matrix<const float> x, Matrix<const float> y, std::int64_t rows, std::int64_t columns, float* out) {
    for (std::int64_t n = 0; n < rows; ++n) {
        const float *a = x.data + n * x.stride, *b = y.data + n * y.stride;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::int64_t i = 0; i < columns; ++i) sum += a[i] * b[i];
        out[n] = sum;
    }
}

// Handles one key/value head of one row of the batch with the query heads that share it.
class KeyHead {
public:
    KeyHead(const AttentionShape& shape, const AttentionInput& input, std::int64_t row, std::int64_t key_head,
            float* scratch)
        : shape_(shape),
          input_(input),
          row_(row),
          key_head_(key_head),
          keys_(take(scratch, plane())),
          values_(take(scratch, plane())),
          queries_(take(scratch, plane())),
          d_keys_(take(scratch, plane())),
          d_values_(take(scratch, plane())),
          d_queries_(take(scratch, plane())),
          scores_(take(scratch, block_rows(shape) * shape.tokens)),
          d_weights_(take(scratch, block_rows(shape) * shape.tokens)),
          sums_(take(scratch, shape.tokens)),
          vector_(take(scratch, shape.head_dim)) {
        apply_rope(keys_in(), turn(1), shape.tokens, shape.head_dim, keys_);
        mix_values(values_in(), first_values_in(), input.value_mix, shape.tokens, shape.head_dim, values_);
    }

    void forward(float* out, float* log_sums) {
        for (std::int64_t head = first_head(); head < first_head() + shape_.group(); ++head) {
            apply_rope(queries_in(head), turn(query_factor(head)), shape_.tokens, shape_.head_dim, queries_);
            each_block([&](std::int64_t begin, std::int64_t rows, std::int64_t end) {
                const Matrix<float> block{place(out, head) + begin * shape_.width(), shape_.width()};
                score(begin, rows, end);
                exponentials(scores_, begin, rows, end, sums_, sums_of(log_sums, head) + begin);
                gemm(Transpose::no, Transpose::no, rows, shape_.head_dim, end, 1, {scores_, end}, plane_of(values_), 0,
                     block);
                scale_rows(block, sums_, rows, shape_.head_dim);
            });
        }
    }

    void backward(const float* out, const float* log_sums, const float* d_out, const AttentionGradients& gradients) {
        std::fill_n(d_keys_, plane(), 0.0F);
        std::fill_n(d_values_, plane(), 0.0F);
        for (std::int64_t head = first_head(); head < first_head() + shape_.group(); ++head) {
            query_head_backward(head, place(out, head), sums_of(log_sums, head), place(d_out, head), gradients);
        }
        const std::int64_t key_column = shape_.width() + key_head_ * shape_.head_dim;
        apply_rope_backward(keys_in(), turn(1), shape_.tokens, shape_.head_dim, d_keys_, vector_,
                            place_in_qkv(gradients.qkv, key_column), shape_.qkv_width());
        mix_values_backward(values_in(), first_values_in(), input_.value_mix, shape_.tokens, shape_.head_dim, d_values_,
                            {place_in_qkv(gradients.qkv, key_column + shape_.kv_width()), shape_.qkv_width()},
                            {first_place(gradients.first_values), shape_.kv_width()}, gradients.value_mix);
    }

    static std::int64_t scratch_floats(const AttentionShape& shape) {
        return 6 * shape.tokens * shape.head_dim + 2 * block_rows(shape) * shape.tokens + shape.tokens + shape.head_dim;
    }

private:
    static float* take(float*& scratch, std::int64_t count) {
        float* taken = scratch;
        scratch += count;
        return taken;
    }

    std::int64_t plane() const { return shape_.tokens * shape_.head_dim; }
    Matrix<const float> plane_of(const float* data) const { return {data, shape_.head_dim}; }
    std::int64_t first_head() const { return key_head_ * shape_.group(); }
    float query_factor(std::int64_t head) const { return (input_.gain ? input_.gain[head] : 1) * root(); }
    float root() const { return 1 / std::sqrt(static_cast<float>(shape_.head_dim)); }
    RopeParams turn(float factor) const { return {input_.cosine, input_.sine, shape_.normalise, factor}; }

    template <typename T>
    T* place_in_qkv(T* qkv, std::int64_t column) const {
        return qkv + row_ * shape_.tokens * shape_.qkv_width() + column;
    }
    template <typename T>
    T* place(T* out, std::int64_t head) const {
        return out + row_ * shape_.tokens * shape_.width() + head * shape_.head_dim;
    }
    template <typename T>
    T* sums_of(T* log_sums, std::int64_t head) const {
        return log_sums + (head * shape_.rows + row_) * shape_.tokens;
    }
    template <typename T>
    T* first_place(T* first_values) const {
        if (!first_values) return nullptr;
        return first_values + row_ * shape_.tokens * shape_.kv_width() + key_head_ * shape_.head_dim;
    }
    HeadPlace in_qkv(std::int64_t column) const { return {place_in_qkv(input_.qkv, column), shape_.qkv_width()}; }
    HeadPlace queries_in(std::int64_t head) const { return in_qkv(head * shape_.head_dim); }
    HeadPlace keys_in() const { return in_qkv(shape_.width() + key_head_ * shape_.head_dim); }
    HeadPlace values_in() const { return in_qkv(shape_.width() + shape_.kv_width() + key_head_ * shape_.head_dim); }
    HeadPlace first_values_in() const { return {first_place(input_.first_values), shape_.kv_width()}; }

    template <typename Block>
    void each_block(const Block& block) const {
        for (std::int64_t begin = 0; begin < shape_.tokens; begin += block_rows(shape_)) {
            const std::int64_t rows = std::min(block_rows(shape_), shape_.tokens - begin);
            block(begin, rows, begin + rows);
        }
    }

    void score(std::int64_t begin, std::int64_t rows, std::int64_t end) {
        gemm(Transpose::no, Transpose::yes, rows, end, shape_.head_dim, 1, plane_of(queries_ + begin * shape_.head_dim),
             plane_of(keys_), 0, {scores_, end});
    }

    void query_head_backward(std::int64_t head, const float* out, const float* log_sums, const float* d_out,
                             const AttentionGradients& gradients) {
        const std::int64_t dim = shape_.head_dim, width = shape_.width();
        const RopeParams turned = turn(query_factor(head));
        apply_rope(queries_in(head), turned, shape_.tokens, dim, queries_);
        row_dots({out, width}, {d_out, width}, shape_.tokens, dim, sums_);
        each_block([&](std::int64_t begin, std::int64_t rows, std::int64_t end) {
            const Matrix<const float> d_block{d_out + begin * width, width};
            score(begin, rows, end);
            gemm(Transpose::no, Transpose::yes, rows, end, dim, 1, d_block, plane_of(values_), 0, {d_weights_, end});
            weights_and_score_gradients(scores_, d_weights_, log_sums + begin, sums_ + begin, begin, rows, end);
            gemm(Transpose::no, Transpose::no, rows, dim, end, 1, {d_weights_, end}, plane_of(keys_), 0,
                 {d_queries_ + begin * dim, dim});
            gemm(Transpose::yes, Transpose::no, end, dim, rows, 1, {d_weights_, end}, plane_of(queries_ + begin * dim),
                 1, {d_keys_, dim});
            gemm(Transpose::yes, Transpose::no, end, dim, rows, 1, {scores_, end}, d_block, 1, {d_values_, dim});
        });
        const float d_factor = apply_rope_backward(queries_in(head), turned, shape_.tokens, dim, d_queries_, vector_,
                                                   place_in_qkv(gradients.qkv, head * dim), shape_.qkv_width());
        if (gradients.gain) gradients.gain[head] += d_factor * root();
    }

    const AttentionShape& shape_;
    const AttentionInput& input_;
    std::int64_t row_, key_head_;
    float *keys_, *values_, *queries_, *d_keys_, *d_values_, *d_queries_;  // [T, D] each
    float *scores_, *d_weights_;                                           // [block, T] each
    float* sums_;                                                          // [T]
    float* vector_;                                                        // [D]
};

template <typename Work>
void each_key_head(const AttentionShape& shape, const AttentionInput& input, float* scratch, const Work& work) {
    for (std::int64_t row = 0; row < shape.rows; ++row) {
        for (std::int64_t head = 0; head < shape.kv_heads; ++head) work(KeyHead(shape, input, row, head, scratch));
    }
}

}  // namespace

std::int64_t attention_scratch_floats(const AttentionShape& shape) { return KeyHead::scratch_floats(shape); }

void attention(const AttentionShape& shape, const AttentionInput& input, float* out, float* log_sums, float* scratch) {
    each_key_head(shape, input, scratch, [&](KeyHead head) { head.forward(out, log_sums); });
}

void attention_backward(const AttentionShape& shape, const AttentionInput& input, const float* out,
                        const float* log_sums, const float* d_out, const AttentionGradients& gradients,
                        float* scratch) {
    each_key_head(shape, input, scratch, [&](KeyHead head) { head.backward(out, log_sums, d_out, gradients); });
}

}  // namespace cultivar
