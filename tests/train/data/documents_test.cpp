#include "train/data/documents.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The texts live as long as the test's full expression needs them.
std::vector<std::string> cut(const std::vector<std::string>& texts, std::string_view separator = "") {
    const Documents documents = cut_documents(texts, separator);
    return {documents.ordered.begin(), documents.ordered.end()};
}

TEST(Documents, AreCutAtBlankLines) {
    EXPECT_THAT(cut({"a b\nc\n\nd\n \t \n\n\ne"}), UnorderedElementsAre("a b\nc", "d", "e"));
}

TEST(Documents, AreCutAtAGivenSeparator) {
    EXPECT_THAT(cut({"a\n\nb<|end|>c<|end|>"}, "<|end|>"), UnorderedElementsAre("a\n\nb", "c"));
    EXPECT_THAT(cut({"a\nb\n\nc"}, "\n"), UnorderedElementsAre("a", "b", "c"));
}

TEST(Documents, LoseTheWhiteSpaceAroundThem) {
    EXPECT_THAT(cut({"\n  a\n  b \n\n   \n\t\n"}), ElementsAre("a\n  b"));
    EXPECT_THAT(cut({"", "\n\n", "  "}), IsEmpty());
}

TEST(Documents, NeverRunFromOneFileIntoTheNext) { EXPECT_THAT(cut({"a", "b"}), UnorderedElementsAre("a", "b")); }

TEST(Documents, AreKeptOnceAndCounted) {
    const std::vector<std::string> texts = {"a\n\nb\n\na\n\n  a  ", "b"};
    const Documents documents = cut_documents(texts, "");
    EXPECT_EQ(documents.ordered.size(), 2u);
    EXPECT_EQ(documents.duplicates, 3);
}

// sha256sum: a = ca97.., b = 3e23.., c = 2e7d.., d = 18ac..
TEST(Documents, AreOrderedByTheirDigests) {
    EXPECT_THAT(cut({"a\n\nb\n\nc\n\nd"}), ElementsAre("d", "c", "b", "a"));
    EXPECT_THAT(cut({"c\n\nd", "b", "a"}), ElementsAre("d", "c", "b", "a"));
}

TEST(Documents, PartWhereEachPartHasTheBytesAskedFor) {
    const std::vector<std::string_view> ordered(10, "12345");
    const auto parts = part_documents(ordered, 6, 15);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->slice, 2u);
    EXPECT_EQ(parts->full, 3u);
}

TEST(Documents, MustLeaveEnoughToTrainOn) {
    const std::vector<std::string_view> ordered(10, "12345");
    EXPECT_TRUE(part_documents(ordered, 5, 25));
    EXPECT_EQ(part_documents(ordered, 5, 26).error().code, Code::usage);
    EXPECT_EQ(part_documents({}, 5, 5).error().code, Code::usage);
}

TEST(Documents, HaveASliceWithinTheFullSet) {
    const std::vector<std::string_view> ordered(10, "12345");
    EXPECT_EQ(part_documents(ordered, 11, 10).error().code, Code::usage);
    EXPECT_EQ(part_documents(ordered, 0, 10).error().code, Code::usage);
}

}  // namespace
}  // namespace cultivar
