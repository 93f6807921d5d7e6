#include "train/lm/model/quantize.h"

#include <gmock/gmock.h>
#include <algorithm>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/train/lm/support/tiny.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kRows = 220, kColumns = 300;

// One matrix that is quantised, one that is too small for it, one control tensor.
Layout layout() {
    Layout made;
    made.tensors = {{"big", {kRows, kColumns}, Group::matrix, Part::mlp, Start::constant, 0, 0, kRows * kColumns},
                    {"small", {2, 3}, Group::matrix, Part::mlp, Start::constant, 0, kRows * kColumns, 6},
                    {"gain", {4}, Group::scalar, Part::control, Start::constant, 0, kRows * kColumns + 6, 4}};
    made.size = kRows * kColumns + 10;
    return made;
}

std::vector<float> weights() {
    std::vector<float> values(static_cast<std::size_t>(layout().size), 0.1F);
    for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
        values[static_cast<std::size_t>(i)] = tiny_noise(i % kColumns, static_cast<double>(i / kColumns), 5);
    }
    std::fill(values.begin(), values.begin() + 2 * kColumns, 0.0F);
    values[0] = 254;               // row 0: one large weight
    values[kColumns + 7] = -0.5F;  // row 1: weights below the smallest scale
    values[kColumns + 8] = 0.0118F;
    values[kColumns + 9] = 0.00393F;
    return values;
}

int level(const Artifact& artifact, std::int64_t row, std::int64_t column) {
    return static_cast<std::int8_t>(
        artifact.tensors.at("big").bytes[static_cast<std::size_t>(row * kColumns + column)]);
}

// Golden numbers: torch 1.13's quantile, round and half on the same weights.
TEST(Quantize, ReproducesTheReferenceOnHandMadeNumbers) {
    const Artifact artifact = quantize(layout(), {}, weights()).value();
    EXPECT_EQ(level(artifact, 0, 0), 127);
    EXPECT_EQ(level(artifact, 1, 7), -63);
    EXPECT_EQ(level(artifact, 1, 8), 1);
    EXPECT_EQ(level(artifact, 1, 9), 0);
    const int expected[] = {8, -66, -74, -126, 63, -35, 60, -36, 41, 93, -17, 60};
    for (int c = 0; c < 12; ++c) EXPECT_EQ(level(artifact, 2, c), expected[c]) << c;
    std::int64_t sum = 0, weighted = 0;
    for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
        sum += level(artifact, 0, i);
        weighted += level(artifact, 0, i) * i;
    }
    EXPECT_EQ(sum, -9450);
    EXPECT_EQ(weighted, 346451140);
}

TEST(Quantize, GivesBackTheDequantisedWeights) {
    const std::vector<float> values = dequantize(layout(), {}, quantize(layout(), {}, weights()).value()).value();
    EXPECT_FLOAT_EQ(values[0], 127 * 1.9990234F);
    EXPECT_FLOAT_EQ(values[kColumns + 7], -63 * 0.0078735352F);
    EXPECT_FLOAT_EQ(values[2 * kColumns], 0.314453125F);
    double sum = 0;
    for (std::int64_t i = 0; i < kRows * kColumns; ++i) sum += values[static_cast<std::size_t>(i)];
    EXPECT_NEAR(sum, -121.97079467773438, 1e-9);
}

TEST(Quantize, KeepsSmallTensorsAsHalvesAndControlTensorsWhole) {
    const Artifact artifact = quantize(layout(), {}, weights()).value();
    EXPECT_EQ(artifact.tensors.at("small").dtype, "F16");
    EXPECT_EQ(artifact.tensors.at("gain").dtype, "F32");
    EXPECT_EQ(artifact.tensors.at("big.scale").dtype, "F16");
    const std::vector<float> values = dequantize(layout(), {}, artifact).value();
    EXPECT_EQ(values[kRows * kColumns], 0.0999755859375F);  // 0.1 as a half
    EXPECT_EQ(values[kRows * kColumns + 6], 0.1F);
}

TEST(Quantize, RefusesWeightsThatAreNotFiniteOrOverflowAHalf) {
    for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        std::vector<float> values = weights();
        values[42] = bad;
        EXPECT_FALSE(quantize(layout(), {}, values));
    }
    std::vector<float> values = weights();
    values[kRows * kColumns] = 1e6F;
    EXPECT_FALSE(quantize(layout(), {}, values));
}

