#include "eval/formats/bits_per_byte.h"

#include <vector>

#include <gtest/gtest.h>

namespace cultivar {
namespace {

// 0 pad, 1 BOS, 2 "a", 3 " the", 4 "€", 5 a lone space
const ByteTable kTable = {{0, false, true}, {0, false, true},  {1, false, false},
                          {3, true, false}, {3, false, false}, {0, true, false}};

std::int64_t bytes_of(const std::vector<std::uint16_t>& stream) {
    return target_bytes(stream, kTable, 0, static_cast<std::int64_t>(stream.size()) - 1);
}

TEST(BitsPerByte, ScoresAMultipleOf4096Targets) {
    EXPECT_EQ(scored_targets(0), 0);
    EXPECT_EQ(scored_targets(1), 0);
    EXPECT_EQ(scored_targets(4096), 0);
    EXPECT_EQ(scored_targets(4097), 4096);
    EXPECT_EQ(scored_targets(8192), 4096);
    EXPECT_EQ(scored_targets(62'021'846), 62'021'632);  // Parameter Golf's validation set, 15,142 x 4,096 targets
}

TEST(BitsPerByte, CountsTheBytesThatTargetsStandFor) {
    EXPECT_EQ(bytes_of({1, 2, 3, 4, 2}), 1 + (1 + 3) + 3 + 1);
    EXPECT_EQ(bytes_of({2, 5, 5, 2}), 1 + 1 + 1);
}

TEST(BitsPerByte, DoesNotCountASpaceAfterABoundary) {
    EXPECT_EQ(bytes_of({1, 3}), 3);
    EXPECT_EQ(bytes_of({0, 3}), 3);
    EXPECT_EQ(bytes_of({2, 3}), 4);
}

TEST(BitsPerByte, TakesThePreviousTokenFromBeforeTheRange) {
    const std::vector<std::uint16_t> stream = {1, 2, 3, 3};
    EXPECT_EQ(target_bytes(stream, kTable, 0, 3), 1 + 4 + 4);
    EXPECT_EQ(target_bytes(stream, kTable, 1, 2), 4);
    EXPECT_EQ(target_bytes(stream, kTable, 1, 1), 0);
}

TEST(BitsPerByte, TreatsIdsBeyondTheTableAsBoundaries) { EXPECT_EQ(bytes_of({2, 999, 3}), 0 + 3); }

TEST(BitsPerByte, AgreesWithPublishedScores) {
    // Log lines of three Parameter Golf runs, and the constant that all of sp1024 share: 0.410521 tokens per byte.
    EXPECT_NEAR(bits_per_byte(2.06967197, 410'521, 1'000'000), 1.22577632, 2e-6);
    EXPECT_NEAR(bits_per_byte(2.03933200, 410'521, 1'000'000), 1.20780728, 2e-6);
    EXPECT_NEAR(bits_per_byte(2.07868947, 410'521, 1'000'000), 1.23111699, 2e-6);
}

}  // namespace
}  // namespace cultivar
