#include "train/energy/idle_power.h"

#include <gtest/gtest.h>

#include "tests/train/energy/fake_machine.h"
#include "tests/train/support/fake_clock.h"

namespace cultivar {
namespace {

// Draws so many joules in each window, one after another.
class Draws final : public EnergySource {
public:
    explicit Draws(std::vector<double> joules)
        : EnergySource("rapl:package-0", "cpu", "rapl", 0.05), joules_(std::move(joules)) {}
    void begin() override {}
    std::optional<double> take(double) override { return joules_.at(at_++); }

private:
    std::vector<double> joules_;
    std::size_t at_ = 0;
};

// The processors work or not while this clock sleeps.
class WorkingClock final : public Clock {
public:
    WorkingClock(FakeMachine& machine, std::vector<int> busy) : machine_(machine), busy_(std::move(busy)) {}
    double now_s() const override { return time_s_; }
    std::int64_t unix_s() const override { return 1'795'232'700 + static_cast<std::int64_t>(time_s_); }
    void sleep_s(double seconds) const override {
        time_s_ += seconds;
        busy_ticks_ += busy_.at(window_), idle_ticks_ += 100 - busy_.at(window_);
        ++window_;
        machine_.idle_ticks(busy_ticks_, idle_ticks_);
    }

private:
    FakeMachine& machine_;
    std::vector<int> busy_;
    mutable double time_s_ = 0;
    mutable std::size_t window_ = 0;
    mutable int busy_ticks_ = 0, idle_ticks_ = 0;
};

IdlePowers measured(std::vector<double> joules, std::vector<int> busy, bool& counted, IdlePowers powers = {}) {
    FakeMachine machine;
    const WorkingClock clock(machine, std::move(busy));
    counted = measure_idle(clock, {std::make_shared<Draws>(std::move(joules))}, machine.places().proc_stat, {}, powers);
    return powers;
}

TEST(IdlePower, IsTheLeastOfSeveralWindowsInWhichTheMachineWasIdle) {
    bool counted = false;
    const IdlePowers powers = measured({9, 2, 6, 7, 8}, {0, 50, 1, 5, 6}, counted);
    EXPECT_TRUE(counted);
    ASSERT_EQ(powers.size(), 1U);
    EXPECT_DOUBLE_EQ(powers.at("rapl:package-0").watts, 6) << "2 W was while something else ran";
    EXPECT_EQ(powers.at("rapl:package-0").at_unix_s, 1'795'232'703);
}

TEST(IdlePower, IsNotMeasuredOnABusyMachine) {
    bool counted = true;
    EXPECT_TRUE(measured({9, 9, 9, 9, 9}, {100, 20, 6, 50, 50}, counted).empty());
    EXPECT_FALSE(counted);
}

TEST(IdlePower, StaysUntilAMonthIsOverUnlessItIsLess) {
    bool counted = false;
    const std::int64_t now = 1'795'232'700;
    const std::vector<int> idle(5, 0);
    const std::vector<double> eight(5, 8.0);
    const auto known = [&](double watts, std::int64_t age_s) {
        return measured(eight, idle, counted, {{"rapl:package-0", {watts, now - age_s}}}).at("rapl:package-0").watts;
    };
    EXPECT_EQ(known(5, 86'400), 5);
    EXPECT_EQ(known(12, 86'400), 8);
    EXPECT_EQ(known(5, kIdleLasts_s), 8);
}

TEST(IdlePower, IsKeptPerMachineAndReadBack) {
    FakeMachine machine;
    machine.set("machine-id", "0123456789abcdef0123456789abcdef");
    machine.set("other-id", "ffffffffffffffffffffffffffffffff");
    const std::string file = idle_file(machine.path("state"), machine.path("machine-id"));
    EXPECT_NE(file, idle_file(machine.path("state"), machine.path("other-id")));
    EXPECT_EQ(file.find("0123456789abcdef"), std::string::npos) << "the id itself stays private";
    EXPECT_NE(idle_file(machine.path("state"), machine.path("none")), file) << "the host's name serves as well";
    EXPECT_TRUE(read_idle_powers(file).empty());
    EXPECT_FALSE(std::filesystem::exists(machine.path("state"))) << "looking changes nothing";
    ASSERT_TRUE(write_idle_powers(file, {{"battery", {4.5, 1'795'232'700}}}));
    const IdlePowers read = read_idle_powers(file);
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read.at("battery").watts, 4.5);
    EXPECT_EQ(read.at("battery").at_unix_s, 1'795'232'700);
}

TEST(IdlePower, OfAFileThatWasTamperedWithIsPassedOver) {
    FakeMachine machine;
    for (const char* text : {"", "[]", "{", R"({"a":1})", R"({"a":{"watts":"5","at":"2026-11-21T03:45:00Z"}})",
                             R"({"a":{"watts":-5,"at":"2026-11-21T03:45:00Z"}})", R"({"a":{"watts":5,"at":"now"}})"}) {
        machine.set("idle.json", text);
        EXPECT_TRUE(read_idle_powers(machine.path("idle.json")).empty()) << text;
    }
}

TEST(IdlePower, IsKnownWhileEverySourceHasAFigureOfThisMonth) {
    const std::vector<std::shared_ptr<EnergySource>> sources = {std::make_shared<Draws>(std::vector<double>{})};
    EXPECT_FALSE(are_known({}, sources, 1000));
    EXPECT_TRUE(are_known({{"rapl:package-0", {5, 1000}}}, sources, 1000));
    EXPECT_FALSE(are_known({{"rapl:package-0", {5, 1000}}}, sources, 1000 + kIdleLasts_s));
    EXPECT_TRUE(are_known({}, {}, 1000)) << "a machine without counters has nothing to learn";
}

}  // namespace
}  // namespace cultivar
