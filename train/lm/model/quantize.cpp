#include "train/lm/model/quantize.h"

#include <c10/util/Half.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "train/lm/model/row_scale.h"

namespace cultivar {
namespace {

static_assert(std::endian::native == std::endian::little, "artifacts are little-endian");

constexpr std::int64_t kMaxHeaderBytes = 1024 * 1024 + 8;
constexpr std::int64_t kWholeBits = 32, kHalfBits = 16;

// Bits per weight: 32 and 16 are floats of that size, fewer are levels of a grid.
std::int64_t bits_of(const TensorPlace& place, const ArtifactConfig& config) {
    if (place.control()) return kWholeBits;
    if (place.size <= kKeepFloatElements || place.shape.size() != 2) return kHalfBits;
    if (place.part == Part::attention) return config.attn_bits;
    return place.part == Part::mlp ? config.mlp_bits : config.embed_bits;
}

bool on_grid(std::int64_t bits) { return bits < kHalfBits; }

template <typename Float>
Float part_of(Float values, std::int64_t begin, std::int64_t size) {
    return values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
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

void add_grid(Artifact& artifact, const TensorPlace& place, const Grid& grid, std::span<const float> values) {
    const std::int64_t rows = place.shape[0], columns = place.shape[1];
    Tensor matrix{"I8", place.shape, {}}, scales{"F16", {rows}, {}};
    matrix.bytes.reserve(values.size());
    std::vector<float> levels(static_cast<std::size_t>(columns));
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::span<const float> row = part_of(values, r * columns, columns);
        const RowScale scale = row_scale(row, grid);
        to_levels(row, scale, levels);
        for (float level : levels) matrix.bytes.push_back(static_cast<char>(level));
        append(scales.bytes, c10::Half(scale.scale).x);
    }
    artifact.tensors[place.name] = std::move(matrix);
    artifact.tensors[place.name + ".scale"] = std::move(scales);
}

void add_float(Artifact& artifact, const TensorPlace& place, std::int64_t bits, std::span<const float> values) {
    Tensor tensor{bits == kWholeBits ? "F32" : "F16", place.shape, {}};
    for (float w : values) {
        if (bits == kWholeBits) {
            append(tensor.bytes, w);
        } else {
            append(tensor.bytes, c10::Half(w).x);
        }
    }
    artifact.tensors[place.name] = std::move(tensor);
}

auto refuse(const std::string& name, const char* why) {
    return fail(Code::corrupt, fmt::format("tensor '{}' of the artifact {}", name, why));
}

// Returns the tensor if it has exactly this type, shape and number of bytes.
Result<const Tensor*> expect(const Artifact& artifact, const std::string& name, const char* dtype,
                             std::int64_t element_bytes, const std::vector<std::int64_t>& shape) {
    const auto found = artifact.tensors.find(name);
    if (found == artifact.tensors.end())
        return fail(Code::corrupt, fmt::format("the artifact lacks tensor '{}'", name));
    const Tensor& tensor = found->second;
    std::int64_t bytes = element_bytes;
    for (std::int64_t extent : shape) bytes *= extent;
    if (tensor.dtype != dtype || tensor.shape != shape || tensor.bytes.size() != static_cast<std::size_t>(bytes)) {
        return refuse(name, "is not what the genes ask for");
    }
    return &tensor;
}

Result<void> read_grid(const Artifact& artifact, const TensorPlace& place, const Grid& grid, std::span<float> values) {
    const std::int64_t rows = place.shape[0], columns = place.shape[1];
    const auto levels = static_cast<std::int8_t>(grid.levels);
    const float least_scale = as_half(grid.least_scale);
    TRY_ASSIGN(const Tensor* matrix, expect(artifact, place.name, "I8", 1, place.shape));
    TRY_ASSIGN(const Tensor* scales, expect(artifact, place.name + ".scale", "F16", 2, {rows}));
    const auto beyond = [&](char byte) {
        const auto level = static_cast<std::int8_t>(byte);
        return level < -levels || level > levels;
    };
    if (std::any_of(matrix->bytes.begin(), matrix->bytes.end(), beyond)) {
        return refuse(place.name, "has levels beyond its bits");
    }
    for (std::int64_t r = 0; r < rows; ++r) {
        const float scale = from_half(scales->bytes, r);
        if (!std::isfinite(scale) || scale < least_scale) {
            return refuse(place.name + ".scale", "has scales that no weights give");
        }
        for (std::int64_t i = r * columns; i < (r + 1) * columns; ++i) {
            values[static_cast<std::size_t>(i)] = static_cast<float>(element<std::int8_t>(matrix->bytes, i)) * scale;
        }
    }
    return {};
}

Result<void> read_float(const Artifact& artifact, const TensorPlace& place, std::int64_t bits,
                        std::span<float> values) {
    const bool whole = bits == kWholeBits;
    TRY_ASSIGN(const Tensor* tensor, expect(artifact, place.name, whole ? "F32" : "F16", bits / 8, place.shape));
    for (std::int64_t i = 0; i < place.size; ++i) {
        const float w = whole ? element<float>(tensor->bytes, i) : from_half(tensor->bytes, i);
        if (!std::isfinite(w)) return refuse(place.name, "has values that are not finite");
        values[static_cast<std::size_t>(i)] = w;
    }
    return {};
}

}  // namespace

Result<Artifact> quantize(const Layout& layout, const ArtifactConfig& config, std::span<const float> values) {
    Artifact artifact;
    for (const TensorPlace& place : layout.tensors) {
        const std::span<const float> part = part_of(values, place.begin, place.size);
        if (!std::all_of(part.begin(), part.end(), [](float w) { return std::isfinite(w); })) {
            return fail(Code::corrupt, fmt::format("weights of '{}' are not finite", place.name));
        }
        const std::int64_t bits = bits_of(place, config);
        if (on_grid(bits)) {
            add_grid(artifact, place, Grid(bits, config), part);
        } else {
            add_float(artifact, place, bits, part);
        }
    }
    TRY(dequantize(layout, config, artifact));  // refuses values that overflowed fp16
    return artifact;
}

Result<std::vector<float>> dequantize(const Layout& layout, const ArtifactConfig& config, const Artifact& artifact) {
    std::size_t count = layout.tensors.size();
    for (const TensorPlace& place : layout.tensors) count += on_grid(bits_of(place, config)) ? 1 : 0;
    if (artifact.tensors.size() != count) {
        return fail(Code::corrupt, fmt::format("the artifact has {} tensors where the genes ask for {}",
                                               artifact.tensors.size(), count));
    }
    std::vector<float> values(static_cast<std::size_t>(layout.size));
    for (const TensorPlace& place : layout.tensors) {
        const std::span<float> part = part_of(std::span(values), place.begin, place.size);
        const std::int64_t bits = bits_of(place, config);
        TRY(on_grid(bits) ? read_grid(artifact, place, Grid(bits, config), part)
                          : read_float(artifact, place, bits, part));
    }
    return values;
}

std::int64_t artifact_content_limit_bytes(const Layout& layout, const ArtifactConfig& config) {
    std::int64_t bytes = kMaxHeaderBytes;
    for (const TensorPlace& place : layout.tensors) {
        const std::int64_t bits = bits_of(place, config);
        bytes += on_grid(bits) ? place.size + 2 * place.shape[0] : bits / 8 * place.size;
    }
    return bytes;
}

void fake_quantize(const Layout& layout, const ArtifactConfig& config, std::span<const float> values,
                   std::span<float> out) {
    for (const TensorPlace& place : layout.tensors) {
        fake_quantize(place, config, part_of(values, place.begin, place.size), part_of(out, place.begin, place.size));
    }
}

void fake_quantize(const TensorPlace& place, const ArtifactConfig& config, std::span<const float> values,
                   std::span<float> out) {
    const std::int64_t bits = bits_of(place, config);
    if (!on_grid(bits)) {
        std::transform(values.begin(), values.end(), out.begin(),
                       [&](float w) { return bits == kWholeBits ? w : as_half(w); });
        return;
    }
    const Grid grid(bits, config);
    for (std::int64_t r = 0; r < place.shape[0]; ++r) {
        const std::span<const float> row = part_of(values, r * place.shape[1], place.shape[1]);
        const std::span<float> to = part_of(out, r * place.shape[1], place.shape[1]);
        const RowScale scale = row_scale(row, grid);
        to_levels(row, scale, to);
        const float step = as_half(scale.scale);
        for (float& w : to) w *= step;
    }
}

}  // namespace cultivar
