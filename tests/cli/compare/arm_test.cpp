// Arms by their names, and the runs of a pool that they take.
#include "cli/compare/arm_loader.h"

#include "energy/compare/comparison.h"
#include "tests/energy/support.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

TEST(ArmSpec, NamesPoolsContributorsCategoriesAndPeriods) {
    EXPECT_EQ(must(parse_arm("a,b")).words, (std::vector<std::string>{"a", "b"}));
    const ArmSpec people = must(parse_arm("contributor:ann,SHA256:key"));
    SpentRow run;
    run.writer = "ann.desk.01234567", run.key = "SHA256:other", run.category = "cpu-2s-e11",
    run.at = "2026-11-08T00:00:00Z";
    EXPECT_TRUE(people.takes(run));
    run.writer = "bob.desk.01234567";
    EXPECT_FALSE(people.takes(run));
    run.key = "SHA256:key";
    EXPECT_TRUE(people.takes(run));
    EXPECT_TRUE(must(parse_arm("category:cpu-2s-e11")).takes(run));
    EXPECT_FALSE(must(parse_arm("category:cpu-2s-e10")).takes(run));
    EXPECT_FALSE(must(parse_arm("period:2026-11-01..2026-11-08")).takes(run));
    EXPECT_TRUE(must(parse_arm("period:2026-11-08..2026-11-08T00:01Z")).takes(run));
    for (const char* wrong :
         {"", "a,,b", "contributor:", "period:2026-11-01", "period:2026-11-09..2026-11-08", "period:x..y"})
        EXPECT_FALSE(parse_arm(wrong)) << wrong;
}

TEST(ArmSpec, OneMachineIsOneMeterWhateverItsKey) {
    EXPECT_EQ(meter_of("rapl", "ann.desk.01234567"), "rapl at ann.desk");
    EXPECT_EQ(meter_of("rapl", "ann.desk.89abcdef"), "rapl at ann.desk");
}

class ArmLoaderTest : public ::testing::Test {
protected:
    ArmLoaderTest() : ann_(world_.found("ann")) {}

    cultivar::Run measured(const Genes& changes, double loss, const std::string& ended) {
        cultivar::Run run = run_by(ann_.clone, changes, loss);
        run.wall_s = 300, run.ended = ended, run.zone = "GB";
        run.energy = {180, 0.2, "rapl"};
        run.energy.domains = {{"cpu", "rapl", 0.2, {{kNewYear_s, 300, 300, 120}}}};
        return run;
    }
    std::string spool_run(const cultivar::Run& run) {
        std::string id = spool(ann_.clone, run);
        must(ann_.index.refresh());
        return id;
    }

    World world_;
    Hand ann_;
};

TEST_F(ArmLoaderTest, RunsCarryTheirUses) {
    cultivar::Run run = measured({}, 5.1, "2026-01-01T00:05:00Z");
    run.proposer = "proposer";
    run.proposer_energy = ProposerEnergy{40, 10, 160, "estimated"};
    run.network_bytes = 50'000'000;
    spool_run(run);
    const Repeat repeat = must(load_repeat(ann_.index, must(parse_arm("category:" + run.category)), true));
    ASSERT_EQ(repeat.runs.size(), 1);
    const SpentRun& one = repeat.runs[0];
    EXPECT_EQ(one.end_s - one.start_s, 300);
    EXPECT_FALSE(one.verified_loss);
    EXPECT_TRUE(one.flops);
    ASSERT_EQ(one.uses.size(), 3);
    double joules = 0, bytes = 0;
    for (const SpentUse& use : one.uses) joules += use.stretch.joules[kAboveIdle].value, bytes += use.bytes;
    EXPECT_NEAR(joules, 220, 1e-9);
    EXPECT_EQ(bytes, 50'000'000);
    EXPECT_FALSE(load_repeat(ann_.index, must(parse_arm("category:none")), true));
}

// The verdict belongs to the last run of the claim, by anyone's clock.
TEST_F(ArmLoaderTest, VerificationBelongsToTheRunThatItJudged) {
    ann_.propose();
    const cultivar::Run run = measured({}, 5.1, "2026-01-01T00:05:00Z");
    spool_run(run);
    ann_.claim_and_accept(run);
    const Repeat repeat = must(load_repeat(ann_.index, must(parse_arm("x")), true));
    ASSERT_EQ(repeat.runs.size(), 1);
    ASSERT_EQ(repeat.runs[0].uses.size(), 2);
    const auto found = std::ranges::find(repeat.runs[0].uses, Purpose::verification, &SpentUse::purpose);
    ASSERT_NE(found, repeat.runs[0].uses.end());
    EXPECT_NEAR(found->stretch.joules[kAboveIdle].value, 70, 1e-9);
    // Nobody verifies a claim of their own.
    EXPECT_FALSE(repeat.runs[0].verified_loss);
}

}  // namespace
}  // namespace cultivar
