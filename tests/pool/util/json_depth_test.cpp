#include "pool/util/json_depth.h"

#include <string>

#include <gtest/gtest.h>

namespace cultivar {
namespace {

TEST(JsonDepth, CountsListsAndObjectsThatAreOpenAtOnce) {
    EXPECT_FALSE(nests_deeper(R"({"a":[1,[2]],"b":{"c":[3]}})", 3));
    EXPECT_TRUE(nests_deeper(R"({"a":[1,[2]],"b":{"c":[3]}})", 2));
    EXPECT_FALSE(nests_deeper("[][][][]", 1));
    EXPECT_FALSE(nests_deeper("", 0));
    EXPECT_TRUE(nests_deeper(std::string(100'000, '['), 99'999));
}

TEST(JsonDepth, PassesOverBracketsInTexts) {
    EXPECT_FALSE(nests_deeper(R"(["[[[", "\"[[[", "\\"])", 1));
    EXPECT_TRUE(nests_deeper(R"(["\\", [1]])", 1));
}

}  // namespace
}  // namespace cultivar
