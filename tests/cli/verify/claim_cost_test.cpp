// The expected cost of a claim: the work of its configuration at this machine's speed, and the limits that follow from it.
#include "cli/verify/claim_cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/judge/structure_check.h"
#include "tests/cli/verify/verify_fixture.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

using Mode = Specification::Mode;

Task lm_task() {
    Task task = tiny_task();
    task.space = must(Space::make(lm_genes(), lm_constraints()));
    return task;
}

Genes small(std::int64_t width, std::int64_t step_tokens) {
    return {{"model.layers", std::int64_t{2}}, {"model.width", width}, {"data.tokens_per_step", step_tokens}};
}

TEST(ExpectedSeconds, GrowWithTheWork) {
    EXPECT_EQ(expected_seconds({}, 10), std::nullopt);
    EXPECT_DOUBLE_EQ(*expected_seconds({{10, 2}}, 30), 6);
    EXPECT_DOUBLE_EQ(*expected_seconds({{10, 2}}, 5), 1);
    EXPECT_DOUBLE_EQ(*expected_seconds({{0, 2}}, 5), 2) << "of unknown work";
    EXPECT_DOUBLE_EQ(*expected_seconds({{10, 2}}, 0), 2) << "for unknown work";
}

TEST(ExpectedSeconds, FollowTheMeasurementsOfAboutTheSameWork) {
    std::vector<MeasuredWork> measured;
    for (int i = 0; i < 20; ++i) measured.push_back({1, 1});  // start-up is all that small models take
    for (int i = 0; i < 8; ++i) measured.push_back({1000, 10});
    EXPECT_DOUBLE_EQ(*expected_seconds(measured, 2000), 20);
}

TEST(ExpectedSeconds, OfLargeWorkAreBoundedByTheBenchmark) {
    EXPECT_DOUBLE_EQ(*expected_seconds({{1, 1}}, 1e6), 1e6);
    EXPECT_DOUBLE_EQ(*expected_seconds({{1, 1}}, 1e6, 1e5), 1 + 80) << "no slower than an eighth of its speed";
}

class ClaimCostTest : public VerifyTest {
protected:
    ClaimCostTest() : VerifyTest(lm_task()) {}

    // A claim of this configuration that says that it was as fast as any other.
    Claim published(const Genes& genes, double val_loss) {
        auto run = run_of(bob_, genes, val_loss);
        const auto step_tokens = std::get<std::int64_t>(genes.at("data.tokens_per_step"));
        run.tokens = run.steps * step_tokens;
        return claim(bob_, {run});
    }
    QueuedClaim queued(const Claim& claim) {
        Session open = session();
        for (QueuedClaim& one : must(waiting_claims(open)).claims) {
            if (one.row.claim.candidate == claim.candidate) return std::move(one);
        }
        throw std::runtime_error("it does not wait");
    }
    // This machine takes a second beside the start of each job.
    void measure() {
        published(small(64, 8192), 2.0);
        worker_.job_s = kStart_s + 1;
        write_judged({Tier::replay, AuditExtent::whole});
    }
};

TEST_F(ClaimCostTest, IsReckonedFromTheConfiguration) {
    const Workload work = workload_of(ann_.task, published(small(64, 8192), 2.0).toml);
    EXPECT_GT(work.forward_flops, 1e5);
    EXPECT_EQ(work.step_tokens, 8192);
    EXPECT_EQ(workload_of(tiny_task(), candidate_of({}).toml).step_tokens, 0) << "not of this trainer";
}

TEST_F(ClaimCostTest, GrowsWithTheModelAndTheTokensOfAStep) {
    measure();
    const QueuedClaim like = queued(published(small(64, 8192), 1.9));
    const QueuedClaim large = queued(published(small(1024, 8192), 1.8));
    const QueuedClaim many = queued(published(small(64, 524288), 1.7));
    ASSERT_EQ(like.unsound, "");
    EXPECT_TRUE(like.jobs.measured);
    EXPECT_NEAR(like.jobs.step, 0.5, 1e-9) << "two steps in a second";
    EXPECT_NEAR(many.jobs.step, 64 * like.jobs.step, 1e-6);
    EXPECT_NEAR(many.jobs.target, like.jobs.target, 1e-12);
    EXPECT_GT(large.jobs.target, 10 * like.jobs.target);
    EXPECT_GT(large.jobs.step, 10 * like.jobs.step);
    EXPECT_GT(many.expected_s, 64 * 2 * 0.5) << "two steps are replayed";
    EXPECT_GT(many.jobs.seed, 2 * 64 * 0.5) << "a training takes a step at least";
}

// A benchmark that something else disturbed makes no claim too dear for ever.
TEST_F(ClaimCostTest, IsBoundedByTheBudgetWhereNothingWasMeasured) {
    be_of_the_category(false);
    const QueuedClaim one = queued(published(small(1024, 524288), 2.0));
    EXPECT_FALSE(one.jobs.measured);
    EXPECT_LE(one.jobs.step * kFewestSteps, ann_.task.budget_s);
    EXPECT_LE(one.expected_s, 20 * ann_.task.budget_s);
    EXPECT_GT(one.jobs.step, 0);
}

TEST_F(ClaimCostTest, LimitsJobsToAMultipleOfTheEstimate) {
    measure();
    const auto jobs = worker_.jobs.size();
    worker_.job_s = 1;
    QueuedClaim one = queued(published(small(64, 16384), 1.9));
    one.plan = {{Tier::rerun, AuditExtent::whole}, "because", false};
    Session open = session();
    must(must(Verifier::make(tools(), open)).judge(one));
    const double limit_s = kLeastJobLimit_s + kJobPatience * one.all_s();
    ASSERT_GT(worker_.jobs.size(), jobs + 2);
    for (std::size_t i = jobs; i < worker_.jobs.size(); ++i) {
        EXPECT_LE(worker_.limits_s.at(i), limit_s) << i;
        EXPECT_LT(worker_.limits_s.at(i), kUnmeasuredLimit_s) << i;
    }
}

// An estimate that is too low heals: each vain try doubles the limit.
TEST(JobLimit, DoublesWithEachVainTry) {
    const JobSeconds jobs{0, 0, 0, true};
    EXPECT_EQ(job_limit_s(jobs, 10, 0), kLeastJobLimit_s + 10 * kJobPatience);
    EXPECT_EQ(job_limit_s(jobs, 10, 1), 2 * job_limit_s(jobs, 10, 0));
    EXPECT_EQ(job_limit_s(jobs, 10, 100), 8 * job_limit_s(jobs, 10, 0));
    EXPECT_EQ(job_limit_s({}, 10, 0), kUnmeasuredLimit_s);
}

}  // namespace
}  // namespace cultivar
