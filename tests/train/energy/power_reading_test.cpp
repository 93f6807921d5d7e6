#include "train/energy/power_reading.h"

#include <gtest/gtest.h>

#include "tests/train/energy/fake_machine.h"

namespace cultivar {
namespace {

class Battery : public ::testing::Test {
protected:
    Battery() {
        machine_.set("power_supply/AC/type", "Mains");
        machine_.set("power_supply/mouse/type", "Battery");
        machine_.set("power_supply/mouse/scope", "Device");
        machine_.set("power_supply/mouse/power_now", "1000000");
        machine_.set("power_supply/BAT0/type", "Battery");
        set("Discharging", "12000000");
    }
    void set(const std::string& status, const std::string& microwatts) {
        machine_.set("power_supply/BAT0/status", status);
        machine_.set("power_supply/BAT0/power_now", microwatts);
    }
    std::shared_ptr<EnergySource> source() const {
        return battery_source(battery_folders(machine_.places().power_supply));
    }
    FakeMachine machine_;
};

TEST_F(Battery, MeasuresTheMachineWhileItDischarges) {
    EXPECT_EQ(battery_folders(machine_.places().power_supply).size(), 1U) << "a mouse's is none of the machine";
    const auto battery = source();
    EXPECT_EQ(battery->domain(), "machine");
    battery->begin();
    set("Discharging", "18000000");
    EXPECT_DOUBLE_EQ(battery->take(10).value(), 150) << "the mean of two readings";
}

TEST_F(Battery, TellsNothingOnMainsAndThatIsNoFault) {
    const auto battery = source();
    set("Charging", "30000000");
    battery->begin();
    EXPECT_FALSE(battery->take(10));
    EXPECT_EQ(battery->trouble(), "");
    set("Discharging", "12000000");
    EXPECT_FALSE(battery->take(10)) << "half of that time was on mains";
    EXPECT_DOUBLE_EQ(battery->take(10).value(), 120);
}

TEST_F(Battery, MayTellCurrentAndVoltageInsteadOfPower) {
    std::filesystem::remove(machine_.path("power_supply/BAT0/power_now"));
    machine_.set("power_supply/BAT0/current_now", "-1500000");
    machine_.set("power_supply/BAT0/voltage_now", "12000000");
    const auto battery = source();
    battery->begin();
    EXPECT_DOUBLE_EQ(battery->take(2).value(), 36);
}

TEST(AmdGpus, AreThoseOfHwmonThatHaveAReadingOfPower) {
    FakeMachine machine;
    machine.set("hwmon/hwmon0/name", "coretemp");
    machine.set("hwmon/hwmon1/name", "amdgpu");
    machine.set("hwmon/hwmon1/power1_average", "200000000");
    machine.set("hwmon/hwmon2/name", "amdgpu");  // without one
    machine.set("hwmon/hwmon3/name", "amdgpu");
    machine.set("hwmon/hwmon3/power1_input", "50000000");
    const auto folders = amd_gpu_folders(machine.places().hwmon);
    ASSERT_EQ(folders.size(), 2U);
    const auto gpu = amd_gpu_source(folders[0]);
    EXPECT_EQ(gpu->method(), "hwmon");
    EXPECT_EQ(gpu->domain(), "gpu");
    gpu->begin();
    machine.set("hwmon/hwmon1/power1_average", "100000000");
    EXPECT_DOUBLE_EQ(gpu->take(2).value(), 300);
    std::filesystem::remove(machine.path("hwmon/hwmon1/power1_average"));
    EXPECT_FALSE(gpu->take(2));
    EXPECT_NE(gpu->trouble(), "");
}

}  // namespace
}  // namespace cultivar
