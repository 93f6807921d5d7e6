#include "train/lm/model/row_scale.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <vector>

namespace cultivar {
namespace {

constexpr std::int64_t kFlooredBits =
    8;  // the reference has 8 bits; with fewer levels its floor would round most weights to zero
constexpr float kSmallestNormalHalf = 0x1p-14F;
constexpr float kRound = 0x1.8p23F;  // a float of this size has no fraction: adding it rounds, ties to even
constexpr std::size_t kBlock = 8;

// Non-negative floats have the same order as their bits; NaN, the last, fits that order too.
using Bits = std::int32_t;

struct Neighbours {
    float below, above;  // of ascending rank k and k + 1, or the last one twice
};

// Finds the values of |row| at two ranks near its end. The value of a given rank from the top is at least the value of
// the same rank among the maxima of groups of 8, so only values as large as that are sorted.
Neighbours neighbours(std::span<const float> row, std::size_t rank) {
    const std::size_t size = row.size(), from_top = size - 1 - rank, blocks = size / kBlock;
    thread_local std::vector<Bits> buffer;
    if (buffer.size() < size + blocks) buffer.resize(size + blocks);
    Bits* const values = buffer.data();
    Bits* const greatest = values + size;
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) values[i] = std::bit_cast<Bits>(row[i]) & 0x7fffffff;
    Bits least = 0;
    if (from_top < blocks) {
        std::copy_n(values, blocks, greatest);
        for (std::size_t k = 1; k < kBlock; ++k) {
            const Bits* const part = values + k * blocks;
#pragma omp simd
            for (std::size_t b = 0; b < blocks; ++b) greatest[b] = std::max(greatest[b], part[b]);
        }
        std::nth_element(greatest, greatest + from_top, greatest + blocks, std::greater<>());
        least = greatest[from_top];
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const Bits value = values[i];
        values[kept] = value;
        kept += value >= least ? 1 : 0;
    }
    std::nth_element(values, values + from_top, values + kept, std::greater<>());
    const Bits above = from_top == 0 ? values[0] : *std::min_element(values, values + from_top);
    return {std::bit_cast<float>(values[from_top]), std::bit_cast<float>(above)};
}

float clip_of(std::span<const float> row, float quantile) {
    const float rank = quantile * static_cast<float>(row.size() - 1);
    const auto whole = static_cast<std::size_t>(rank);
    const auto [below, above] = neighbours(row, whole);
    const float weight = rank - static_cast<float>(whole);
    return weight < 0.5F ? below + weight * (above - below) : above - (above - below) * (1 - weight);
}

}  // namespace

Grid::Grid(std::int64_t bits, const ArtifactConfig& config)
    : levels(static_cast<float>((std::int64_t{1} << (bits - 1)) - 1)),
      least_scale(bits == kFlooredBits && config.scale_floor ? 1 / levels : kSmallestNormalHalf),
      clip_quantile(static_cast<float>(config.clip_quantile)) {}

float as_half(float value) { return c10::Half(value); }

RowScale row_scale(std::span<const float> row, const Grid& grid) {
    const float clip = clip_of(row, grid.clip_quantile);
    return {clip, std::max(clip / grid.levels, grid.least_scale)};
}

void to_levels(std::span<const float> row, const RowScale& scale, std::span<float> out) {
    const float *const from = row.data(), high = scale.clip, low = -high, step = scale.scale;
    float* const to = out.data();
#pragma omp simd
    for (std::size_t i = 0; i < row.size(); ++i) {
        const float above = from[i] < low ? low : from[i];
        const float within = above > high ? high : above;
        to[i] = (within / step + kRound) - kRound;
    }
}

}  // namespace cultivar
