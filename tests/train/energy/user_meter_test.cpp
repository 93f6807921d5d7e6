#include "train/energy/user_meter.h"

#include <gtest/gtest.h>

#include "tests/train/energy/fake_machine.h"

namespace cultivar {
namespace {

bool says(const EnergySource& source, const std::string& words) {
    return source.trouble().find(words) != std::string::npos;
}

TEST(UserMeter, MeasuresTheMachineInWatts) {
    const auto meter = user_meter_source("echo 42.5 W");
    EXPECT_EQ(meter->domain(), "machine");
    EXPECT_EQ(meter->method(), "meter");
    EXPECT_EQ(meter->error(), 0.1);
    EXPECT_EQ(user_meter_source("echo 1", 0.02)->error(), 0.02);
    meter->begin();
    EXPECT_DOUBLE_EQ(meter->take(2).value(), 85);
    EXPECT_EQ(meter->trouble(), "");
}

TEST(UserMeter, TellsItsFailuresAndNoEnergy) {
    const auto silent = user_meter_source("exit 3");
    silent->begin();
    EXPECT_FALSE(silent->take(1));
    EXPECT_TRUE(says(*silent, "exit code 3"));
    for (const char* answer : {"echo warm", "echo -5", "echo nan", "echo 1e9", "true", "echo 12,5"}) {
        const auto meter = user_meter_source(answer);
        meter->begin();
        EXPECT_FALSE(meter->take(1)) << answer;
        EXPECT_TRUE(says(*meter, "no number of watts")) << answer;
    }
}

TEST(UserMeter, IsAskedAgainAndAnOldAnswerCountsNoMore) {
    FakeMachine machine;
    machine.set("watts", "10");
    const auto meter = user_meter_source("cat '" + machine.path("watts") + "'");
    meter->begin();
    std::filesystem::remove(machine.path("watts"));
    bool told = false, silent = false;
    for (int i = 0; i < 100 && !silent; ++i) silent = !meter->take(kMeterEvery_s / 5).has_value();
    EXPECT_TRUE(silent) << "no answer for over a minute";
    machine.set("watts", "20");
    meter->begin();
    EXPECT_DOUBLE_EQ(meter->take(1).value(), 20);
    told = meter->trouble().empty();
    EXPECT_TRUE(told);
}

}  // namespace
}  // namespace cultivar
