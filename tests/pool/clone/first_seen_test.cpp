#include "pool/clone/first_seen.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

TEST(FirstSeenTimes, OfARecordAreThoseOfThePullThatBroughtIt) {
    FirstSeen book;
    EXPECT_EQ(book.seen_s("a", 0, 500), 500) << "new";
    book.note("a", 3, 100);
    book.note("a", 5, 200);
    book.note("a", 5, 300);  // nothing came
    EXPECT_EQ(book.seen_s("a", 0, 500), 100);
    EXPECT_EQ(book.seen_s("a", 2, 500), 100);
    EXPECT_EQ(book.seen_s("a", 3, 500), 200);
    EXPECT_EQ(book.seen_s("a", 5, 500), 500);
    EXPECT_EQ(book.seen_s("b", 0, 500), 500) << "another log";
}

TEST(FirstSeenTimes, StayBoundedAndAreNeverTooEarly) {
    FirstSeen book;
    for (std::size_t i = 1; i <= 100'000; ++i) book.note("a", i, static_cast<std::int64_t>(i));
    for (std::size_t place : {0U, 10U, 99'000U, 99'999U})
        EXPECT_GE(book.seen_s("a", place, 1'000'000), static_cast<std::int64_t>(place + 1)) << place;
    EXPECT_EQ(book.seen_s("a", 99'999, 1'000'000), 100'000);
}

TEST(FirstSeenTimes, OfALogOfYearsStayTrueForTheirAge) {
    constexpr std::int64_t kBetweenPulls_s = 1800;
    constexpr std::size_t kPulls = 50'000;
    FirstSeen book;
    const auto pulled_s = [](std::size_t pull) { return static_cast<std::int64_t>(pull) * kBetweenPulls_s; };
    for (std::size_t pull = 1; pull <= kPulls; ++pull) book.note("a", pull, pulled_s(pull));
    EXPECT_LE(book.size(), FirstSeen::kMostEntries);
    const std::int64_t now_s = pulled_s(kPulls);
    for (std::size_t place = 0; place < kPulls; ++place) {
        const std::int64_t truly_s = pulled_s(place + 1), late_s = book.seen_s("a", place, now_s) - truly_s;
        ASSERT_GE(late_s, 0);
        ASSERT_LE(static_cast<double>(late_s), 0.01 * static_cast<double>(now_s - truly_s)) << place;
    }
}

// However many logs somebody lets grow.
TEST(FirstSeenTimes, OfAllLogsTogetherStayBounded) {
    FirstSeen book;
    book.note("honest", 1, 1);
    for (std::int64_t pull = 1; pull <= 101; ++pull) {
        for (int log = 0; log < 5000; ++log)
            book.note("sybil" + std::to_string(log), static_cast<std::size_t>(pull), 1000 + pull);
    }
    EXPECT_LE(book.size(), FirstSeen::kMostInAll);
    EXPECT_GT(book.size(), FirstSeen::kMostInAll / 2);
    EXPECT_EQ(book.seen_s("honest", 0, 5000), 1);
}

TEST(FirstSeenTimes, AreReadBackAsTheyWereWritten) {
    World world;
    const Clone ann = world.found("ann");
    std::filesystem::create_directories(ann.seen_dir());
    EXPECT_EQ(must(FirstSeen::read(ann)).seen_s("a", 0, 7), 7);
    FirstSeen book;
    book.note("a", 3, 100), book.note("a", 5, 200), book.note("b", 1, 300);
    must(book.write(ann));
    const FirstSeen again = must(FirstSeen::read(ann));
    EXPECT_EQ(again.seen_s("a", 4, 500), 200);
    EXPECT_EQ(again.seen_s("b", 0, 500), 300);
}

}  // namespace
}  // namespace cultivar
