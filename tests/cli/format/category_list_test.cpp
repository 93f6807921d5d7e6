#include "cli/format/category_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

std::vector<std::string> names(const std::vector<CategoryRow>& rows) {
    std::vector<std::string> found;
    for (const CategoryRow& row : rows) found.push_back(row.name);
    return found;
}

TEST(CategoryList, MakesOneLineOfFifteenHundredInventedCategories) {
    std::vector<CategoryRow> rows = {{"mine", 3, true, false}, {"known", 2, false, true}};
    for (int i = 0; i < 1500; ++i) rows.push_back({"invented-" + std::to_string(i), 1, false, false});
    const CategoryList list = listed(rows, "mine");
    EXPECT_THAT(names(list.shown), testing::ElementsAre("mine", "known", "invented-0", "invented-1", "invented-2"));
    EXPECT_EQ(hidden_text(list), "and 1497 categories more that nobody verified, with 1497 candidates");
}

TEST(CategoryList, PutsThisMachinesCategoryFirstAndMarksIt) {
    const CategoryList list = listed({{"other", 3, true, false}, {"cuda-20s-e13", 1, false, false}}, "cuda-20s-e13");
    EXPECT_THAT(names(list.shown), testing::ElementsAre("cuda-20s-e13", "other"));
    EXPECT_EQ(title_of(list.shown[0], "cuda-20s-e13"), "cuda-20s-e13 (yours)");
    EXPECT_EQ(title_of(list.shown[1], "cuda-20s-e13"), "other");
    EXPECT_EQ(hidden_text(list), "");
}

}  // namespace
}  // namespace cultivar
