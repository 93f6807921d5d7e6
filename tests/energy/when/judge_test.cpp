#include "energy/when/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GivenSignals final : public Signals {
public:
    Reading now(Signal signal) override {
        const auto found = values.find(signal);
        if (found == values.end()) return {{}, "", "nobody tells"};
        return {found->second, signal == Signal::price ? "EUR/kWh" : "", ""};
    }
    Reading percentile(Signal signal, double percent) override {
        if (!values.contains(signal)) return {{}, "", "nobody tells"};
        return {percent, "", ""};  // as if values were 0 to 100
    }
    std::map<Signal, double> values;
};

class Judging : public ::testing::Test {
protected:
    WhenAnswer answer(const std::string& text) { return judge_when(parse_when(text).value(), signals).answer; }
    std::vector<std::string> why(const std::string& text) { return judge_when(parse_when(text).value(), signals).why; }
    GivenSignals signals;
};

TEST_F(Judging, ComparesAtTheBound) {
    signals.values[Signal::load] = 25;
    EXPECT_EQ(answer("load <= 25 %"), WhenAnswer::yes);
    EXPECT_EQ(answer("load < 25 %"), WhenAnswer::no);
    EXPECT_EQ(answer("load >= 25 %"), WhenAnswer::yes);
    EXPECT_EQ(answer("load > 25 %"), WhenAnswer::no);
}

TEST_F(Judging, TakesTheEndOfARangeOfTimeForOutsideAndGoesOverMidnight) {
    const auto at = [&](int minutes, const std::string& text) {
        signals.values[Signal::time] = minutes;
        return answer(text) == WhenAnswer::yes;
    };
    EXPECT_TRUE(at(22 * 60, "time in 22:00-06:00"));
    EXPECT_TRUE(at(5 * 60 + 59, "time in 22:00-06:00"));
    EXPECT_FALSE(at(6 * 60, "time in 22:00-06:00"));
    EXPECT_TRUE(at(6 * 60, "not time in 22:00-06:00"));
    EXPECT_FALSE(at(21 * 60 + 59, "time in 22:00-06:00"));
    EXPECT_TRUE(at(9 * 60, "time in 09:00-17:00"));
    EXPECT_FALSE(at(17 * 60, "time in 09:00-17:00"));
    EXPECT_TRUE(at(0, "time in 00:00-00:00")) << "a whole day";
    EXPECT_TRUE(at(23 * 60, "time >= 22:30"));
}

TEST_F(Judging, LeavesWhatIsUnknownNeitherTrueNorFalse) {
    signals.values[Signal::ac] = 1;
    EXPECT_EQ(answer("battery > 5"), WhenAnswer::unknown);
    EXPECT_EQ(answer("not battery > 5"), WhenAnswer::unknown);
    EXPECT_EQ(answer("ac or battery > 5"), WhenAnswer::yes);
    EXPECT_EQ(answer("ac and battery > 5"), WhenAnswer::unknown);
    EXPECT_EQ(answer("not ac and battery > 5"), WhenAnswer::no);
    EXPECT_EQ(answer("not ac or battery > 5"), WhenAnswer::unknown);
}

TEST_F(Judging, SaysWhichTestsAreInTheWay) {
    signals.values = {{Signal::carbon, 312.4}, {Signal::ac, 0}, {Signal::time, 14 * 60 + 5}, {Signal::idle, 20}};
    EXPECT_THAT(why("carbon < 200"), ElementsAre("carbon is 312 g/kWh, not < 200 g/kWh"));
    EXPECT_THAT(why("carbon < p30"), ElementsAre("carbon is 312 g/kWh, not < 30 g/kWh (p30 of the last 24 h)"));
    EXPECT_THAT(why("ac and time in 22:00-06:00 and carbon > 1"),
                ElementsAre("this machine is on battery", "time is 14:05, not in 22:00-06:00"));
    EXPECT_THAT(why("not time in 09:00-17:00"), ElementsAre("time is 14:05, in 09:00-17:00"));
    EXPECT_THAT(why("idle >= 10 min"), ElementsAre("idle is 20 s, not >= 10 min"));
    EXPECT_THAT(why("price < 5 ct/kWh"), ElementsAre("price is unknown: nobody tells"));
    EXPECT_THAT(why("ac or carbon > 1"), IsEmpty());
}

TEST_F(Judging, ComparesNoTwoCurrencies) {
    signals.values[Signal::price] = 0.2;
    EXPECT_EQ(answer("price < 30 ct/kWh"), WhenAnswer::yes);
    EXPECT_EQ(answer("price < 30 p/kWh"), WhenAnswer::unknown);
    EXPECT_THAT(why("price < 30 p/kWh"), ElementsAre("price is unknown: its series is in EUR/kWh, not in GBP/kWh"));
}

}  // namespace
}  // namespace cultivar
