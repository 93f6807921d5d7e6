#include "cli/schedule/run_gate.h"

#include <cstdlib>
#include <ctime>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/schedule/waiting_machine.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kHour_s = 3600;

class RunGateTest : public ::testing::Test {
protected:
    RunGateTest() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
        machine_.process(100, 1, 0);
    }
    void open(const std::string& when) { open({.when = parse_when(when).value()}); }
    void open(GateTerms terms) { gate_.emplace(std::move(terms), machine_.clock, grid_, refresh_, signals_); }
    bool ask() { return (last_ = gate_->ask()).is_given; }
    bool ask_after(double seconds) {
        machine_.clock.sleep_s(seconds);
        return ask();
    }
    void on_mains(bool yes) { machine_.supply("AC", "Mains", "online", yes ? "1" : "0"); }

    WaitingMachine machine_;
    GridSignals grid_{machine_.factor_file(), "DE"};
    std::vector<std::string> fetched_;
    GridRefresh refresh_{machine_.factor_file(), machine_.clock,
                         [this](const FetchedFile& file, const auto&) -> Result<void> {
                             fetched_.push_back(file.path);
                             return fail(Code::io, "the server is away");
                         }};
    MachineSignals signals_{machine_.places(), machine_.clock};
    std::optional<RunGate> gate_;
    Permission last_;
};

TEST_F(RunGateTest, LetsTheFirstRunGoAtOnceAndHoldsAtOnce) {
    machine_.supply("BAT0", "Battery", "capacity", "80");
    on_mains(true);
    open("ac");
    EXPECT_TRUE(ask());
    EXPECT_EQ(last_.again_s, kAskWhileRunning_s);
    on_mains(false);
    EXPECT_TRUE(ask()) << "several loops ask in one moment";
    EXPECT_FALSE(ask_after(30));
    EXPECT_EQ(last_.why, "this machine is on battery");
    EXPECT_EQ(last_.again_s, kAskWhileWaiting_s);
    EXPECT_FALSE(last_.until_unix_s) << "nobody knows";
}

TEST_F(RunGateTest, GoesOnOnceTheConditionHasHeldForTwoMinutes) {
    machine_.supply("BAT0", "Battery", "capacity", "80");
    on_mains(false);
    open("ac");
    EXPECT_FALSE(ask());
    on_mains(true);
    EXPECT_TRUE(ask_after(5)) << "nothing had begun";
    on_mains(false);
    EXPECT_FALSE(ask_after(30));
    on_mains(true);
    EXPECT_FALSE(ask_after(5));
    EXPECT_THAT(last_.why, HasSubstr("'ac' has held for less than 120 s"));
    EXPECT_EQ(last_.until_unix_s, machine_.clock.unix_s() + 120);
    on_mains(false);
    EXPECT_FALSE(ask_after(100));
    on_mains(true);
    EXPECT_FALSE(ask_after(5)) << "it begins anew";
    EXPECT_FALSE(ask_after(119));
    EXPECT_TRUE(ask_after(2));
}

TEST_F(RunGateTest, WaitsForCarbonAndSaysUntilWhen) {
    std::vector<double> day(24, 300);
    day.insert(day.end(), {400, 400, 200, 100});
    machine_.carbon(day);
    machine_.clock.time_s += 24 * 3600 + 60;
    open("carbon < 150");
    EXPECT_FALSE(ask());
    EXPECT_EQ(last_.why, "carbon is 400 g/kWh, not < 150 g/kWh");
    EXPECT_EQ(last_.until_unix_s, kNewYear_s + 27 * kHour_s);
    open("carbon < p20");  // of 20 hours with 300 and 4 with 400, say, it is 300
    EXPECT_FALSE(ask());
    EXPECT_EQ(last_.until_unix_s, kNewYear_s + 26 * kHour_s);
}

TEST_F(RunGateTest, KnowsNoMomentWhereTheMachineIsInTheWay) {
    machine_.carbon(std::vector<double>(30, 100));
    machine_.typed("tty1", 20);
    open("idle >= 3 min and carbon < 200");
    EXPECT_FALSE(ask());
    EXPECT_EQ(last_.why, "idle is 20 s, not >= 3 min");
    EXPECT_FALSE(last_.until_unix_s);
}

TEST_F(RunGateTest, WaitsWhileASeriesIsMissingHasAGapOrIsOver) {
    open("carbon < 1000");
    EXPECT_FALSE(ask());
    EXPECT_THAT(last_.why, HasSubstr("states no series of it for zone DE"));
    machine_.carbon({300, -1, 300});
    EXPECT_TRUE(ask_after(5)) << "the file is read again";
    EXPECT_FALSE(ask_after(3600));
    EXPECT_EQ(last_.why, "carbon is unknown: its series has a gap here");
    EXPECT_EQ(last_.until_unix_s, kNewYear_s + 2 * kHour_s);
    EXPECT_FALSE(ask_after(2 * 3600));
    EXPECT_EQ(last_.why, "carbon is unknown: its series ends at 2026-01-01T03:00:00Z");
    EXPECT_FALSE(last_.until_unix_s);
    machine_.folder.write("de.json", "[]");
    EXPECT_FALSE(ask_after(5));
    EXPECT_THAT(last_.why, HasSubstr("de.json"));
}

