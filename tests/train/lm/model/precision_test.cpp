#include "train/lm/model/row_scale.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "tests/train/lm/reference/quantize_golden.h"
#include "train/lm/model/quantize.h"

namespace cultivar {
namespace {

// The whole numbers that make_quantize.py turns into floats.
std::int64_t hash(std::int64_t i) {
    std::uint64_t x = static_cast<std::uint64_t>(i + 1) * 2654435761U % (std::uint64_t{1} << 32);
    x = (x ^ (x >> 15)) * 40503U % (std::uint64_t{1} << 32);
    return static_cast<std::int64_t>((x ^ (x >> 13)) % 65536);
}

constexpr std::int64_t kSize = golden::kRows * golden::kColumns;

std::vector<float> bell(double amplitude) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < kSize; ++i) {
        const std::int64_t total = hash(4 * i) + hash(4 * i + 1) + hash(4 * i + 2) + hash(4 * i + 3);
        values.push_back(static_cast<float>(static_cast<double>(total - 131070) * (amplitude / 131072)));
    }
    return values;
}

std::vector<float> ties() {
    std::vector<float> values;
    for (std::int64_t i = 0; i < kSize; ++i) {
        const std::int64_t row = i / golden::kColumns, column = i % golden::kColumns;
        const float largest = std::array{127.0F, 31.0F, 15.0F, 7.0F}[static_cast<std::size_t>(row % 4)];
        const float w = std::clamp(static_cast<float>(hash(i) % 509 - 254) / 2, -largest, largest);
        values.push_back(row == 7 ? 0 : column == 0 ? largest : column == 1 ? -largest : w);
    }
    return values;
}

std::vector<float> golden_matrix(const std::string& name) {
    return name == "ties" ? ties() : bell(name == "large" ? 5.0 : 0.05);
}

// One large matrix of each part, a small one and a control tensor.
Layout every_part() {
    Layout made;
    const auto add = [&](const char* name, Group group, Part part, std::vector<std::int64_t> shape) {
        const std::int64_t size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
        made.tensors.push_back({name, std::move(shape), group, part, Start::constant, 0, made.size, size});
        made.size += size;
    };
    const std::vector<std::int64_t> large{golden::kRows, golden::kColumns};
    add("attention", Group::matrix, Part::attention, large);
    add("mlp", Group::matrix, Part::mlp, large);
    add("small", Group::matrix, Part::mlp, {4, 100});
    add("embedding", Group::embedding, Part::embedding, large);
    add("head", Group::head, Part::embedding, large);
    add("skips", Group::scalar, Part::control, large);
    return made;
}

std::vector<float> every_part_weights() {
    std::vector<float> values;
    for (const std::vector<float>& part :
         {bell(0.05), bell(5.0), std::vector<float>(400, 0.1F), ties(), bell(0.005), bell(1.0)}) {
        values.insert(values.end(), part.begin(), part.end());
    }
    return values;
}

template <typename T>
std::uint64_t checksum(const T* numbers, std::int64_t count) {
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<std::uint64_t>(i + 1) * numbers[i];
    return sum;
}

TEST(Quantize, ReproducesTheReferenceAtEveryPrecision) {
    Layout only_mlp;
    only_mlp.tensors = {
        {"w", {golden::kRows, golden::kColumns}, Group::matrix, Part::mlp, Start::constant, 0, 0, kSize}};
    only_mlp.size = kSize;
    for (const golden::Quantized& expected : golden::kQuantized) {
        SCOPED_TRACE(fmt::format("{} in {} bits, floor {}, quantile {}", expected.matrix, expected.bits,
                                 expected.scale_floor, expected.clip_quantile));
        ArtifactConfig config;
        config.mlp_bits = expected.bits;
        config.scale_floor = expected.scale_floor;
        config.clip_quantile = expected.clip_quantile;
        const Artifact artifact = quantize(only_mlp, config, golden_matrix(expected.matrix)).value();
        const std::string& levels = artifact.tensors.at("w").bytes;
        for (std::size_t c = 0; c < 8; ++c) {
            EXPECT_EQ(static_cast<std::int8_t>(levels[golden::kColumns + c]), expected.row_1[c]) << c;
        }
        EXPECT_EQ(std::accumulate(levels.begin(), levels.end(), std::int64_t{0}), expected.level_sum);
        EXPECT_EQ(checksum(reinterpret_cast<const std::uint8_t*>(levels.data()), kSize), expected.levels);
        std::vector<std::uint16_t> halves(golden::kRows);
        std::memcpy(halves.data(), artifact.tensors.at("w.scale").bytes.data(), 2 * halves.size());
        EXPECT_EQ(halves[1], expected.scale_1);
        EXPECT_EQ(checksum(halves.data(), golden::kRows), expected.scales);
        const std::vector<float> values = dequantize(only_mlp, config, artifact).value();
        std::vector<std::uint32_t> bits(values.size());
        std::memcpy(bits.data(), values.data(), 4 * bits.size());
        EXPECT_EQ(checksum(bits.data(), kSize), expected.values);
    }
}

