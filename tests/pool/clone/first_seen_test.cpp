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