TEST_F(RunGateTest, NeedsHalfADayForAPercentile) {
    machine_.carbon(std::vector<double>(8, 100));
    machine_.clock.time_s += 7 * 3600;
    open("carbon <= p50");
    EXPECT_FALSE(ask());
    EXPECT_EQ(last_.why, "carbon is unknown: its series has less than half of the last 24 h");
}

TEST_F(RunGateTest, WaitsForATimeOfDay) {
    open("time in 22:00-06:00");
    EXPECT_TRUE(ask());
    EXPECT_FALSE(ask_after(7 * 3600));
    EXPECT_EQ(last_.why, "time is 07:00, not in 22:00-06:00");
    EXPECT_EQ(last_.until_unix_s, kNewYear_s + 22 * kHour_s);
}

TEST_F(RunGateTest, WaitsForItsWindow) {
    open({.when = {}, .not_before_s = kNewYear_s + 2 * kHour_s, .window = "the cleanest 4 h"});
    EXPECT_FALSE(ask());
    EXPECT_EQ(last_.why, "the cleanest 4 h have not begun");
    EXPECT_EQ(last_.until_unix_s, kNewYear_s + 2 * kHour_s);
    EXPECT_TRUE(ask_after(2 * 3600));
}

TEST_F(RunGateTest, FetchesAnOldFileAtMostEveryQuarterOfAnHourAndTellsItsTrouble) {
    machine_.folder.write("energy.toml",
                          "[[factor]]\nquantity = \"carbon\"\ngrid = \"average\"\nzone = \"DE\"\n"
                          "unit = \"g/kWh\"\nfile = \"de.json\"\nsource = \"a test\"\n"
                          "fetch = [\"true\"]\n");
    refresh_.now([] { return false; });
    EXPECT_THAT(fetched_, ElementsAre(machine_.folder.file("de.json")));
    open("carbon < 100");
    EXPECT_FALSE(ask());
    EXPECT_THAT(last_.why, HasSubstr("; the server is away"));
    EXPECT_FALSE(ask_after(14 * 60));
    EXPECT_EQ(fetched_.size(), 1U);
    machine_.clock.sleep_s(60);
    refresh_.now([] { return false; });
    EXPECT_EQ(fetched_.size(), 2U);
    machine_.clock.sleep_s(3600);
    machine_.set("de.json", "");
    const timespec at{machine_.clock.unix_s() - 60, 0};
    const timespec times[2] = {at, at};
    ::utimensat(AT_FDCWD, machine_.folder.file("de.json").c_str(), times, 0);
    refresh_.now([] { return false; });
    EXPECT_EQ(fetched_.size(), 2U) << "somebody else fetched it a minute ago";
}

TEST(GridRefreshing, GoesOnInTheBackgroundAndEndsWithItsOwner) {
    const WaitingMachine machine;
    machine.folder.write("energy.toml",
                         "[[factor]]\nquantity = \"carbon\"\ngrid = \"average\"\nzone = \"DE\"\n"
                         "unit = \"g/kWh\"\nfile = \"de.json\"\nsource = \"a test\"\n"
                         "fetch = [\"true\"]\n");
    std::atomic<bool> was_stopped = false;
    {
        GridRefresh refresh(machine.factor_file(), machine.clock, [&](const FetchedFile&, const auto& stop) {
            while (!stop()) std::this_thread::yield();
            was_stopped = true;
            return Result<void>();
        });
        refresh.poll();
        refresh.poll();
    }
    EXPECT_TRUE(was_stopped);
}

TEST(GridSignalsOfTwoFiles, FillEachOthersGaps) {
    const WaitingMachine machine;
    machine.carbon({100, 110, -1});
    machine.folder.write("later.json", R"([{"start":"2026-01-01T01:00Z","end":"2026-01-01T03:00Z","value":9}])");
    std::string toml = machine.folder.read("energy.toml");
    toml +=
        "[[factor]]\nquantity = \"carbon\"\ngrid = \"average\"\nzone = \"DE\"\nunit = \"g/kWh\"\n"
        "file = \"later.json\"\nsource = \"a forecast\"\n";
    machine.folder.write("energy.toml", toml);
    GridSignals grid(machine.factor_file(), "DE-BY");
    grid.read();
    EXPECT_EQ(grid.at(Signal::carbon, kNewYear_s).value, 100);
    EXPECT_EQ(grid.at(Signal::carbon, kNewYear_s + kHour_s).value, 110) << "the first stated counts";
    EXPECT_EQ(grid.at(Signal::carbon, kNewYear_s + 2 * kHour_s).value, 9);
    EXPECT_THAT(grid.at(Signal::price, kNewYear_s).missing, HasSubstr("no series of it"));
}

}  // namespace
}  // namespace cultivar
