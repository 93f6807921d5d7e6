#include "cli/runs/machine_category.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

TEST(Category, NamesDeviceBudgetAndTheFlooredHalfDecadeOfSpeed) {
    EXPECT_EQ(category_name("cpu", 600, 1e11), "cpu-600s-e11");
    EXPECT_EQ(category_name("cuda", 600, 3e14), "cuda-600s-e14");
    EXPECT_EQ(category_name("cpu", 20, 4.93e10), "cpu-20s-e10.5");
}

TEST(Category, ChangesAtEachHalfDecadeAndNowhereElse) {
    // 10^10.5 = 31,622,776,601.68...
    EXPECT_EQ(category_name("cpu", 20, 1e10), "cpu-20s-e10");
    EXPECT_EQ(category_name("cpu", 20, 31'622'776'601.0), "cpu-20s-e10");
    EXPECT_EQ(category_name("cpu", 20, 31'622'776'602.0), "cpu-20s-e10.5");
    EXPECT_EQ(category_name("cpu", 20, 99'999'999'999.0), "cpu-20s-e10.5");
    EXPECT_EQ(category_name("cpu", 20, 100'000'000'000.0), "cpu-20s-e11");
}

TEST(Category, KeepsTheExactBudget) {
    EXPECT_EQ(category_name("cpu", 1.5, 1e9), "cpu-1.5s-e9");
    EXPECT_EQ(category_name("cpu", 1, 1e9), "cpu-1s-e9");
    EXPECT_EQ(category_name("cpu", 86400, 1e9), "cpu-86400s-e9");
}

}  // namespace
}  // namespace cultivar
