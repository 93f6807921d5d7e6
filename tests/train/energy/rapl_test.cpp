#include "train/energy/rapl.h"

#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/train/energy/fake_machine.h"
#include "train/energy/rising_counter.h"

namespace cultivar {
namespace {

using Sources = std::vector<std::shared_ptr<EnergySource>>;

Sources sources_of(const FakeMachine& machine) { return rapl_sources(rapl_zones(machine.places().powercap)); }

TEST(Rapl, CountsPackagesAndMemoryOnceEach) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0");
    machine.add_zone("intel-rapl:0:0", "core");
    machine.add_zone("intel-rapl:0:1", "dram");
    machine.add_zone("intel-rapl:1", "psys");
    machine.add_zone("intel-rapl-mmio:0", "package-0");
    const Sources sources = sources_of(machine);
    ASSERT_EQ(sources.size(), 2U);
    EXPECT_EQ(sources[0]->domain(), "cpu");
    EXPECT_EQ(sources[1]->domain(), "dram");
    EXPECT_EQ(sources[0]->method(), "rapl");
    for (const auto& source : sources) source->begin();
    machine.set_zone("intel-rapl:0", "300000000");
    machine.set_zone("intel-rapl:0:1", "20000000");
    EXPECT_DOUBLE_EQ(sources[0]->take(10).value(), 300);
    EXPECT_DOUBLE_EQ(sources[1]->take(10).value(), 20);
}

TEST(Rapl, CountsTheDiesOfAPackageEachWithItsOwnKey) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0-die-0");
    machine.add_zone("intel-rapl:1", "package-0-die-1");
    const Sources sources = sources_of(machine);
    ASSERT_EQ(sources.size(), 2U);
    EXPECT_EQ(sources[1]->domain(), "cpu");
    EXPECT_NE(sources[0]->key(), sources[1]->key());
}

// AMD's counter: 65.5 kJ, which 280 W reach in 234 s.
TEST(Rapl, FollowsACounterThatWrapsAtItsOwnRange) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0", "65532610987");
    const Sources sources = sources_of(machine);
    machine.set_zone("intel-rapl:0", "65432610987");
    sources[0]->begin();
    machine.set_zone("intel-rapl:0", "180000000");
    EXPECT_DOUBLE_EQ(sources[0]->take(1).value(), 280);
    machine.set_zone("intel-rapl:0", "460000000");
    EXPECT_DOUBLE_EQ(sources[0]->take(1).value(), 280);
}

TEST(Rapl, TakesACounterThatBeganAgainForNoWrap) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0", "65532610987");
    const Sources sources = sources_of(machine);
    machine.set_zone("intel-rapl:0", "20000000000");
    sources[0]->begin();
    machine.set_zone("intel-rapl:0", "30000000");  // a wrap would be 45 kJ in a second
    EXPECT_DOUBLE_EQ(sources[0]->take(1).value(), 30);
}

TEST(Rapl, SaysThatACounterVanishedAndCountsNothingOfTheGap) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0");
    const Sources sources = sources_of(machine);
    sources[0]->begin();
    machine.remove_zone("intel-rapl:0");
    EXPECT_FALSE(sources[0]->take(1));
    EXPECT_NE(sources[0]->trouble().find("cannot be read any more"), std::string::npos);
    machine.set_zone("intel-rapl:0", "500000000");
    EXPECT_FALSE(sources[0]->take(1)) << "the first value after a gap begins anew";
    machine.set_zone("intel-rapl:0", "510000000");
    EXPECT_DOUBLE_EQ(sources[0]->take(1).value(), 10);
    EXPECT_EQ(sources[0]->trouble(), "");
}

TEST(Rapl, TakesACounterWithoutNumbersForAbsent) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0");
    machine.set_zone("intel-rapl:0", "");
    EXPECT_TRUE(sources_of(machine).empty());
    EXPECT_TRUE(rapl_zones("/nonexistent").empty());
}

// Root may read everything, so it looks with nobody's eyes.
class AsNobody {
public:
    AsNobody() : was_root_(::geteuid() == 0) {
        if (was_root_ && ::seteuid(65534) != 0) std::abort();
    }
    ~AsNobody() {
        if (was_root_ && ::seteuid(0) != 0) std::abort();
    }

private:
    bool was_root_;
};

TEST(Rapl, KnowsACounterThatIsClosedToThisUserFromOneThatIsNotThere) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0");
    machine.add_zone("intel-rapl:1", "package-1");
    using std::filesystem::perms;
    const perms open =
        perms::owner_all | perms::group_read | perms::group_exec | perms::others_read | perms::others_exec;
    std::filesystem::permissions(machine.path("."), open);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(machine.path(".")))
        std::filesystem::permissions(entry.path(), open);
    std::filesystem::permissions(machine.path("powercap/intel-rapl:0/energy_uj"), perms::none);
    const AsNobody nobody;
    const auto zones = rapl_zones(machine.places().powercap);
    ASSERT_EQ(zones.size(), 2U);
    EXPECT_TRUE(zones[0].forbidden);
    EXPECT_FALSE(zones[1].forbidden);
    EXPECT_EQ(rapl_sources(zones).size(), 1U);
    const auto notes = plan_energy(machine.places(), {}).notes;
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("closed to this user"), std::string::npos);
}

TEST(RisingCounter, WithoutARangeOnlyBeginsAgain) {
    RisingCounter counter(1e-3, 0);
    counter.begin(5'000);
    EXPECT_DOUBLE_EQ(counter.advance(7'000, 1).value(), 2);
    EXPECT_DOUBLE_EQ(counter.advance(1'000, 1).value(), 1);
}

}  // namespace
}  // namespace cultivar
