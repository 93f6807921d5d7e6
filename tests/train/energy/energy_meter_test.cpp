#include "train/energy/energy_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/train/energy/fake_machine.h"
#include "tests/train/support/fake_clock.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Metering : public ::testing::Test {
protected:
    Metering() { clock_.time_s = 1'795'232'700 + 890; }  // 10 s before 04:00
    EnergyMeter meter(const EnergyUse& use, IdlePowers idle = {}) {
        return EnergyMeter(clock_, plan_energy(machine_.places(), use), std::move(idle));
    }
    void add_package() { machine_.add_zone("intel-rapl:0", "package-0"); }

    FakeMachine machine_;
    FakeClock clock_;
};

TEST_F(Metering, KeepsJoulesOfEachSlotGrossAndIdleApart) {
    add_package();
    EnergyMeter meter = this->meter({.threads = 2}, {{"rapl:package-0@intel-rapl:0", {2, 0}}});
    ASSERT_TRUE(meter.measures());
    meter.start();
    clock_.time_s += 10;
    machine_.set_zone("intel-rapl:0", "100000000");
    meter.poll();
    clock_.time_s += 5;
    machine_.set_zone("intel-rapl:0", "250000000");
    const Energy energy = meter.stop();
    ASSERT_EQ(energy.domains.size(), 1U);
    EXPECT_THAT(energy.domains[0].slots,
                ElementsAre(EnergySlot{1'795'232'700, 10, 100, 20}, EnergySlot{1'795'233'600, 5, 150, 10}));
    EXPECT_DOUBLE_EQ(energy.joules, 220);
    EXPECT_DOUBLE_EQ(energy.idle_watts, 2);
    EXPECT_EQ(energy.method, "rapl");
}

TEST_F(Metering, TellsOnTheWayWhatWasSpentSoFar) {
    add_package();
    EnergyMeter meter = this->meter({}, {{"rapl:package-0@intel-rapl:0", {8, 0}}});
    meter.start();
    clock_.time_s += 3;
    machine_.set_zone("intel-rapl:0", "100000000");
    const EnergyMeter::Spent before = meter.spent();
    EXPECT_DOUBLE_EQ(before.seconds, 3);
    EXPECT_DOUBLE_EQ(before.joules, 100 - 24);
    clock_.time_s += 10;
    machine_.set_zone("intel-rapl:0", "110000000");
    EXPECT_DOUBLE_EQ(meter.spent().joules - before.joules, 10 - 80) << "quieter than idle";
}

TEST_F(Metering, CountsNothingBetweenTwoParts) {
    add_package();
    EnergyMeter meter = this->meter({});
    meter.start();
    clock_.time_s += 2;
    machine_.set_zone("intel-rapl:0", "10000000");
    EXPECT_DOUBLE_EQ(meter.stop().joules, 10);
    clock_.time_s += 3600;  // it waits with a checkpoint
    machine_.set_zone("intel-rapl:0", "900000000");
    meter.start();
    clock_.time_s += 2;
    machine_.set_zone("intel-rapl:0", "915000000");
    const Energy second = meter.stop();
    EXPECT_DOUBLE_EQ(second.joules, 15);
    EXPECT_DOUBLE_EQ(second.domains[0].slots[0].seconds, 2);
}

TEST_F(Metering, DeclaresOrEstimatesWithoutCountersAndSaysHowFarOff) {
    EnergyMeter declared = meter({.threads = 2, .declared_watts = 45.0});
    EXPECT_FALSE(declared.measures());
    declared.start();
    clock_.time_s += 20;
    Energy energy = declared.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 900);
    EXPECT_EQ(energy.method, "declared");
    EXPECT_EQ(energy.domains[0].domain, "machine");
    EXPECT_EQ(energy.domains[0].error, 0.3);
    EnergyMeter estimated = meter({.threads = 3});
    estimated.start();
    clock_.time_s += 2;
    energy = estimated.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 60);
    EXPECT_EQ(energy.method, "estimated");
    EXPECT_EQ(energy.domains[0].error, 1);
    EXPECT_EQ(energy.idle_watts, 0);
}

// A GPU takes energy although nobody tells its power.
TEST_F(Metering, EstimatesTheGpuThatNoCounterTells) {
    add_package();
    EnergyMeter meter = this->meter({.threads = 2, .device = "cuda"});
    meter.start();
    clock_.time_s += 2;
    machine_.set_zone("intel-rapl:0", "40000000");
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 40 + 2 * kEstimatedWattsPerGpu);
    EXPECT_EQ(energy.method, "estimated");
}

