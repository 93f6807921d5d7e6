#include "cli/schedule/machine_signals.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/schedule/idle_input.h"
#include "cli/schedule/power_state.h"
#include "tests/cli/schedule/waiting_machine.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDesktop = "TYPE=wayland\nCLASS=user\nSTATE=active";

TEST(Mains, AreOnWhereAnAdapterIsOrNothingTells) {
    const WaitingMachine machine;
    EXPECT_EQ(mains(machine.places()).value, 1) << "a desktop computer";
    machine.supply("BAT0", "Battery", "status", "Charging");
    EXPECT_EQ(mains(machine.places()).value, 1);
    machine.supply("BAT0", "Battery", "status", "Discharging");
    EXPECT_EQ(mains(machine.places()).value, 0);
    machine.supply("AC", "Mains", "online", "1");
    EXPECT_EQ(mains(machine.places()).value, 1) << "the adapter knows best";
    machine.supply("AC", "Mains", "online", "0");
    machine.supply("BAT0", "Battery", "status", "Not charging");
    EXPECT_EQ(mains(machine.places()).value, 0);
}

TEST(Mains, AreNotToldByTheBatteryOfAMouse) {
    const WaitingMachine machine;
    machine.supply("mouse", "Battery", "status", "Discharging");
    machine.set("supply/mouse/scope", "Device");
    machine.set("supply/mouse/capacity", "7");
    EXPECT_EQ(mains(machine.places()).value, 1);
    EXPECT_EQ(battery_charge(machine.places()).missing, "this machine has no battery");
}

TEST(BatteryCharge, IsTheMeanOfTheMachinesBatteries) {
    const WaitingMachine machine;
    machine.supply("BAT0", "Battery", "capacity", "80");
    machine.supply("BAT1", "Battery", "capacity", "40");
    EXPECT_EQ(battery_charge(machine.places()).value, 60);
}

TEST(Temperature, IsThatOfTheHottestSensorOfTheProcessors) {
    const WaitingMachine machine;
    EXPECT_EQ(temperature(machine.places()).missing, "this machine has no sensor of it");
    machine.set("thermal/thermal_zone0/temp", "47000");
    EXPECT_EQ(temperature(machine.places()).value, 47);
    machine.set("hwmon/hwmon0/name", "nvme");
    machine.set("hwmon/hwmon0/temp1_input", "70000");
    machine.set("hwmon/hwmon1/name", "coretemp");
    machine.set("hwmon/hwmon1/temp1_input", "52500");
    machine.set("hwmon/hwmon1/temp2_input", "61000");
    machine.set("hwmon/hwmon1/temp3_input", "-128000");  // broken
    EXPECT_EQ(temperature(machine.places()).value, 61);
}

TEST(IdleInput, IsTheTimeSinceTheLastInputAtATerminal) {
    const WaitingMachine machine;
    const std::int64_t now_s = machine.clock.unix_s();
    EXPECT_EQ(idle_input(machine.places(), now_s).missing, "there is no terminal");
    machine.set("proc/uptime", "4000.25 90.00");
    EXPECT_EQ(idle_input(machine.places(), now_s).value, 4000.25) << "nobody can have used it";
    machine.typed("tty1", 900);
    machine.typed("pts/3", 240);
    machine.typed("pts/ptmx", 1);
    machine.typed("tty", 1);
    EXPECT_EQ(idle_input(machine.places(), now_s).value, 240);
    machine.typed("pts/4", -50);
    EXPECT_EQ(idle_input(machine.places(), now_s).value, 0);
}

TEST(IdleInput, IsWhatTheDesktopSays) {
    const WaitingMachine machine;
    const std::int64_t now_s = machine.clock.unix_s();
    machine.typed("tty1", 9000);
    machine.set("sessions/1", "TYPE=tty\nCLASS=user\nSTATE=active");
    machine.set("sessions/c1", "TYPE=wayland\nCLASS=greeter\nSTATE=active");
    EXPECT_EQ(idle_input(machine.places(), now_s).value, 9000);
    machine.set("sessions/2", kDesktop);
    EXPECT_THAT(idle_input(machine.places(), now_s).missing, HasSubstr("desktop session '2'"));
    machine.set("hint-2", "IdleHint=no\nIdleSinceHint=0");
    EXPECT_EQ(idle_input(machine.places(), now_s).value, 0);
    machine.set("hint-2", fmt::format("IdleHint=yes\nIdleSinceHint={}000000", now_s - 600));
    EXPECT_EQ(idle_input(machine.places(), now_s).value, 600);
    machine.set("hint-2", "IdleHint=yes\nIdleSinceHint=Thu 2026");
    EXPECT_FALSE(idle_input(machine.places(), now_s).value);
}

