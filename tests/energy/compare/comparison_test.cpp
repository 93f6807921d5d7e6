// Comparisons that a reader can repeat by hand.
#include "energy/compare/comparison.h"

#include <cmath>

#include "tests/energy/compare/arms.h"

namespace cultivar {
namespace {

const Target kScore{TargetKind::score, 5};
const double kTwo = std::log(2);

const Judged& of(const Comparison& comparison, Measure measure, MachineAxis machine) {
    return *std::ranges::find(comparison.judged, Accounting{measure, machine}, &Judged::accounting);
}

Comparison compared(const Arm& first, const Arm& second, const Factors& factors = Factors({}),
                    const Target& target = kScore) {
    auto comparison = compare_arms(first, second, target, factors);
    EXPECT_TRUE(comparison) << comparison.error().message;
    return std::move(*comparison);
}

// Estimated within a factor of 2. On one machine both arms err alike, so 100 to 200 J is a half whatever the error.
TEST(Comparison, TheErrorOfOneMeterCancels) {
    const RunSpec spec{.meter = "estimated at one", .error = 1};
    const Comparison both = compared(simple_arm({100, 100}, spec), simple_arm({200, 200}, spec));
    const Judged& energy = of(both, Measure::energy, kAboveIdle);
    EXPECT_NEAR(energy.ratio, 0.5, 1e-12);
    EXPECT_NEAR(energy.low, 0.5, 1e-12);
    EXPECT_NEAR(energy.high, 0.5, 1e-12);
    EXPECT_EQ(energy.finding, Finding::lower);
    // The figure of an arm keeps its bounds.
    EXPECT_NEAR(energy.bounds[0].low, 50, 1e-9);
    EXPECT_NEAR(energy.bounds[0].high, 200, 1e-9);
}

// On two machines each errs for itself: the ratio lies between 0.5 / 4 and 0.5 x 4, and no repeat helps.
TEST(Comparison, TheErrorsOfTwoMetersDoNot) {
    const Comparison both = compared(simple_arm({100, 100}, {.meter = "estimated at one", .error = 1}),
                                     simple_arm({200, 200}, {.meter = "estimated at two", .error = 1}));
    const Judged& energy = of(both, Measure::energy, kAboveIdle);
    EXPECT_NEAR(energy.low, 0.125, 1e-12);
    EXPECT_NEAR(energy.high, 2, 1e-12);
    EXPECT_EQ(energy.finding, Finding::cannot_say);
    EXPECT_EQ(energy.doubt, Doubt::bounds);
    EXPECT_FALSE(energy.more);
}

TEST(Comparison, OneRepeatGivesNoInterval) {
    const Comparison both = compared(simple_arm({100}), simple_arm({200, 210}));
    const Judged& energy = of(both, Measure::energy, kAboveIdle);
    EXPECT_NEAR(energy.ratio, 100 / std::sqrt(200 * 210.0), 1e-12);
    EXPECT_EQ(energy.finding, Finding::cannot_say);
    EXPECT_EQ(energy.doubt, Doubt::one_repeat);
    EXPECT_EQ(energy.more, 1);
}

// Logarithms 0, 1 and 0.5, 1.5: a difference of 0.5 with deviation 1 of a repeat's difference. The interval reaches across 0.
TEST(Comparison, ChanceAsksForMoreRepeats) {
    const Comparison both = compared(simple_arm({1, std::exp(1)}), simple_arm({std::exp(0.5), std::exp(1.5)}));
    const Judged& energy = of(both, Measure::energy, kAboveIdle);
    EXPECT_EQ(energy.finding, Finding::cannot_say);
    EXPECT_EQ(energy.doubt, Doubt::chance);
    // (1.959964 + 0.841621)^2 / 0.5^2 = 31.4 of the normal; Student's t asks for one more: 33 in all.
    EXPECT_EQ(energy.more, 31);
}

// 3.6 MJ in GB, at a yearly mean of 200 (100 to 400) g/kWh: the hours of the arms differ, so the bounds do not cancel.
TEST(Comparison, AYearlyMeanIsNoHour) {
    const Factors factors({constant(FactorKind::carbon_average, {200, 100, 400}, "g/kWh", "GB")});
    const Comparison both = compared(simple_arm({3.6e6, 3.6e6}), simple_arm({7.2e6, 7.2e6}), factors);
    const Judged& carbon = of(both, Measure::carbon_average, kAboveIdle);
    EXPECT_NEAR(carbon.costs[0], 200, 1e-9);
    EXPECT_NEAR(carbon.costs[1], 400, 1e-9);
    EXPECT_NEAR(carbon.down, -2 * kTwo, 1e-9);
    EXPECT_NEAR(carbon.up, 2 * kTwo, 1e-9);
    EXPECT_EQ(carbon.doubt, Doubt::bounds);
    EXPECT_EQ(of(both, Measure::carbon_marginal, kAboveIdle).doubt, Doubt::no_factor);
}

// A series tells the hour: 1 kWh at 100 against 1 kWh at 300 g/kWh is a third.
TEST(Comparison, ASeriesTellsTheHour) {
    const Factors factors(
        {series_of(FactorKind::carbon_average, {{kNewYear_s, 100}, {kNewYear_s + 900, 300}}, "g/kWh")});
    const Arm clean = simple_arm({3.6e6, 3.6e6});
    Arm dirty = clean;
    for (Repeat& repeat : dirty.repeats) repeat.runs[0].uses[0].stretch.start_s += 900;
    const Comparison both = compared(clean, dirty, factors);
    EXPECT_NEAR(of(both, Measure::carbon_average, kGross).ratio, 1.0 / 3, 1e-12);
    EXPECT_EQ(of(both, Measure::carbon_average, kGross).finding, Finding::lower);
    EXPECT_EQ(of(both, Measure::energy, kGross).finding, Finding::cannot_say);
}

// Above idle 100 against 200 J, gross 300 against 200 J: lower by one machine axis and higher by the other, equal at an idle
// share of a half.
TEST(Comparison, AccountingsMayContradictAndTheIdleShareTellsWhere) {
    const Repeat idle = repeat_of({{100, 300, 5.0}}), busy = repeat_of({{200, 200, 5.0}});
    const Comparison both = compared(arm_of({idle, idle}), arm_of({busy, busy}));
    EXPECT_EQ(of(both, Measure::energy, kAboveIdle).finding, Finding::lower);
    EXPECT_EQ(of(both, Measure::energy, kGross).finding, Finding::higher);
    ASSERT_EQ(both.flips.size(), 2);
    for (const Flip& flip : both.flips) {
        EXPECT_EQ(flip.kind, SourceKind::idle);
        EXPECT_NEAR(flip.to, 0.5, 1e-4);
    }
}

// A laptop of 181 kg and 4 years against nothing made: a day of it carries 181,000 / 1461 = 123.9 g, and 1 kWh at 100 g/kWh
// 100 g: 223.9 g against 200 g of 2 kWh without a machine. At 100 / 123.9 = 0.807 of its embodied carbon the two are equal.
TEST(Comparison, TheEmbodiedShareFlipsGrossAlone) {
    Factor laptop = constant(FactorKind::embodied, {181, 150, 500}, "kg", "GB");
    laptop.life_years = 4;
    const Factors factors({laptop, constant(FactorKind::carbon_average, Range::exactly(100), "g/kWh")});
    const RunSpec made{.machine_s = 86'400}, free{};
    const Comparison both = compared(simple_arm({3.6e6, 3.6e6}, made), simple_arm({7.2e6, 7.2e6}, free), factors);
    EXPECT_EQ(of(both, Measure::carbon_average, kAboveIdle).finding, Finding::lower);
    const Judged& gross = of(both, Measure::carbon_average, kGross);
    EXPECT_NEAR(gross.costs[0], 223.888, 0.001);
    // 150 kg: 202.7 g; 500 kg: 442.2 g.
    EXPECT_NEAR(gross.bounds[0].low, 202.669, 0.001);
    EXPECT_NEAR(gross.bounds[0].high, 442.231, 0.001);
    EXPECT_EQ(gross.finding, Finding::higher);
    const auto flip = std::ranges::find(both.flips, SourceKind::embodied, &Flip::kind);
    ASSERT_NE(flip, both.flips.end());
    // The interval's lower end, at 150 of 181 kg, is the first to meet 1: 0.807 x 181 / 150 = 0.974.
    EXPECT_NEAR(flip->to, 0.974, 0.001);
    EXPECT_TRUE(flip->is_within_bounds);
}

// 1 GB at 0.01 (0.001 to 0.1) kWh/GB: 36 kJ, and its bounds move one arm alone.
TEST(Comparison, TheNetworkCounts) {
    const Factors factors({constant(FactorKind::network, {0.01, 0.001, 0.1}, "kWh/GB")});
    Arm sender = simple_arm({64'000, 64'000});
    for (Repeat& repeat : sender.repeats)
        repeat.runs[0].uses.push_back({.purpose = Purpose::network, .method = "", .meter = "", .bytes = 1e9});
    const Comparison both = compared(sender, simple_arm({50'000, 50'000}), factors);
    const Judged& energy = of(both, Measure::energy, kGross);
    EXPECT_NEAR(energy.costs[0], 100'000, 1e-6);
    EXPECT_NEAR(energy.bounds[0].low, 67'600, 1e-6);
    EXPECT_NEAR(energy.bounds[0].high, 424'000, 1e-6);
    EXPECT_NEAR(energy.low, 1.352, 1e-9);
    EXPECT_EQ(energy.finding, Finding::higher);
    EXPECT_NEAR(both.tallies[0][0].network_joules, 36'000, 1e-6);
    EXPECT_EQ(of(compared(sender, simple_arm({1, 1})), Measure::energy, kGross).doubt, Doubt::no_factor);
}

// 1,800 J of the run and 200 J of its verification, gross, in one quarter of an hour; the second run comes after the target.
TEST(Comparison, VerificationFailedRunsAndPeakAreTold) {
    Repeat repeat = repeat_of({{900, 1800, 5.0}, {0, 0, 4.0}});
    repeat.runs[0].uses.push_back(spent_use({.above_j = 100, .gross_j = 200}, kNewYear_s, Purpose::verification));
    const Comparison both = compared(arm_of({repeat}), arm_of({repeat}));
    const Tally& tally = both.tallies[0][0];
    EXPECT_DOUBLE_EQ(tally.runs, 1);
    EXPECT_DOUBLE_EQ(tally.joules[kGross], 2000);
    EXPECT_DOUBLE_EQ(tally.verification_joules[kGross], 200);
    EXPECT_DOUBLE_EQ(tally.peak_w, 2000.0 / 900);
    EXPECT_EQ(tally.flops, 1e9);
}

// The first arm never meets 4: all its 300 J are a lower bound, so it may be higher, and never lower.
TEST(Comparison, ACensoredArmIsNeverLower) {
    const Repeat never = repeat_of({{300, 300, 5.0}}), soon = repeat_of({{100, 100, 4.0}}),
                 late = repeat_of({{900, 900, 4.0}});
    const Target target{TargetKind::score, 4};
    const Comparison higher = compared(arm_of({never, never}), arm_of({soon, soon}), Factors({}), target);
    EXPECT_EQ(of(higher, Measure::energy, kGross).finding, Finding::higher);
    EXPECT_TRUE(of(higher, Measure::energy, kGross).is_at_least);
    const Comparison open = compared(arm_of({never, never}), arm_of({late, late}), Factors({}), target);
    EXPECT_EQ(of(open, Measure::energy, kGross).finding, Finding::cannot_say);
    EXPECT_EQ(of(open, Measure::energy, kGross).doubt, Doubt::never_met);
}

TEST(Comparison, GrossWithoutIdlePowerIsNotJudged) {
    Arm unknown = simple_arm({100, 100});
    for (Repeat& repeat : unknown.repeats) repeat.runs[0].uses[0].stretch.without_gross_joules = 100;
    const Comparison both = compared(unknown, simple_arm({200, 200}));
    EXPECT_EQ(of(both, Measure::energy, kAboveIdle).finding, Finding::lower);
    EXPECT_EQ(of(both, Measure::energy, kGross).doubt, Doubt::no_idle);
}

TEST(Comparison, EqualSeedsMakePairs) {
    const auto arm = [](double one, double other, const std::string& seed) {
        return arm_of({repeat_of({{one, one, 5.0}}, "1"), repeat_of({{other, other, 5.0}}, seed)});
    };
    EXPECT_TRUE(compared(arm(100, 1000, "2"), arm(2000, 200, "2")).is_paired);
    EXPECT_FALSE(compared(arm(100, 1000, "2"), arm(2000, 200, "3")).is_paired);
    EXPECT_FALSE(compared(arm(100, 1000, "1"), arm(2000, 200, "1")).is_paired);
}

// At 1e9 FLOPs: losses 5, 5 against 4, 4.
TEST(Comparison, AtFixedComputeTheScoresAreJudged) {
    const Repeat bad = repeat_of({{1, 1, 5.0}}), good = repeat_of({{2, 2, 4.0}});
    const Comparison both = compared(arm_of({bad, bad}), arm_of({good, good}), Factors({}), {TargetKind::compute, 1e9});
    ASSERT_TRUE(both.score);
    EXPECT_EQ(both.score->losses[0], 5.0);
    EXPECT_EQ(both.score->finding, Finding::higher);
    EXPECT_EQ(of(both, Measure::energy, kGross).finding, Finding::lower);
    Arm silent = arm_of({bad, bad});
    silent.repeats[1].runs[0].flops.reset();
    EXPECT_FALSE(compare_arms(silent, silent, {TargetKind::compute, 1e9}, Factors({})));
}

TEST(Comparison, UnlikeArmsAreNamed) {
    const Arm one = simple_arm({1, 1}, {.meter = "rapl at one"});
    Arm other = simple_arm({1, 1}, {.meter = "estimated at two"});
    other.task = "another", other.scoring = "another";
    EXPECT_TRUE(unlike(one, one).empty());
    EXPECT_EQ(unlike(one, other).size(), 3);
    EXPECT_EQ(compared(one, other).unlike.size(), 3);
}

// 1 kWh at a PUE of 1.5 is 1.5 kWh of energy, and 1 + 1.5 x 2 = 4 L of water.
TEST(Comparison, CoolingBelongsToTheEnergy) {
    const Factors factors({constant(FactorKind::pue, Range::exactly(1.5)),
                           constant(FactorKind::water_on_site, Range::exactly(1), "L/kWh"),
                           constant(FactorKind::water_off_site, Range::exactly(2), "L/kWh")});
    const Comparison both = compared(simple_arm({3.6e6, 3.6e6}), simple_arm({3.6e6, 3.6e6}), factors);
    EXPECT_NEAR(of(both, Measure::energy, kGross).costs[0], 5.4e6, 1e-3);
    EXPECT_NEAR(of(both, Measure::water, kGross).costs[0], 4, 1e-9);
    EXPECT_NEAR(both.tallies[0][0].water_on_l[kGross], 1, 1e-9);
    EXPECT_NEAR(both.tallies[0][0].water_off_l[kGross], 3, 1e-9);
}

}  // namespace
}  // namespace cultivar
