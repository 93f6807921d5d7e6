#include "pool/types/score_text.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

Task task_of(const std::string& direction) {
    Task task;
    task.direction = direction;
    task.command.emplace();
    return task;
}

TEST(ScoreText, ShowsBitsPerByteWithFourDecimals) {
    EXPECT_EQ(ScoreText().of(1.93), "1.9300");
    EXPECT_EQ(ScoreText(Task()).error(0.00123), "0.0012");
}

TEST(ScoreText, AdaptsToTheScaleOfAnyOtherMetric) {
    const ScoreText text(task_of("minimize"));
    EXPECT_EQ(text.of(1e-7), "1e-07");
    EXPECT_EQ(text.of(123456.7), "123457");
    EXPECT_EQ(text.of(0.9312345678), "0.931235");
    EXPECT_EQ(text.error(0.000955487), "0.00096");
}

TEST(ScoreText, EndsWhereTheNoiseBegins) {
    const ScoreText text(task_of("minimize"));
    EXPECT_EQ(text.with_noise(0.02).of(1.23456789), "1.235");
    EXPECT_EQ(text.with_noise(3e-9).of(0.12345678901234), "0.123456789");
    EXPECT_EQ(text.with_noise(2e-9).of(1.23456e-7), "1.235e-07");
    EXPECT_EQ(text.with_noise(500).of(12345.6), "12346");  // no digit before the point is left out
    EXPECT_EQ(text.with_noise(10).of(1e-7), "1e-07");
    EXPECT_EQ(text.with_noise(1e-300).of(1.0 / 3), "0.333333333333333");
    EXPECT_EQ(text.with_noise(0).of(0.9312345678), "0.931235");  // unknown
    EXPECT_EQ(ScoreText().with_noise(1).of(1.93), "1.9300");
}

TEST(ScoreText, ShowsALossOfAMaximisedScoreAsThatScore) {
    const ScoreText text(task_of("maximize"));
    EXPECT_EQ(text.of(-0.931), "0.931");
    EXPECT_EQ(text.of(0), "0");  // not -0
    EXPECT_EQ(text.error(0.5), "0.5");
}

}  // namespace
}  // namespace cultivar
