#include "train/energy/power_survey.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/file.h"
#include "tests/train/energy/fake_machine.h"

namespace cultivar {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The findings of a kind.
std::vector<PowerFinding> of_kind(const std::vector<PowerFinding>& all, const std::string& kind) {
    std::vector<PowerFinding> some;
    for (const PowerFinding& one : all) {
        if (one.kind == kind) some.push_back(one);
    }
    return some;
}

TEST(PowerSurvey, OfAMachineWithoutAnythingNamesTheEstimateAndTheWaysOutOfIt) {
    const FakeMachine machine;
    const auto findings = survey_power(machine.places(), {.threads = 3}, {});
    const auto processors = of_kind(findings, "processors");
    ASSERT_EQ(processors.size(), 1U);
    EXPECT_THAT(processors[0].remedy, Contains(HasSubstr("cultivar.watts")));
    EXPECT_THAT(processors[0].remedy, Contains(HasSubstr("cultivar.power.command")));
    const auto estimate = of_kind(findings, "estimate");
    ASSERT_EQ(estimate.size(), 1U);
    EXPECT_EQ(estimate[0].text, "30 W for cpu");
    EXPECT_TRUE(estimate[0].counts);
    EXPECT_FALSE(std::filesystem::exists(machine.path("state"))) << "looking changes nothing";
}

TEST(PowerSurvey, TellsEachCounterWithItsIdlePowerAndWhichOnesCount) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0");
    machine.add_zone("intel-rapl:0:1", "dram");
    machine.set("power_supply/BAT0/type", "Battery");
    machine.set("power_supply/BAT0/power_now", "15000000");
    machine.set("power_supply/BAT0/status", "Discharging");
    const IdlePowers idle = {{"rapl:package-0@intel-rapl:0", {3.5, 1'795'232'700}}};
    const auto findings = survey_power(machine.places(), {}, idle);
    const auto processors = of_kind(findings, "processors");
    ASSERT_EQ(processors.size(), 2U);
    EXPECT_TRUE(processors[0].counts);
    ASSERT_TRUE(processors[0].idle);
    EXPECT_EQ(processors[0].idle->watts, 3.5);
    EXPECT_FALSE(processors[1].idle);
    ASSERT_EQ(of_kind(findings, "battery").size(), 1U);
    EXPECT_FALSE(of_kind(findings, "battery")[0].counts) << "the processors' counters go before it";
    EXPECT_THAT(of_kind(findings, "estimate"), IsEmpty());
}

TEST(PowerSurvey, AsksTheUsersMeterAndSaysHowItFailed) {
    const FakeMachine machine;
    auto findings = survey_power(machine.places(), {.meter_command = "echo 61"}, {});
    EXPECT_EQ(of_kind(findings, "meter")[0].text, "61.0 W now");
    EXPECT_TRUE(of_kind(findings, "meter")[0].counts);
    findings = survey_power(machine.places(), {.declared_watts = 90.0, .meter_command = "exit 4"}, {});
    EXPECT_THAT(of_kind(findings, "meter")[0].text, HasSubstr("exit code 4"));
    EXPECT_THAT(of_kind(findings, "meter")[0].remedy, Not(IsEmpty()));
    EXPECT_FALSE(of_kind(findings, "meter")[0].counts);
    ASSERT_EQ(of_kind(findings, "declared").size(), 1U);
    EXPECT_EQ(of_kind(findings, "declared")[0].text, "90 W for machine");
}

TEST(PowerSurvey, ListsGpusAlsoWhereNoRunUsesThem) {
    FakeMachine machine;
    ::setenv("CULTIVAR_FAKE_NVML_STATE", machine.path("gpus").c_str(), 1);
    machine.set("gpus", "0 0 0 0 0 0");
    EnergyPlaces places = machine.places();
    places.nvml = CULTIVAR_FAKE_NVML;
    const auto gpus = of_kind(survey_power(places, {}, {}), "gpu");
    ASSERT_EQ(gpus.size(), 3U);
    EXPECT_THAT(gpus[1].text, HasSubstr("GPU-bbbb2222"));
    EXPECT_FALSE(gpus[1].counts);
    const auto used = of_kind(survey_power(places, {.device = "cuda", .visible_gpus = "1"}, {}), "gpu");
    EXPECT_FALSE(used[0].counts);
    EXPECT_TRUE(used[1].counts);
    ::unsetenv("CULTIVAR_FAKE_NVML_STATE");
}

TEST(PowerSurvey, PrintsTheRuleThatIsInstalled) {
    const auto file = read_file(CULTIVAR_UDEV_RULES);
    ASSERT_TRUE(file);
    EXPECT_THAT(*file, HasSubstr(std::string("\n") + kUdevRule + "\n"));
}

}  // namespace
}  // namespace cultivar