TEST_F(Metering, CountsAMeterOfTheWholeMachineAloneAndCountersOnceItFails) {
    add_package();
    machine_.set("watts", "100");
    EnergyMeter meter = this->meter({.meter_command = "cat '" + machine_.path("watts") + "'"});
    meter.start();
    clock_.time_s += 2;
    machine_.set_zone("intel-rapl:0", "40000000");
    Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 200) << "the package is a part of the machine";
    EXPECT_EQ(energy.method, "meter");
    std::filesystem::remove(machine_.path("watts"));
    meter.start();
    clock_.time_s += 2;
    machine_.set_zone("intel-rapl:0", "80000000");
    energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 40);
    EXPECT_EQ(energy.method, "rapl");
    EXPECT_THAT(meter.take_troubles(), ElementsAre(HasSubstr("exit code 1")));
    EXPECT_THAT(meter.take_troubles(), IsEmpty());
}

TEST_F(Metering, CountsABatteryWhileItDischargesAndTheEstimateOnMains) {
    machine_.set("power_supply/BAT0/type", "Battery");
    machine_.set("power_supply/BAT0/power_now", "15000000");
    machine_.set("power_supply/BAT0/status", "Discharging");
    EnergyMeter meter = this->meter({.threads = 1});
    meter.start();
    clock_.time_s += 4;
    meter.poll();
    machine_.set("power_supply/BAT0/status", "Full");
    clock_.time_s += 5;
    const Energy energy = meter.stop();
    ASSERT_EQ(energy.domains.size(), 2U);
    EXPECT_EQ(energy.domains[0].method, "battery");
    EXPECT_DOUBLE_EQ(energy.domains[0].slots[0].gross_joules, 60);
    EXPECT_EQ(energy.domains[1].method, "estimated");
    EXPECT_DOUBLE_EQ(energy.domains[1].slots[0].gross_joules, 50);
    EXPECT_THAT(meter.take_troubles(), IsEmpty());
}

TEST_F(Metering, TakesADomainThatVanishedAtItsMeanAndTellsIt) {
    add_package();
    machine_.add_zone("intel-rapl:0:1", "dram");
    EnergyMeter meter = this->meter({});
    meter.start();
    clock_.time_s += 4;
    machine_.set_zone("intel-rapl:0", "80000000");
    machine_.set_zone("intel-rapl:0:1", "8000000");
    meter.poll();
    machine_.remove_zone("intel-rapl:0:1");
    clock_.time_s += 3;
    machine_.set_zone("intel-rapl:0", "140000000");
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 140 + 8 + 6);
    ASSERT_EQ(energy.domains.size(), 3U);
    EXPECT_EQ(energy.domains[2].domain, "dram");
    EXPECT_EQ(energy.domains[2].method, "estimated");
    EXPECT_THAT(meter.take_troubles(), ElementsAre(HasSubstr("cannot be read any more")));
}

TEST_F(Metering, GoesOnWithAnEstimateWhereEveryCounterVanished) {
    add_package();
    EnergyMeter meter = this->meter({.threads = 2});
    meter.start();
    machine_.remove_zone("intel-rapl:0");
    clock_.time_s += 3;
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 60);
    EXPECT_EQ(energy.method, "estimated");
}

TEST_F(Metering, GivesEachOfSeveralRunsItsPart) {
    add_package();
    std::map<pid_t, double> times;
    SharedMachine shared([&](const std::set<pid_t>&) { return times; });
    const auto plan = [&] { return plan_energy(machine_.places(), {}); };
    const IdlePowers idle = {{"rapl:package-0@intel-rapl:0", {4, 0}}};
    EnergyMeter one(clock_, plan(), idle, &shared), other(clock_, plan(), idle, &shared);
    one.start(), other.start();
    one.follow(10), other.follow(20);
    clock_.time_s += 5;
    times = {{10, 3.0}, {20, 1.0}};
    machine_.set_zone("intel-rapl:0", "200000000");
    const Energy first = one.stop(), second = other.stop();
    EXPECT_DOUBLE_EQ(first.domains[0].slots[0].gross_joules, 150);
    EXPECT_DOUBLE_EQ(second.domains[0].slots[0].gross_joules, 50);
    EXPECT_DOUBLE_EQ(first.joules + second.joules, 200 - 4 * 5) << "nothing twice, nothing lost";
    EXPECT_EQ(first.method, "shared");
    EXPECT_EQ(first.domains[0].error, 0.5);
}

TEST_F(Metering, FollowsTheWallClockWhenTheMachineSlept) {
    struct Sleepy final : Clock {
        double now_s() const override { return run_s; }
        std::int64_t unix_s() const override { return wall_s; }
        void sleep_s(double) const override {}
        double run_s = 0;
        std::int64_t wall_s = 1'795'232'700;
    } clock;
    EnergyMeter meter(clock, plan_energy(machine_.places(), {.threads = 1}));
    meter.start();
    clock.run_s += 10, clock.wall_s += 10;
    meter.poll();
    clock.run_s += 5, clock.wall_s += 7205;  // two hours asleep
    const Energy energy = meter.stop();
    ASSERT_EQ(energy.domains[0].slots.size(), 2U);
    EXPECT_EQ(energy.domains[0].slots[1].start_unix_s, 1'795'232'700 + 7200);
    EXPECT_DOUBLE_EQ(energy.domains[0].slots[1].seconds, 5);
}

}  // namespace
}  // namespace cultivar