TEST(Quantize, GivesEachPartItsOwnBits) {
    ArtifactConfig config;
    config.attn_bits = 6;
    config.mlp_bits = 4;
    config.embed_bits = 16;
    config.scale_floor = false;
    const Artifact artifact = quantize(every_part(), config, every_part_weights()).value();
    const auto largest = [&](const char* name) {
        int found = 0;
        for (char byte : artifact.tensors.at(name).bytes) found = std::max(found, std::abs(static_cast<int>(byte)));
        return found;
    };
    EXPECT_EQ(largest("attention"), 31);
    EXPECT_EQ(largest("mlp"), 7);
    for (const char* name : {"small", "embedding", "head"}) EXPECT_EQ(artifact.tensors.at(name).dtype, "F16") << name;
    EXPECT_EQ(artifact.tensors.at("skips").dtype, "F32");
    EXPECT_EQ(artifact.tensors.size(), 8U);
    EXPECT_EQ(artifact_content_limit_bytes(every_part(), config),
              (1 << 20) + 8 + 2 * (kSize + 2 * golden::kRows) + 2 * 400 + 2 * 2 * kSize + 4 * kSize);
}

// Rows of every length, so that each has its quantile between other ranks.
Layout rows_of(std::int64_t columns) {
    Layout made;
    made.size = columns * (kKeepFloatElements / columns + 1);
    made.tensors = {
        {"w", {made.size / columns, columns}, Group::matrix, Part::attention, Start::constant, 0, 0, made.size}};
    return made;
}

void expect_same_bits(const std::vector<float>& left, const std::vector<float>& right) {
    ASSERT_EQ(left.size(), right.size());
    EXPECT_EQ(std::memcmp(left.data(), right.data(), left.size() * sizeof(float)), 0);
}

TEST(FakeQuantize, GivesTheBitsOfTheRoundTrip) {
    const Layout layout = every_part();
    const std::vector<float> weights = every_part_weights();
    for (std::int64_t bits : {8, 6, 5, 4}) {
        for (bool floor : {true, false}) {
            for (double quantile : {0.9999984, 0.99, 0.9}) {
                SCOPED_TRACE(fmt::format("{} bits, floor {}, quantile {}", bits, floor, quantile));
                const ArtifactConfig config{bits, bits == 4 ? 8 : 4, bits == 5 ? 16 : bits, quantile, floor};
                const Artifact artifact = quantize(layout, config, weights).value();
                const std::vector<float> expected = dequantize(layout, config, artifact).value();
                std::vector<float> got(weights.size());
                fake_quantize(layout, config, weights, got);
                expect_same_bits(got, expected);
                std::vector<float> in_place = weights;
                fake_quantize(layout, config, in_place, in_place);
                expect_same_bits(in_place, expected);
            }
        }
    }
}

TEST(FakeQuantize, ClipsRowsOfAnyLengthAtTheirQuantile) {
    for (std::int64_t columns : {1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 100, 129, 1000, 66000}) {
        for (double quantile : {0.0, 0.5, 0.9, 0.99, 1.0}) {
            const Layout layout = rows_of(columns);
            ArtifactConfig config;
            config.scale_floor = false;
            config.clip_quantile = quantile;
            std::vector<float> weights(static_cast<std::size_t>(layout.size));
            for (std::size_t i = 0; i < weights.size(); ++i) {
                weights[i] = static_cast<float>(hash(static_cast<std::int64_t>(i)) - 32768) / 1024;
            }
            std::vector<float> row(weights.begin(), weights.begin() + columns), got(weights.size());
            for (float& w : row) w = std::fabs(w);
            std::sort(row.begin(), row.end());
            const double rank = quantile * static_cast<double>(columns - 1);
            const auto below = static_cast<std::size_t>(rank);
            const double from = row[below], to = row[std::min(below + 1, row.size() - 1)];
            const double clip = from + (rank - static_cast<double>(below)) * (to - from);
            fake_quantize(layout, config, weights, got);
            const float largest = std::fabs(*std::max_element(
                got.begin(), got.begin() + columns, [](float a, float b) { return std::fabs(a) < std::fabs(b); }));
            EXPECT_NEAR(largest, clip, 1e-3 * clip + 0x1p-14) << columns << " columns, quantile " << quantile;
        }
    }
}

TEST(FakeQuantize, OutlivesWeightsThatAreNotFinite) {
    const Layout layout = rows_of(512);
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
    for (float bad : {nan, -nan, infinite, -infinite}) {
        std::vector<float> weights(static_cast<std::size_t>(layout.size), 0.5F), got(weights.size());
        std::fill(weights.begin() + 3, weights.begin() + 300, bad);
        fake_quantize(layout, {}, weights, got);
        EXPECT_EQ(got[512], got[1000]);  // the next row is as it was
        EXPECT_NEAR(got[512], 0.5F, 0.01);
        if (std::isnan(bad)) {
            EXPECT_TRUE(std::isnan(got[3]));
        }
    }
}

}  // namespace
}  // namespace cultivar
