// The queue of claims and a round over it: order, share, lot, and the effect of a verdict on the claims after it.
#include "cli/verify/audit_round.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "tests/cli/verify/verify_fixture.h"

namespace cultivar {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class AuditRoundTest : public VerifyTest {
protected:
    // Claims of Bob's from the worst to the best, all of one category.
    void three_claims() {
        for (double loss : {2.2, 2.1, 2.0}) claim(bob_, {run_of(bob_, {{"optim.lr", loss / 20}}, loss)});
    }
    // Search of Ann's own, which pays for verification: 0.05 of these seconds.
    void search(double seconds) {
        auto run = scored_run(ann_.task, ann_.writer, {{"optim.lr", 0.5}}, 3.0);
        run.decision = Decision::reverted;
        run.wall_s = seconds;
        spool(ann_, run);
    }
};

TEST_F(AuditRoundTest, QueuesTheMostValuableClaimFirst) {
    three_claims();
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    ASSERT_EQ(queue.claims.size(), 3U);
    EXPECT_TRUE(std::is_sorted(
        queue.claims.begin(), queue.claims.end(),
        [](const QueuedClaim& a, const QueuedClaim& b) { return a.row.claim.val_bpb < b.row.claim.val_bpb; }));
    for (const QueuedClaim& one : queue.claims) {
        EXPECT_TRUE(one.impact.best) << "nothing is accepted yet";
        EXPECT_EQ(one.plan.audit.extent, AuditExtent::in_full);
        EXPECT_EQ(one.plan.audit.tier, Tier::rerun);
        EXPECT_GT(one.expected_s, 0);
        EXPECT_EQ(seeds_due(open.clone->task, one), open.clone->task.record_min_seeds);
    }
    EXPECT_FALSE(queue.hold_out);
}

TEST_F(AuditRoundTest, LeavesClaimsOfItsOwnToOthers) {
    auto run = run_by(ann_, {}, 2.0);
    give_artifact(ann_, run, "weights");
    spool(ann_, run);
    spool(ann_, claim_of(ann_, {run}));
    claim(bob_, {run_of(bob_, {{"optim.lr", 0.1}}, 2.1)});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    EXPECT_EQ(queue.own, 1);
    ASSERT_EQ(queue.claims.size(), 1U);
    EXPECT_EQ(queue.claims.front().row.claim.writer, bob_.writer);
}

TEST_F(AuditRoundTest, FindsTheClaimsThatAreNamed) {
    const Claim made = claim(bob_, {run_of(bob_, {}, 2.0)});
    Session open = session();
    EXPECT_EQ(must(claims_named(open, {made.candidate.substr(0, 8)})).claims.size(), 1U);
    EXPECT_EQ(trouble(claims_named(open, {"ffffffff"})).code, Code::not_found);
}

TEST_F(AuditRoundTest, LearnsFromAVerdictAboutTheClaimsThatStillWait) {
    three_claims();
    Session open = session();
    ClaimQueue rest = must(waiting_claims(open));
    const QueuedClaim first = rest.claims.front();
    rest.claims.erase(rest.claims.begin());
    Verdict verdict;
    verdict.result = VerdictResult::accepted;
    ClaimQueue after = rest;
    apply_verdict(open, first, verdict, after);
    for (const QueuedClaim& one : after.claims) {
        EXPECT_FALSE(one.impact.best) << "a better one was accepted";
        EXPECT_EQ(one.track_record.valid_in_a_row, 1);
    }
    verdict.result = VerdictResult::rejected;
    after = rest;
    after.claims.front().track_record.valid_in_a_row = 7;
    apply_verdict(open, first, verdict, after);
    for (const QueuedClaim& one : after.claims) {
        EXPECT_TRUE(one.impact.best);
        EXPECT_EQ(one.track_record.valid_in_a_row, 0);
    }
    verdict.result = VerdictResult::inconclusive;
    after = rest;
    apply_verdict(open, first, verdict, after);
    EXPECT_TRUE(after.claims.front().impact.best) << "it taught nothing";
}

TEST_F(AuditRoundTest, JudgesAsFarAsTheShareAllowsAndOvertakesNobody) {
    three_claims();
    const AuditRound none = audit();
    EXPECT_TRUE(none.verdicts.empty());
    EXPECT_EQ(none.waiting.size(), 3U) << "5 % of three runs pay for no verdict";
    EXPECT_TRUE(worker_.jobs.empty());
    search(1e6);
    worker_.job_s = 20'000;
    const AuditRound one = audit();
    EXPECT_EQ(one.verdicts.size(), 1U) << "the first took all of it";
    EXPECT_EQ(one.waiting.size(), 2U);
    EXPECT_GE(one.spent_s, 40'000);
}

TEST_F(AuditRoundTest, PutsOffARerunThatDoesNotFit) {
    claim(bob_, {run_of(bob_, {}, 2.0)});
    search(1000);
    const AuditRound round = audit();
    ASSERT_EQ(round.verdicts.size(), 1U);
    const Verdict& verdict = round.verdicts.front();
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    EXPECT_EQ(verdict.plan, (PlannedAudit{Tier::replay, AuditExtent::in_full, true}));
    EXPECT_THAT(verdict.chosen, StartsWith("in full: "));
    EXPECT_THAT(verdict.chosen, EndsWith("its rerun waits"));
    EXPECT_EQ(verdict.tier, Tier::replay);
    search(1e6);
    const AuditRound later = audit();
    ASSERT_EQ(later.verdicts.size(), 1U) << "it is due again, now that there is time for it";
    EXPECT_EQ(later.verdicts.front().tier, Tier::rerun);
    EXPECT_EQ(later.verdicts.front().plan, (PlannedAudit{Tier::rerun, AuditExtent::in_full}));
    EXPECT_TRUE(audit().verdicts.empty()) << "nothing is owed any more";
}

TEST_F(AuditRoundTest, TakesUpAClaimThatVerifiersOfOtherDevicesCouldOnlyScore) {
    auto run = run_of(bob_, {}, 2.0);
    run.category = "cuda-20s-e14";
    claim(bob_, {run});
    search(1e6);
    ASSERT_EQ(audit().verdicts.size(), 1U);
    Session here = session(), there = session();
    EXPECT_EQ(must(here.index->standings("cuda-20s-e14")).at(0).verdict, "scored");
    EXPECT_TRUE(must(waiting_claims(here)).claims.empty()) << "this device can do no more";
    there.settings.device = {"cuda", "flag"};
    EXPECT_EQ(must(waiting_claims(there)).claims.size(), 1U);
}

TEST_F(AuditRoundTest, JudgesBeyondTheShareIfAsked) {
    claim(bob_, {run_of(bob_, {}, 2.0)});
    const AuditRound claims = audit({.share_use = ShareUse::claims_beyond});
    ASSERT_EQ(claims.verdicts.size(), 1U);
    EXPECT_TRUE(claims.verdicts.front().plan->rerun_waits) << "a rerun is not asked for by that";
    Session open = session();
    ClaimQueue queue = must(claims_named(open, {claims.verdicts.front().candidate}));
    const AuditRound all =
        must(audit_round(tools(), open, std::move(queue), {}, {.share_use = ShareUse::all_beyond}, {}));
    ASSERT_EQ(all.verdicts.size(), 1U);
    EXPECT_EQ(all.verdicts.front().tier, Tier::rerun);
}

TEST_F(AuditRoundTest, AuditsToTheTierThatIsNamed) {
    claim(bob_, {run_of(bob_, {}, 2.0)});
    RoundOptions options;
    options.tier = Tier::rescore;
    const AuditRound round = audit(options);
    ASSERT_EQ(round.verdicts.size(), 1U);
    EXPECT_EQ(round.verdicts.front().chosen, "rescore: asked for by name");
    EXPECT_EQ(round.verdicts.front().plan, (PlannedAudit{Tier::rescore, AuditExtent::whole}));
    EXPECT_EQ(round.verdicts.front().result, VerdictResult::inconclusive) << "a replay was due";
    EXPECT_EQ(worker_.jobs.size(), 1U);
}

TEST_F(AuditRoundTest, OfADryRunOnlySaysWhatItWouldJudge) {
    three_claims();
    search(1e6);
    const AuditRound round = audit({.dry_run = true});
    EXPECT_EQ(round.judgeable.size(), 3U);
    EXPECT_TRUE(round.verdicts.empty());
    EXPECT_GT(round.spent_s, 0);
    EXPECT_TRUE(worker_.jobs.empty());
}

TEST_F(AuditRoundTest, TellsItsListenerAndKeepsTheVerdictsGivenBeforeAnInterruption) {
    three_claims();
    search(1e6);
    std::vector<std::string> begun, judged;
    RoundListener listener;
    listener.begins = [&](const QueuedClaim& one) { begun.push_back(one.row.claim.candidate); };
    listener.judged = [&](const Verdict& verdict) {
        judged.push_back(verdict.candidate);
        observer_.stop = true;
    };
    Session open = session();
    ClaimQueue queue = must(waiting_claims(open));
    const VerificationBudget share = allowance(open.clone->task, must(open.index->totals()));
    const auto round = audit_round(tools(), open, std::move(queue), share, {}, listener);
    EXPECT_EQ(trouble(round).code, Code::interrupted);
    EXPECT_EQ(begun.size(), 2U);
    EXPECT_EQ(judged.size(), 1U);
    EXPECT_EQ(must(session().index->pending_claims()).size(), 2U);
}

}  // namespace
}  // namespace cultivar
