#include "train/lm/quantize.h"

#include <c10/util/Half.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace cultivar {
namespace {

static_assert(std::endian::native == std::endian::little, "artifacts are little-endian");

constexpr float kClipQuantile = 0.9999984F;
constexpr float kLevels = 127;
constexpr std::int64_t kMaxHeaderBytes = 1024 * 1024 + 8;

enum class Storage { f32, f16, int8_rows };

Storage storage_of(const TensorPlace& place) {
    if (place.size > kKeepFloatElements && place.shape.size() == 2) return Storage::int8_rows;
    return place.control() ? Storage::f32 : Storage::f16;
}

template <typename T>
void append(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T element(const std::string& bytes, std::int64_t index) {
    T value;
    std::memcpy(&value, bytes.data() + static_cast<std::size_t>(index) * sizeof value, sizeof value);
    return value;
}

float from_half(const std::string& bytes, std::int64_t index) {
    return c10::Half(element<std::uint16_t>(bytes, index), c10::Half::from_bits());
}

// torch.quantile of |row|: linear interpolation between the two neighbours of rank q * (n - 1).
float clip_of(std::span<const float> row, std::vector<float>& scratch) {
    scratch.resize(row.size());
    std::transform(row.begin(), row.end(), scratch.begin(), [](float w) { return std::fabs(w); });
    const float rank = kClipQuantile * static_cast<float>(row.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(rank);
    const auto place = scratch.begin() + below;
    std::nth_element(scratch.begin(), place, scratch.end());
    if (place + 1 == scratch.end()) return *place;
    const float above = *std::min_element(place + 1, scratch.end());
    const float weight = rank - static_cast<float>(below);
    return weight < 0.5F ? *place + weight * (above - *place) : above - (above - *place) * (1 - weight);
}

void add_int8(Artifact& artifact, const TensorPlace& place, std::span<const float> values) {
    const std::int64_t rows = place.shape[0], columns = place.shape[1];
    Tensor matrix{"I8", place.shape, {}}, scales{"F16", {rows}, {}};
    matrix.bytes.reserve(values.size());
    std::vector<float> scratch;
    for (std::int64_t r = 0; r < rows; ++r) {
        const auto row = values.subspan(static_cast<std::size_t>(r * columns), static_cast<std::size_t>(columns));
        const float clip = clip_of(row, scratch);
        const float scale = std::max(clip / kLevels, 1 / kLevels);
        for (float w : row) {
            const float level = std::nearbyint(std::clamp(w, -clip, clip) / scale);
            append(matrix.bytes, static_cast<std::int8_t>(std::clamp(level, -kLevels, kLevels)));
        }
        append(scales.bytes, c10::Half(scale).x);
    }
    artifact.tensors[place.name] = std::move(matrix);
    artifact.tensors[place.name + ".scale"] = std::move(scales);
}

void add_float(Artifact& artifact, const TensorPlace& place, std::span<const float> values, Storage storage) {
    Tensor tensor{storage == Storage::f32 ? "F32" : "F16", place.shape, {}};
    for (float w : values) {
        if (storage == Storage::f32) {
            append(tensor.bytes, w);
        } else {
            append(tensor.bytes, c10::Half(w).x);
        }
    }
    artifact.tensors[place.name] = std::move(tensor);
}

// The tensor with exactly this type, shape and number of bytes.
Result<const Tensor*> expect(const Artifact& artifact, const std::string& name, const char* dtype,
                             std::int64_t element_bytes, const std::vector<std::int64_t>& shape) {
    const auto found = artifact.tensors.find(name);
    if (found == artifact.tensors.end())
        return fail(Code::corrupt, fmt::format("the artifact lacks tensor '{}'", name));
    const Tensor& tensor = found->second;
    std::int64_t bytes = element_bytes;
    for (std::int64_t extent : shape) bytes *= extent;
    if (tensor.dtype != dtype || tensor.shape != shape || tensor.bytes.size() != static_cast<std::size_t>(bytes)) {
        return fail(Code::corrupt, fmt::format("tensor '{}' of the artifact is not what the genes ask for", name));
    }
    return &tensor;
}

Result<void> read_int8(const Artifact& artifact, const TensorPlace& place, std::span<float> values) {
    const std::int64_t rows = place.shape[0], columns = place.shape[1];
    TRY_ASSIGN(const Tensor* matrix, expect(artifact, place.name, "I8", 1, place.shape));
    TRY_ASSIGN(const Tensor* scales, expect(artifact, place.name + ".scale", "F16", 2, {rows}));
    for (std::int64_t r = 0; r < rows; ++r) {
        const float scale = from_half(scales->bytes, r);
        for (std::int64_t c = 0; c < columns; ++c) {
            const std::int64_t i = r * columns + c;
            values[static_cast<std::size_t>(i)] = static_cast<float>(element<std::int8_t>(matrix->bytes, i)) * scale;
        }
    }
    return {};
}

Result<void> read_float(const Artifact& artifact, const TensorPlace& place, std::span<float> values, Storage storage) {
    const bool full = storage == Storage::f32;
    TRY_ASSIGN(const Tensor* tensor, expect(artifact, place.name, full ? "F32" : "F16", full ? 4 : 2, place.shape));
    for (std::int64_t i = 0; i < place.size; ++i) {
        values[static_cast<std::size_t>(i)] = full ? element<float>(tensor->bytes, i) : from_half(tensor->bytes, i);
    }
    return {};
}

bool all_finite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float w) { return std::isfinite(w); });
}