TEST(OthersLoad, LeavesOutThisProgramAndItsChildren) {
    const WaitingMachine machine;
    const MachinePlaces places = machine.places();
    OthersLoad load(places, machine.clock);
    machine.process(1, 0, 50);
    machine.process(100, 1, 10, "cultivar) S 9 (");
    machine.process(200, 100, 40);
    machine.process(201, 200, 0);
    machine.ticks(1000, 5000);
    EXPECT_FALSE(load.now().value) << "time stood still";
    machine.clock.sleep_s(30);
    machine.process(201, 200, 300);
    machine.process(1, 0, 150);
    machine.ticks(1400, 5600);
    EXPECT_EQ(load.now().value, 10) << "400 of 1,000 ticks were busy, 300 of them ours";
    machine.clock.sleep_s(0.5);
    machine.ticks(9000, 5600);
    EXPECT_EQ(load.now().value, 10) << "too soon for another reading";
    machine.clock.sleep_s(1);
    std::filesystem::remove_all(machine.folder.file("proc/201"));  // ended, and not waited for yet
    EXPECT_EQ(load.now().value, 100);
}

TEST(OthersLoad, IsUnknownWithoutTheProcessorsTimes) {
    const WaitingMachine machine;
    const MachinePlaces places = machine.places();
    std::filesystem::remove(machine.folder.file("proc/stat"));
    EXPECT_THAT(OthersLoad(places, machine.clock).now().missing, HasSubstr("cannot be read"));
}

class UsersOfGpus : public ::testing::Test {
protected:
    UsersOfGpus() { ::setenv("CULTIVAR_FAKE_NVML_STATE", machine_.folder.file("gpus").c_str(), 1); }
    ~UsersOfGpus() override { ::unsetenv("CULTIVAR_FAKE_NVML_STATE"); }
    Reading read(const GpuNeed& need) {
        MachinePlaces places = machine_.places();
        places.nvml = CULTIVAR_FAKE_NVML;
        return MachineSignals(places, machine_.clock, need).now(Signal::gpu);
    }
    WaitingMachine machine_;
};

TEST_F(UsersOfGpus, AreOtherProgramsOnTheGpusOfTheRuns) {
    machine_.process(100, 1, 0);
    machine_.process(200, 100, 0);
    machine_.set("gpus", "1 1 1 1 1 1 200 77 78");  // on the second GPU: a child of ours and two others
    EXPECT_EQ(read({}).value, 0) << "runs on the processors use none";
    EXPECT_EQ(read({.is_needed = true}).value, 2);
    EXPECT_EQ(read({.is_needed = true, .visible = "0"}).value, 0);
    EXPECT_EQ(read({.is_needed = true, .visible = "0,1", .number = "1"}).value, 2);
    EXPECT_EQ(read({.is_needed = true, .visible = {}, .number = "0"}).value, 0);
}

TEST_F(UsersOfGpus, AreUnknownWithoutTheLibrary) {
    GpuNeed need{.is_needed = true};
    EXPECT_THAT(MachineSignals(machine_.places(), machine_.clock, need).now(Signal::gpu).missing,
                HasSubstr("no-nvml.so"));
}

TEST(MachineSignals, AreReadOnceForAQuestion) {
    const WaitingMachine machine;
    MachineSignals signals(machine.places(), machine.clock);
    machine.supply("AC", "Mains", "online", "1");
    EXPECT_EQ(signals.now(Signal::ac).value, 1);
    machine.supply("AC", "Mains", "online", "0");
    machine.supply("BAT0", "Battery", "status", "Discharging");
    EXPECT_EQ(signals.now(Signal::ac).value, 1);
    signals.begin_question();
    EXPECT_EQ(signals.now(Signal::ac).value, 0);
}

}  // namespace
}  // namespace cultivar
