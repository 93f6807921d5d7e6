#include "train/launch/kept_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/launch/line_splitter.h"

namespace cultivar {
namespace {

using testing::ElementsAre;

TEST(KeptOutput, KeepsShortOutputWhole) {
    KeptOutput kept;
    kept.add("one\n");
    kept.add("two\n");
    EXPECT_EQ(kept.text(), "one\ntwo\n");
    EXPECT_THAT(kept.last_lines(1), ElementsAre("two"));
    EXPECT_THAT(kept.last_lines(20), ElementsAre("one", "two"));
}

// The same, however the bytes arrive.
TEST(KeptOutput, KeepsHeadAndTailOfLongOutputAndCountsTheRest) {
    const std::string middle(300'000, 'm');
    const std::string all = "first" + middle + "last";
    const std::string expected = all.substr(0, kKeptHead_bytes) + "\n[" +
                                 std::to_string(all.size() - kKeptHead_bytes - kKeptTail_bytes) + " bytes left out]\n" +
                                 all.substr(all.size() - kKeptTail_bytes);
    for (const std::size_t piece : {1U, 1000U, 70'000U, 400'000U}) {
        KeptOutput kept;
        for (std::size_t at = 0; at < all.size(); at += piece) kept.add(std::string_view(all).substr(at, piece));
        EXPECT_EQ(kept.text(), expected) << piece;
    }
}

TEST(LineSplitter, CutsAtFeedsAndCarriageReturnsAndKeepsTheBeginningOfLongLines) {
    LineSplitter splitter(4);
    std::vector<std::string> lines;
    auto take = [&](std::string_view line) { lines.emplace_back(line); };
    splitter.add("ab\rcd", take);
    splitter.add("ef\n\n\r\nlonger line\nend", take);
    EXPECT_THAT(lines, ElementsAre("ab", "cdef", "long"));
    splitter.finish(take);
    EXPECT_THAT(lines, ElementsAre("ab", "cdef", "long", "end"));
}

}  // namespace
}  // namespace cultivar
