#include "train/energy/slot_book.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

constexpr std::int64_t kQuarter = 1'795'232'700;  // 2026-11-21T03:45:00Z

TEST(SlotBook, PartsTimeAndJoulesAtTheBordersOfSlots) {
    SlotBook book;
    book.add(kQuarter + 840, 1020, {{"cpu", "rapl", 0.05, 10'200, 1'020}});  // 1 min, 15 min and 1 min at 10 W
    const Energy energy = book.energy(1020);
    ASSERT_EQ(energy.domains.size(), 1U);
    EXPECT_EQ(energy.domains[0].slots,
              (std::vector<EnergySlot>{
                  {kQuarter, 60, 600, 60}, {kQuarter + 900, 900, 9'000, 900}, {kQuarter + 1800, 60, 600, 60}}));
    EXPECT_DOUBLE_EQ(energy.joules, 9'180);
    EXPECT_DOUBLE_EQ(energy.idle_watts, 1);
    EXPECT_EQ(energy.method, "rapl");
    EXPECT_EQ(wrong_in(energy, 1020), std::nullopt);
}

TEST(SlotBook, CountsTheSecondsOfTwoPackagesOnce) {
    SlotBook book;
    book.add(kQuarter, 10,
             {{"cpu", "rapl", 0.05, 100, 0}, {"cpu", "rapl", 0.05, 200, 0}, {"dram", "rapl", 0.05, 5, 0}});
    const Energy energy = book.energy(10);
    ASSERT_EQ(energy.domains.size(), 2U);
    EXPECT_EQ(energy.domains[0].slots[0], (EnergySlot{kQuarter, 10, 300, 0}));
}

TEST(SlotBook, NamesTheMethodWithMostJoules) {
    SlotBook book;
    book.add(kQuarter, 10, {{"cpu", "rapl", 0.05, 100, 0}, {"gpu", "nvml", 0.05, 3'000, 0}});
    EXPECT_EQ(book.energy(10).method, "nvml");
    EXPECT_EQ(SlotBook().energy(10).method, "") << "nothing was measured";
}

TEST(SlotBook, NeverHasLessThanNothingAboveIdle) {
    SlotBook book;
    book.add(kQuarter, 10, {{"cpu", "rapl", 0.05, 10, 50}});
    EXPECT_EQ(book.energy(10).joules, 0);
}

}  // namespace
}  // namespace cultivar