std::size_t tensor_count(const Layout& layout) {
    std::size_t count = 0;
    for (const TensorPlace& place : layout.tensors) count += storage_of(place) == Storage::int8_rows ? 2 : 1;
    return count;
}

}  // namespace

Result<Artifact> quantize(const Layout& layout, std::span<const float> values) {
    Artifact artifact;
    for (const TensorPlace& place : layout.tensors) {
        const auto part = values.subspan(static_cast<std::size_t>(place.begin), static_cast<std::size_t>(place.size));
        if (!all_finite(part)) return fail(Code::corrupt, fmt::format("weights of '{}' are not finite", place.name));
        const Storage storage = storage_of(place);
        if (storage == Storage::int8_rows) {
            add_int8(artifact, place, part);
        } else {
            add_float(artifact, place, part, storage);
        }
    }
    TRY(dequantize(layout, artifact));  // refuses what overflowed fp16
    return artifact;
}

Result<std::vector<float>> dequantize(const Layout& layout, const Artifact& artifact) {
    if (artifact.tensors.size() != tensor_count(layout)) {
        return fail(Code::corrupt, fmt::format("the artifact has {} tensors where the genes ask for {}",
                                               artifact.tensors.size(), tensor_count(layout)));
    }
    std::vector<float> values(static_cast<std::size_t>(layout.size));
    for (const TensorPlace& place : layout.tensors) {
        const auto part =
            std::span(values).subspan(static_cast<std::size_t>(place.begin), static_cast<std::size_t>(place.size));
        const Storage storage = storage_of(place);
        TRY(storage == Storage::int8_rows ? read_int8(artifact, place, part)
                                          : read_float(artifact, place, part, storage));
        if (!all_finite(part)) {
            return fail(Code::corrupt,
                        fmt::format("tensor '{}' of the artifact has values that are not finite", place.name));
        }
    }
    return values;
}

std::int64_t artifact_content_limit_bytes(const Layout& layout) {
    std::int64_t bytes = kMaxHeaderBytes;
    for (const TensorPlace& place : layout.tensors) {
        switch (storage_of(place)) {
            case Storage::f32:
                bytes += 4 * place.size;
                break;
            case Storage::f16:
                bytes += 2 * place.size;
                break;
            case Storage::int8_rows:
                bytes += place.size + 2 * place.shape[0];
                break;
        }
    }
    return bytes;
}

}  // namespace cultivar
