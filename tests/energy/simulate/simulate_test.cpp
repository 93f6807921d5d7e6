// Small fleets whose cost a reader can work out.
#include "energy/simulate/simulate.h"

#include "tests/energy/support.h"

namespace cultivar {
namespace {

constexpr const char* kHead = R"([scenario]
title = "t"
first = "laptop"
second = "cluster"
repeats = 2
start = "2026-01-01T00:00Z"
score = 1.5
[work]
flops = 1e12
bytes = 0
verify_share = 0
[work.source]
flops = "s"
bytes = "s"
verify_share = "s"
[curve]
start = 2
floor = 1
scale_runs = 10
exponent = 1
[curve.source]
start = "s"
floor = "s"
scale_runs = "s"
exponent = "s"
)";

std::string machine(int route, const std::string& name, const std::string& more) {
    return fmt::format(R"([[machine]]
route = {}
name = "{}"
zones = ["GB"]
flops_per_s = 1e9
active_w = 100
idle_w = 40
error = 0.3
pue = 1
water_on_site_l_per_kwh = 0
embodied_kg = 100
life_years = 4
bytes_per_s = 1e6
{}
[machine.source]
flops_per_s = "s"
active_w = "s"
idle_w = "s"
error = "s"
pue = "s"
water_on_site_l_per_kwh = "s"
embodied_kg = "a book"
life_years = "s"
bytes_per_s = "s"
hours = "s"
checkpoint_s = "s"
)",
                       route, name, more);
}

std::string scenario_text(const std::string& laptop = "count = 1\nhours = 24",
                          const std::string& cluster = "count = 1\nhours = 24") {
    return kHead + machine(1, "laptop", laptop) + machine(2, "server", cluster + "\nreserved = true\nbought = true");
}

Scenario scenario_of(const std::string& text) {
    auto scenario = parse_scenario(text, "test.toml");
    EXPECT_TRUE(scenario) << scenario.error().message;
    return std::move(*scenario);
}

double joules_of(const Repeat& repeat, MachineAxis axis) {
    double joules = 0;
    for (const SpentRun& run : repeat.runs)
        for (const SpentUse& use : run.uses) joules += use.stretch.joules[axis].value;
    return joules;
}

