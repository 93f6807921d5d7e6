#include "pool/types/category.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

TEST(Category, TellsItsDeviceItsBudgetAndItsSpeedByItsName) {
    const Category measured = category_named("cuda-1.5s-e10.5");
    EXPECT_EQ(measured.name, "cuda-1.5s-e10.5");
    EXPECT_EQ(measured.device, "cuda");
    EXPECT_EQ(measured.budget_s, 1.5);
    EXPECT_EQ(measured.speed_decade, 10.5);
    const Category command = category_named("cpu-600s");
    EXPECT_EQ(command.device, "cpu");
    EXPECT_EQ(command.budget_s, 600);
    EXPECT_EQ(command.speed_decade, std::nullopt);
}

TEST(Category, TellsTheThreadsOfARunThatSharedItsMachine) {
    const Category measured = category_named("cpu-600s-e10.5-t4");
    EXPECT_EQ(measured.speed_decade, 10.5);
    EXPECT_EQ(measured.threads, 4);
    EXPECT_EQ(category_named("cpu-2s-t1").threads, 1);
    EXPECT_EQ(category_named("cpu-2s-t1").budget_s, 2);
    EXPECT_EQ(category_named("cpu-2s").threads, std::nullopt);
    for (const char* name : {"cpu-2s-t", "cpu-2s-t0", "cpu-2s-t1.5", "cpu-2s-t9999", "cpu-2s-t4-e11", "cpu-2s-t4-t4"})
        EXPECT_EQ(category_named(name).budget_s, std::nullopt) << name;
    EXPECT_TRUE(is_misspelt(category_named("cpu-2s-t04")));
    EXPECT_FALSE(is_misspelt(category_named("cpu-2s-e11-t4")));
}

TEST(Category, MayBeNamedByItsPool) {
    for (const char* name : {"", "cpu", "laptops", "tpu-600s-e11", "600s"}) {
        const Category own = category_named(name);
        EXPECT_EQ(own.name, name);
        EXPECT_EQ(own.device, "");
        EXPECT_EQ(own.budget_s, std::nullopt);
    }
    for (const char* name : {"cpu-", "cpu-fast", "cpu-1e999s", "cpu-600s-e", "cpu-600s-f11", "cpu-600sx", "cpu-nans"}) {
        EXPECT_EQ(category_named(name).device, "cpu") << name;
        EXPECT_EQ(category_named(name).budget_s, std::nullopt) << name;
        EXPECT_EQ(category_named(name).speed_decade, std::nullopt) << name;
    }
}

TEST(Category, IsOfAnotherDeviceOnlyIfItTells) {
    EXPECT_TRUE(is_of_another_device(category_named("cuda-600s-e14"), "cpu"));
    EXPECT_FALSE(is_of_another_device(category_named("cpu-600s-e11"), "cpu"));
    EXPECT_FALSE(is_of_another_device(category_named("laptops"), "cpu"));
}

}  // namespace
}  // namespace cultivar
