#include "energy/when/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using ::testing::HasSubstr;

std::string parsed(const std::string& text) { return to_text(parse_when(text).value()); }
std::string complaint(const std::string& text) { return parse_when(text).error().message; }

TEST(WhenCondition, ReadsEachSignalInItsUnits) {
    EXPECT_EQ(parsed("carbon < 200"), "carbon < 200 g/kWh");
    EXPECT_EQ(parsed("carbon<=0.2 kg/kWh"), "carbon <= 200 g/kWh");
    EXPECT_EQ(parsed("carbon < 200 gCO2/kWh"), "carbon < 200 g/kWh");
    EXPECT_EQ(parsed("carbon < 1000 lbs/MWh"), "carbon < 453.59237 g/kWh");
    EXPECT_EQ(parsed("price < 50 EUR/MWh"), "price < 0.05 EUR/kWh");
    EXPECT_EQ(parsed("price <= -1.5 ct/kWh"), "price <= -0.015 EUR/kWh");
    EXPECT_EQ(parsed("price > 20 p/kWh"), "price > 0.2 GBP/kWh");
    EXPECT_EQ(parsed("idle >= 90s"), "idle >= 90 s");
    EXPECT_EQ(parsed("idle > 2 hours"), "idle > 120 min");
    EXPECT_EQ(parsed("battery > 50%"), "battery > 50 %");
    EXPECT_EQ(parsed("load < 25"), "load < 25 %");
    EXPECT_EQ(parsed("temperature < 80 \xC2\xB0"
                     "C"),
              "temperature < 80 C");
    EXPECT_EQ(parsed("time >= 22:30"), "time >= 22:30");
    EXPECT_EQ(parsed("time in 22:00-6:00"), "time in 22:00-06:00");
    EXPECT_EQ(parsed("carbon < p30"), "carbon < p30");
    EXPECT_EQ(parsed("ac"), "ac");
}

TEST(WhenCondition, BindsNotBeforeAndBeforeOr) {
    EXPECT_EQ(parsed("ac or carbon < 1 and price < p5"), "ac or (carbon < 1 g/kWh and price < p5)");
    EXPECT_EQ(parsed("(ac or load < 9) and gpu < 1"), "(ac or load < 9 %) and gpu < 1");
    EXPECT_EQ(parsed("not ac and ac"), "not ac and ac");
    EXPECT_EQ(parsed("((ac))"), "ac");
    EXPECT_EQ(parsed("ac and (ac and not ac)"), "ac and ac and not ac");
}

TEST(WhenCondition, MovesNotIntoTheTests) {
    EXPECT_EQ(parsed("not (carbon < 5 and time in 01:00-02:00)"), "carbon >= 5 g/kWh or not time in 01:00-02:00");
    EXPECT_EQ(parsed("not not load > 3"), "load > 3 %");
    EXPECT_EQ(parsed("not (ac or load <= 3)"), "not ac and load > 3 %");
}

TEST(WhenCondition, TakesIdleAloneAsBoincDoes) {
    EXPECT_EQ(parsed("idle"), "idle >= 3 min and load <= 25 % and gpu < 1");
    EXPECT_EQ(parsed("not idle or ac"), "idle < 3 min or load > 25 % or gpu >= 1 or ac");
}

TEST(WhenCondition, NamesThePlaceOfAFaultAndTheNearestWord) {
    EXPECT_EQ(complaint("ac and carbn < 3"),
              "character 8 of 'ac and carbn < 3': unknown signal 'carbn', did you mean 'carbon'?");
    EXPECT_THAT(complaint("wind > 3"), HasSubstr("unknown signal 'wind': there are carbon, price, idle, battery, ac, "
                                                 "load, temperature, time, gpu"));
    EXPECT_THAT(complaint("ac AND ac"), HasSubstr("character 4"));
    EXPECT_THAT(complaint("ac AND ac"), HasSubstr("did you mean 'and'?"));
    EXPECT_THAT(complaint("carbon"), HasSubstr("it ends where a comparison, as in 'carbon < p30' is missing"));
    EXPECT_THAT(complaint("carbon = 3"), HasSubstr("'=' is no comparison: there are <, <=, > and >="));
    EXPECT_THAT(complaint("price < 50"), HasSubstr("a unit is missing: EUR/MWh, ct/kWh, GBP/kWh"));
    EXPECT_THAT(complaint("price < 50 g/kWh"), HasSubstr("'g/kWh' is no unit of price"));
    EXPECT_THAT(complaint("idle > 10"), HasSubstr("a unit is missing: s, min, h"));
    EXPECT_THAT(complaint("load < p30"), HasSubstr("percentiles are of carbon and price"));
    EXPECT_THAT(complaint("carbon < p100"), HasSubstr("they go from p1 to p99"));
    EXPECT_THAT(complaint("time in 22:00-24:00"), HasSubstr("'24:00' is no time of day"));
    EXPECT_THAT(complaint("time in 22:00-23:75"), HasSubstr("'23:75' is no time of day"));
    EXPECT_THAT(complaint("(ac"), HasSubstr("it ends where ')' is missing"));
    EXPECT_THAT(complaint("ac)"), HasSubstr("')' instead of 'and', 'or' or the end"));
    EXPECT_THAT(complaint(""), HasSubstr("character 1"));
    EXPECT_THAT(complaint("ac & ac"), HasSubstr("character 4"));
    EXPECT_THAT(complaint("load < 99999999999 %"), HasSubstr("too large"));
    EXPECT_EQ(parse_when("x").error().code, Code::usage);
}

TEST(WhenCondition, IsBoundedInLengthAndDepth) {
    EXPECT_THAT(complaint(std::string(kMostConditionBytes + 1, ' ')), HasSubstr("more than 1000 bytes"));
    const std::string deep(kMostConditionDepth, '(');
    EXPECT_THAT(complaint(deep + "ac" + std::string(kMostConditionDepth, ')')), HasSubstr("nested too deeply"));
    std::string nots;
    for (int i = 0; i < 200; ++i) nots += "not ";
    EXPECT_THAT(complaint(nots + "ac"), HasSubstr("nested too deeply"));
}

TEST(WhenCondition, TellsTheSignalsThatItRestsOn) {
    const WhenCondition condition = parse_when("ac or (carbon < p30 and not idle)").value();
    EXPECT_TRUE(rests_on(condition, Signal::carbon));
    EXPECT_TRUE(rests_on(condition, Signal::load));
    EXPECT_FALSE(rests_on(condition, Signal::price));
}

}  // namespace
}  // namespace cultivar
