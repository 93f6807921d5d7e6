#include "train/launch/energy_meter.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"
#include "tests/train/support/fake_clock.h"

namespace cultivar {
namespace {

// A powercap tree with one package, its cores, its memory and the platform around it.
class Powercap {
public:
    Powercap() {
        add("intel-rapl:0", "package-0", "1000000000");
        add("intel-rapl:0:0", "core", "1000000000");
        add("intel-rapl:0:1", "dram", "500000000");
        add("intel-rapl:1", "psys", "1000000000");
        add("intel-rapl-mmio:0", "package-0", "1000000000");
    }
    void set(const std::string& zone, const std::string& microjoules) {
        folder_.write(zone + "/energy_uj", microjoules);
    }
    const std::string& path() const { return folder_.path(); }

private:
    void add(const std::string& zone, const std::string& name, const std::string& range) {
        std::filesystem::create_directory(folder_.file(zone));
        folder_.write(zone + "/name", name + "\n");
        folder_.write(zone + "/max_energy_range_uj", range + "\n");
        set(zone, "0");
    }
    TempFolder folder_;
};

TEST(Energy, CountsPackagesAndMemoryOnceEach) {
    Powercap powercap;
    FakeClock clock;
    EnergyMeter meter(clock, 2, 50.0, powercap.path());
    ASSERT_TRUE(meter.measures());
    powercap.set("intel-rapl:0", "100000000");
    meter.start();
    clock.time_s += 10;
    powercap.set("intel-rapl:0", "400000000");    // 300 J
    powercap.set("intel-rapl:0:0", "200000000");  // within the package
    powercap.set("intel-rapl:0:1", "20000000");   // 20 J
    powercap.set("intel-rapl:1", "900000000");    // around the package
    powercap.set("intel-rapl-mmio:0", "400000000");
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 320);
    EXPECT_EQ(energy.method, "rapl");
    EXPECT_EQ(energy.idle_watts, 0);
}

TEST(Energy, FollowsACounterThatWrapsAroundMoreThanOnce) {
    Powercap powercap;
    FakeClock clock;
    EnergyMeter meter(clock, 2, {}, powercap.path());
    powercap.set("intel-rapl:0", "900000000");
    meter.start();
    powercap.set("intel-rapl:0", "100000000");  // 200 J
    meter.poll();
    powercap.set("intel-rapl:0", "950000000");  // 850 J
    meter.poll();
    powercap.set("intel-rapl:0", "50000000");  // 100 J
    EXPECT_DOUBLE_EQ(meter.stop().joules, 1150);
}

TEST(Energy, TakesTheIdleWattsOff) {
    Powercap powercap;
    FakeClock clock;
    EnergyMeter meter(clock, 2, {}, powercap.path());
    meter.start();
    clock.time_s += 2;
    powercap.set("intel-rapl:0", "16000000");
    meter.stop();
    meter.learn_idle();
    meter.start();
    clock.time_s += 10;
    powercap.set("intel-rapl:0", "316000000");
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.idle_watts, 8);
    EXPECT_DOUBLE_EQ(energy.joules, 300 - 80);
}

TEST(Energy, TellsOnTheWayWhatWasSpentSoFar) {
    Powercap powercap;
    FakeClock clock;
    EnergyMeter meter(clock, 2, {}, powercap.path());
    meter.start();
    clock.time_s += 2;
    powercap.set("intel-rapl:0", "16000000");
    meter.stop();
    meter.learn_idle();  // 8 W
    meter.start();
    clock.time_s += 3;
    powercap.set("intel-rapl:0", "116000000");
    const EnergyMeter::Spent before = meter.spent();
    EXPECT_DOUBLE_EQ(before.seconds, 3);
    EXPECT_DOUBLE_EQ(before.joules, 100 - 24);
    clock.time_s += 10;
    powercap.set("intel-rapl:0", "316000000");
    EXPECT_DOUBLE_EQ(meter.spent().joules - before.joules, 200 - 80);
    EXPECT_DOUBLE_EQ(meter.stop().joules, 300 - 104);

    EnergyMeter declared(clock, 2, 45.0, "/nonexistent");
    declared.start();
    clock.time_s += 2;
    EXPECT_DOUBLE_EQ(declared.spent().joules, 90);
}

TEST(Energy, IsNeverNegative) {
    Powercap powercap;
    FakeClock clock;
    EnergyMeter meter(clock, 2, {}, powercap.path());
    meter.start();
    clock.time_s += 1;
    powercap.set("intel-rapl:0", "50000000");
    meter.stop();
    meter.learn_idle();
    meter.start();
    clock.time_s += 1;
    EXPECT_EQ(meter.stop().joules, 0);
}

TEST(Energy, FallsBackToDeclaredWatts) {
    FakeClock clock;
    EnergyMeter meter(clock, 2, 45.0, "/nonexistent");
    EXPECT_FALSE(meter.measures());
    meter.start();
    clock.time_s += 20;
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 900);
    EXPECT_EQ(energy.method, "declared");
    meter.learn_idle();
    meter.start();
    clock.time_s += 1;
    EXPECT_DOUBLE_EQ(meter.stop().joules, 45);
}

TEST(Energy, EstimatesTenWattsAThreadWhenNothingIsKnown) {
    FakeClock clock;
    EnergyMeter meter(clock, 3, {}, "/nonexistent");
    meter.start();
    clock.time_s += 2;
    const Energy energy = meter.stop();
    EXPECT_DOUBLE_EQ(energy.joules, 60);
    EXPECT_EQ(energy.method, "estimated");
}

TEST(Energy, TakesACounterWithoutNumbersForAbsent) {
    Powercap powercap;
    for (const char* zone : {"intel-rapl:0", "intel-rapl:0:1"}) powercap.set(zone, "");
    const FakeClock clock;
    EXPECT_FALSE(EnergyMeter(clock, 1, {}, powercap.path()).measures());
}

}  // namespace
}  // namespace cultivar