class HostileArtifact : public testing::Test {
protected:
    void expect_refused(const char* why, const ArtifactConfig& config = {}) {
        const auto values = dequantize(layout(), config, artifact_);
        ASSERT_FALSE(values);
        EXPECT_EQ(values.error().code, Code::corrupt);
        EXPECT_THAT(values.error().message, HasSubstr(why));
    }
    void set_scale(std::int64_t row, std::uint16_t half) {
        std::memcpy(artifact_.tensors["big.scale"].bytes.data() + 2 * row, &half, sizeof half);
    }
    Artifact artifact_ = quantize(layout(), {}, weights()).value();
};

TEST_F(HostileArtifact, IsRefusedWithATensorTooManyOrTooFew) {
    artifact_.tensors["more"] = artifact_.tensors["gain"];
    expect_refused("5 tensors");
    artifact_.tensors.erase("big");
    expect_refused("lacks tensor 'big'");
}

TEST_F(HostileArtifact, IsRefusedWithAnotherShapeTypeOrLength) {
    const Tensor big = artifact_.tensors["big"];
    artifact_.tensors["big"].shape = {kColumns, kRows};
    expect_refused("'big'");
    artifact_.tensors["big"] = big;
    artifact_.tensors["big"].dtype = "F16";
    expect_refused("'big'");
    artifact_.tensors["big"] = big;
    artifact_.tensors["big"].bytes.pop_back();
    expect_refused("'big'");
}

TEST_F(HostileArtifact, IsRefusedWithValuesThatAreNotFinite) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(artifact_.tensors["gain"].bytes.data(), &nan, sizeof nan);
    expect_refused("not finite");
}

TEST_F(HostileArtifact, IsRefusedWithHostileSizes) {
    Tensor& big = artifact_.tensors["big"];
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{},
                                                   {kRows * kColumns},
                                                   {kRows, kColumns, 1},
                                                   {0, 0},
                                                   {-kRows, -kColumns},
                                                   {std::int64_t{1} << 62, 4},
                                                   {std::numeric_limits<std::int64_t>::max(), 2}}) {
        big.shape = shape;
        expect_refused("not what the genes ask for");
    }
    big.shape = {kRows, kColumns};
    big.bytes.resize(big.bytes.size() * 2);
    expect_refused("not what the genes ask for");
    big.bytes.clear();
    expect_refused("not what the genes ask for");
}

TEST_F(HostileArtifact, IsRefusedWithScalesThatNoWeightsGive) {
    const std::uint16_t infinite = 0x7c00, nan = 0x7e00, negative = 0xbc00, zero = 0, below_the_floor = 0x2007;
    for (std::uint16_t half : {infinite, nan, negative, zero, below_the_floor}) {
        set_scale(2, half);
        expect_refused("'big.scale'");
    }
    set_scale(2, 0x2008);  // 1 / 127 as a half
    EXPECT_TRUE(dequantize(layout(), {}, artifact_));
    ArtifactConfig no_floor;
    no_floor.scale_floor = false;
    set_scale(2, 0x0400);  // 2^-14
    EXPECT_TRUE(dequantize(layout(), no_floor, artifact_));
    set_scale(2, 0x03ff);
    expect_refused("'big.scale'", no_floor);
}

TEST_F(HostileArtifact, IsRefusedWithLevelsBeyondItsBits) {
    for (std::int64_t bits : {8, 6, 5, 4}) {
        ArtifactConfig config;
        config.mlp_bits = bits;
        artifact_ = quantize(layout(), config, weights()).value();
        const int levels = (1 << (bits - 1)) - 1;
        for (int level : {-levels - 1, levels, -levels}) {
            artifact_.tensors["big"].bytes[77] = static_cast<char>(level);
            if (std::abs(level) <= levels) {
                EXPECT_TRUE(dequantize(layout(), config, artifact_));
            } else {
                expect_refused("beyond its bits", config);
            }
        }
    }
}

TEST_F(HostileArtifact, IsRefusedWithThePrecisionOfOtherGenes) {
    ArtifactConfig config;
    config.mlp_bits = 4;
    expect_refused("beyond its bits", config);
}

TEST(Artifact, FitsTheLimitThatItsLayoutGives) {
    const std::string bytes = pack_artifact(quantize(layout(), {}, weights()).value(), Compressor::zstd).value();
    EXPECT_TRUE(unpack_artifact(bytes, artifact_content_limit_bytes(layout(), {})));
}

}  // namespace
}  // namespace cultivar