// 1e12 FLOPs at 1e9 a second take 1,000 s: 60 kJ above idle, 100 kJ gross. The second run reaches the score.
TEST(Simulate, RunsFollowOneAnother) {
    const Trace trace = {{1e12, 0, 1.8}, {1e12, 0, 1.4}, {1e12, 0, 1.2}};
    const Repeat repeat = play(scenario_of(scenario_text()), 0, trace, 1);
    ASSERT_EQ(repeat.runs.size(), 2);
    EXPECT_EQ(repeat.runs[1].end_s - kNewYear_s, 2000);
    EXPECT_EQ(repeat.runs[1].verified_loss, 1.4);
    EXPECT_NEAR(joules_of(repeat, kAboveIdle), 120'000, 1e-6);
    EXPECT_NEAR(joules_of(repeat, kGross), 200'000, 1e-6);
}

// Two machines at once: after 500 s the second run has reached the score, and half of the first was spent in vain.
TEST(Simulate, RunsUnderWayAtTheEndCount) {
    const Trace trace = {{1e12, 0, 1.8}, {5e11, 0, 1.4}};
    const Repeat repeat = play(scenario_of(scenario_text("count = 2\nhours = 24")), 0, trace, 1);
    ASSERT_EQ(repeat.runs.size(), 2);
    EXPECT_FALSE(repeat.runs[0].verified_loss);
    EXPECT_NEAR(*repeat.runs[0].flops, 5e11, 1);
    EXPECT_EQ(repeat.runs[1].verified_loss, 1.4);
    EXPECT_NEAR(joules_of(repeat, kGross), 100'000, 1e-6);
}

// Of two reserved machines one idles through all 1,000 s: 40 kJ more of gross, and nothing above idle.
TEST(Simulate, ReservedMachinesIdle) {
    const Trace trace = {{1e12, 0, 1.4}};
    const Repeat repeat =
        play(scenario_of(scenario_text("count = 1\nhours = 24", "count = 2\nhours = 24")), 1, trace, 1);
    EXPECT_NEAR(joules_of(repeat, kAboveIdle), 60'000, 1e-6);
    EXPECT_NEAR(joules_of(repeat, kGross), 140'000, 1e-6);
    double machine_s = 0;
    for (const SpentUse& use : repeat.runs[0].uses) machine_s += use.stretch.machine_s;
    EXPECT_NEAR(machine_s, 2000, 1e-6);
}

// Free for a quarter of an hour a day: 900 s today, 100 s tomorrow. Without checkpoints to lose, 1,000 s in all.
TEST(Simulate, AMachineIsFreeForItsHoursAlone) {
    const Trace trace = {{1e12, 0, 1.4}};
    const Repeat repeat = play(scenario_of(scenario_text("count = 1\nhours = 0.25\ncheckpoint_s = 0")), 0, trace, 1);
    EXPECT_EQ(repeat.runs[0].end_s - kNewYear_s, 86'500);
    EXPECT_NEAR(joules_of(repeat, kGross), 100'000, 1e-6);
    // An interruption loses at most one checkpoint.
    const Repeat lost = play(scenario_of(scenario_text("count = 1\nhours = 0.25\ncheckpoint_s = 60")), 0, trace, 1);
    EXPECT_GT(joules_of(lost, kGross), 100'000);
    EXPECT_LE(joules_of(lost, kGross), 106'000);
}

// 10 MB at 1 MB/s: 10 s at idle power. A share of 0.25 is verified: 1,250 s at work, a fifth of them for verification.
TEST(Simulate, TransferAndVerificationCost) {
    Scenario scenario = scenario_of(scenario_text());
    scenario.verify_share = 0.25;
    const Trace trace = {{1e12, 1e7, 1.4}};
    const Repeat repeat = play(scenario, 0, trace, 1);
    double verification = 0, bytes = 0;
    for (const SpentUse& use : repeat.runs[0].uses) {
        bytes += use.bytes;
        if (use.purpose == Purpose::verification) verification += use.stretch.joules[kAboveIdle].value;
    }
    EXPECT_NEAR(joules_of(repeat, kAboveIdle), 75'000, 1e-6);
    EXPECT_NEAR(joules_of(repeat, kGross), 75'000 + 40 * 1260, 1e-6);
    EXPECT_NEAR(verification, 15'000, 1e-6);
    EXPECT_EQ(bytes, 1e7);
}

TEST(Simulate, TheSameSeedGivesTheSameRoutes) {
    Scenario scenario = scenario_of(scenario_text());
    scenario.spread = 0.5;
    const SimulatedRoutes one = simulate(scenario, {}), again = simulate(scenario, {});
    ASSERT_EQ(one.arms[0].repeats.size(), 2);
    for (const std::size_t i : {0, 1}) {
        EXPECT_EQ(one.arms[0].repeats[i].seed, one.arms[1].repeats[i].seed);
        EXPECT_EQ(joules_of(one.arms[0].repeats[i], kGross), joules_of(again.arms[0].repeats[i], kGross));
    }
    EXPECT_NE(joules_of(one.arms[0].repeats[0], kGross), joules_of(one.arms[0].repeats[1], kGross));
    EXPECT_EQ(one.arms[1].bought_kg, 100);
    EXPECT_EQ(one.arms[0].bought_kg, 0);
}

// Loss 1 + (1 + n / 10)^-1 meets 1.5 after 10 steps, which take 10 runs or so.
TEST(Simulate, TheCurveIsMetAfterItsRuns) {
    const Scenario scenario = scenario_of(scenario_text());
    double runs = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        const Trace trace = trace_of_curve(scenario, seed * 77);
        runs += 1 + static_cast<double>(
                        std::ranges::find_if(trace, [](const TraceRun& one) { return *one.verified_loss <= 1.5; }) -
                        trace.begin());
    }
    EXPECT_NEAR(runs / 400, 11, 0.6);  // the run that passes 10 is the eleventh on average
}

TEST(Scenario, EveryFigureHasASource) {
    std::string text = scenario_text();
    const Scenario scenario = scenario_of(text);
    EXPECT_EQ(scenario.figures.size(), 3 + 4 + 2 * 10);
    const auto embodied = std::ranges::find(scenario.factors, FactorKind::embodied, &Factor::kind);
    EXPECT_EQ(embodied->zone, "GB-laptop");
    EXPECT_EQ(embodied->source, "a book");
    text.replace(text.find("active_w = \"s\""), 14, "active_w = \"\" ");
    const auto without = parse_scenario(text, "test.toml");
    ASSERT_FALSE(without);
    EXPECT_NE(without.error().message.find("'active_w' has no source"), std::string::npos);
}

TEST(Scenario, NonsenseIsRefused) {
    EXPECT_FALSE(parse_scenario("", "t"));
    EXPECT_FALSE(parse_scenario(kHead, "t"));  // no machine
    EXPECT_FALSE(parse_scenario(scenario_text("count = 1000000\nhours = 24"), "t"));
    EXPECT_FALSE(parse_scenario(scenario_text("count = 1\nhours = 0"), "t"));
    EXPECT_FALSE(parse_scenario(scenario_text("count = 1\nhours = 24\ncolour = 1"), "t"));
    EXPECT_FALSE(parse_scenario(scenario_text("count = 1\nhours = 8"), "t"));  // and no checkpoint
}

}  // namespace
}  // namespace cultivar
