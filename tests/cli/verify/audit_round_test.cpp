// The queue of claims and a round over it: order, share, lot, and the effect of a verdict on the claims after it.
#include "cli/verify/audit_round.h"

#include <set>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "tests/cli/verify/verify_fixture.h"
#include "tests/pool/support/twin_keys.h"

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
    static std::vector<std::string> writers(const std::vector<QueuedClaim>& claims) {
        std::vector<std::string> names;
        for (const QueuedClaim& one : claims) names.push_back(one.row.claim.writer);
        return names;
    }
    // A claim with weights that do not score as it says, unless it is the last one that is published.
    void boast(const Stranger& who, int number) {
        claim(who, {run_of(who, {{"optim.lr", 0.001 * (number + 1)}}, 0.5 + 0.001 * number)});
    }
    std::size_t judged_of(const AuditRound& round, const Stranger& who) {
        std::set<std::string> claims;
        for (const ClaimRow& row : must(session().index->claims())) {
            if (row.claim.writer == who.writer) claims.insert(row.id);
        }
        return static_cast<std::size_t>(std::ranges::count_if(
            round.verdicts, [&](const Verdict& verdict) { return claims.contains(verdict.claim); }));
    }
    VerificationBudget share() {
        Session open = session();
        return allowance(open.clone->task, must(open.index->totals()));
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
    apply_verdict(open.clone->task, first, verdict, after);
    for (const QueuedClaim& one : after.claims) {
        EXPECT_FALSE(one.impact.best) << "a better one was accepted";
        EXPECT_EQ(one.track_record.valid_in_a_row, 1);
    }
    verdict.result = VerdictResult::rejected;
    after = rest;
    after.claims.front().track_record.valid_in_a_row = 7;
    apply_verdict(open.clone->task, first, verdict, after);
    for (const QueuedClaim& one : after.claims) {
        EXPECT_TRUE(one.impact.best);
        EXPECT_EQ(one.track_record.valid_in_a_row, 0);
    }
    verdict.result = VerdictResult::inconclusive;
    after = rest;
    apply_verdict(open.clone->task, first, verdict, after);
    EXPECT_TRUE(after.claims.front().impact.best) << "it taught nothing";
}

TEST_F(AuditRoundTest, ConsidersSoManyClaimsOfAKeyTheBestOfEachCategoryFirst) {
    std::vector<Record> records;
    Claim best, other;
    for (int i = 0; i < kMostConsidered + 3; ++i) {
        auto run = run_of(bob_, {{"optim.lr", 0.001 * (i + 1)}}, 2.9 - 0.001 * i);
        if (i == 0) run.category = "cuda-20s-e14";
        records.emplace_back(run);
        Claim made = claim_of(ann_, {run});
        made.writer = bob_.writer;
        (i == 0 ? other : best) = made;
        records.emplace_back(made);
    }
    publish(bob_, records);
    const Stranger carol = stranger("carol");
    claim(carol, {run_of(carol, {}, 2.95)});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    EXPECT_EQ(queue.claims.size(), static_cast<std::size_t>(kMostConsidered) + 1);
    std::set<std::string> found;
    for (const QueuedClaim& one : queue.claims) found.insert(one.row.claim.candidate + one.row.claim.category);
    EXPECT_TRUE(found.contains(best.candidate + best.category));
    EXPECT_TRUE(found.contains(other.candidate + other.category));
}

TEST_F(AuditRoundTest, IsInterruptedWhileItGathersTheClaims) {
    three_claims();
    Session open = session();
    int asked = 0;
    const auto stop = [&] { return ++asked > 3; };
    EXPECT_EQ(trouble(waiting_claims(open, clock_.unix_s(), stop)).code, Code::interrupted);
    EXPECT_EQ(asked, 4);
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

// Accepted by a replay while another led. The leader goes, and nobody has trained the new one again.
TEST_F(AuditRoundTest, OwesARerunOnceItComesToLead) {
    const Stranger eve = stranger("eve");
    const Claim leader = claim(eve, {run_of(eve, {{"optim.lr", 0.2}}, 1.9)});
    write_judged({Tier::rerun, AuditExtent::in_full});
    const Claim later = claim(bob_, {run_of(bob_, {}, 2.0)});
    write_judged({Tier::replay, AuditExtent::sample});
    EXPECT_EQ(word_of(later.candidate), "accepted");
    EXPECT_TRUE(audit().verdicts.empty());
    Retirement away;
    away.task = ann_.task_id, away.candidate = leader.candidate, away.retired = true, away.reason = "a dead end";
    away.writer = ann_.writer, away.at = "2026-11-22T05:00:00Z";
    spool(ann_, away);
    const AuditRound poor = audit();
    ASSERT_EQ(poor.verdicts.size(), 1U) << "there is no time for the rerun, but it is said that one is due";
    EXPECT_EQ(poor.verdicts.front().plan, (PlannedAudit{Tier::replay, AuditExtent::sample, true}));
    EXPECT_EQ(poor.verdicts.front().seconds, 0);
    EXPECT_EQ(word_of(later.candidate), "provisional");
    EXPECT_TRUE(audit().verdicts.empty()) << "it is said once";
    search(1e6);
    const AuditRound rich = audit();
    ASSERT_EQ(rich.verdicts.size(), 1U);
    EXPECT_EQ(rich.verdicts.front().tier, Tier::rerun);
    EXPECT_EQ(word_of(later.candidate), "accepted");
    EXPECT_TRUE(audit().verdicts.empty()) << "nothing is owed any more";
}

TEST_F(AuditRoundTest, OwesARerunOnceManyCandidatesComeFromIt) {
    const Stranger eve = stranger("eve");
    claim(eve, {run_of(eve, {{"optim.lr", 0.2}}, 1.9)});
    write_judged({Tier::rerun, AuditExtent::in_full});
    const Claim parent = claim(bob_, {run_of(bob_, {}, 2.0)});
    write_judged({Tier::replay, AuditExtent::sample});
    for (int i = 0; i < kMuchUsed; ++i) {
        auto child = run_by(ann_, {{"optim.lr", 0.3 + 0.01 * i}}, 2.5);
        child.parents = {parent.candidate};
        spool(ann_, child);
    }
    ASSERT_EQ(audit().verdicts.size(), 1U);
    EXPECT_EQ(word_of(parent.candidate), "provisional");
    be_of_the_category(false);
    EXPECT_TRUE(audit().verdicts.empty()) << "it is said once";
}

// A machine of another category cannot make the rerun, but it says that one is due.
TEST_F(AuditRoundTest, SaysThatARerunIsDueWhereItCannotMakeIt) {
    const Claim made = claim(bob_, {run_of(bob_, {}, 2.0)});
    write_judged({Tier::replay, AuditExtent::sample});
    EXPECT_EQ(word_of(made.candidate), "accepted");
    be_of_the_category(false);
    search(1e6);
    ASSERT_EQ(audit().verdicts.size(), 1U);
    EXPECT_EQ(word_of(made.candidate), "provisional");
    EXPECT_EQ(worker_.count(Specification::Mode::train), 0U);
}

TEST_F(AuditRoundTest, PaysTheFreshSeedsOfACandidateOnce) {
    search(1e6);
    claim(bob_, {run_of(bob_, {}, 2.0)});
    const Stranger eve = stranger("eve");
    claim(eve, {run_of(eve, {}, 2.0, 1)});
    const AuditRound round = audit();
    ASSERT_EQ(round.verdicts.size(), 2U);
    for (const Verdict& verdict : round.verdicts) {
        EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
        EXPECT_EQ(verdict.tier, Tier::rerun);
        EXPECT_EQ(verdict.reruns.size(), 3U);
    }
    EXPECT_EQ(worker_.count(Specification::Mode::train), 3U);
    const Stranger dave = stranger("dave");
    claim(dave, {run_of(dave, {}, 2.0, 2)});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    ASSERT_EQ(queue.claims.size(), 1U);
    EXPECT_EQ(queue.claims.front().rerun_s, 0);
    be_of_the_category(false);
    const AuditRound elsewhere = audit();
    ASSERT_EQ(elsewhere.verdicts.size(), 1U);
    EXPECT_EQ(elsewhere.verdicts.front().tier, Tier::rerun) << "no machine of the category is needed";
    RoundOptions asked;
    asked.tier = Tier::rerun;
    be_of_the_category();
    ClaimQueue named = must(claims_named(open, {elsewhere.verdicts.front().candidate}));
    named.claims.resize(1);
    must(audit_round(tools(), open, std::move(named), {}, asked, {}));
    EXPECT_EQ(worker_.count(Specification::Mode::train), 4U) << "a person who asks for a fresh seed gets one";
}

TEST_F(AuditRoundTest, TriesARerunAgainThatFailed) {
    const Claim made = claim(bob_, {run_of(bob_, {}, 2.0)});
    search(1e6);
    worker_.train_how = Outcome::How::died, worker_.message = "a signal ended it";
    for (const int wait_s : {3601, 7201}) {
        const AuditRound round = audit();
        ASSERT_EQ(round.verdicts.size(), 1U);
        EXPECT_EQ(round.verdicts.front().result, VerdictResult::accepted);
        EXPECT_EQ(round.verdicts.front().plan, (PlannedAudit{Tier::rerun, AuditExtent::in_full, true}));
        EXPECT_EQ(word_of(made.candidate), "provisional");
        clock_.unix += wait_s - 2;
        EXPECT_TRUE(audit().verdicts.empty()) << "it waits, longer each time";
        clock_.unix += 2;
    }
    worker_.train_how.reset();
    const AuditRound later = audit();
    ASSERT_EQ(later.verdicts.size(), 1U);
    EXPECT_EQ(later.verdicts.front().tier, Tier::rerun);
    EXPECT_EQ(word_of(made.candidate), "accepted");
}

TEST_F(AuditRoundTest, GoesOnAfterAClaimThatCannotBeJudged) {
    three_claims();
    search(1e6);
    bool first = true;
    worker_.fault = [&](const Specification&) {
        return std::exchange(first, false) ? std::optional(Error{Code::io, "no room", "", {}}) : std::nullopt;
    };
    const AuditRound round = audit();
    ASSERT_EQ(round.verdicts.size(), 3U);
    EXPECT_EQ(round.verdicts.front().result, VerdictResult::inconclusive);
    EXPECT_THAT(round.verdicts.front().reason, HasSubstr("it could not be judged: no room"));
    EXPECT_TRUE(round.waiting.empty());
    const auto jobs = worker_.jobs.size();
    audit();
    EXPECT_EQ(worker_.jobs.size(), jobs) << "it waits for an hour";
    clock_.unix += 3601;
    EXPECT_EQ(audit().verdicts.size(), 1U);
}

TEST_F(AuditRoundTest, EndsWhereThisMachineCanJudgeNothing) {
    three_claims();
    search(1e6);
    worker_.fault = [&](const Specification&) {
        worker_.gone = Error{Code::not_found, "there is no worker", "", {}};
        return worker_.gone;
    };
    Session open = session();
    ClaimQueue queue = must(waiting_claims(open));
    const VerificationBudget share = allowance(open.clone->task, must(open.index->totals()));
    EXPECT_EQ(trouble(audit_round(tools(), open, std::move(queue), share, {}, {})).code, Code::not_found);
    EXPECT_EQ(must(session().index->pending_claims()).size(), 3U);
}

// A dying worker, a full disk or a lost artifact takes nothing from a claim that was accepted.
TEST_F(AuditRoundTest, KeepsAVerdictThatStandsIfItIsJudgedAgainInVain) {
    const Claim made = claim(bob_, {run_of(bob_, {}, 2.0)});
    write_judged({Tier::replay, AuditExtent::in_full, true});
    EXPECT_EQ(word_of(made.candidate), "provisional");
    search(1e6);
    worker_.how = Outcome::How::died, worker_.message = "a signal ended it";
    const AuditRound round = audit();
    ASSERT_EQ(round.verdicts.size(), 1U);
    EXPECT_EQ(round.verdicts.front().result, VerdictResult::accepted);
    EXPECT_EQ(round.verdicts.front().tier, Tier::replay);
    EXPECT_THAT(round.verdicts.front().reason, HasSubstr("which failed: a signal ended it"));
    EXPECT_GT(round.verdicts.front().seconds, 0) << "its time counts";
    EXPECT_EQ(word_of(made.candidate), "provisional");
    worker_.how = Outcome::How::done;
    EXPECT_TRUE(audit().verdicts.empty());
    clock_.unix += 3601;
    audit();
    EXPECT_EQ(word_of(made.candidate), "accepted");
}

TEST_F(AuditRoundTest, SaysThatTheStructureTierWillRefuseWhatIsUnsound) {
    auto run = run_of(bob_, {}, 2.0);
    run.trace_elapsed_s = {0, 30};
    claim(bob_, {run});
    const AuditRound round = audit({.dry_run = true});
    ASSERT_EQ(round.judgeable.size(), 1U);
    EXPECT_EQ(round.judgeable.front().plan.audit.tier, Tier::structure);
    EXPECT_THAT(round.judgeable.front().plan.why, HasSubstr("will be refused by the structure tier: its run"));
}

TEST_F(AuditRoundTest, PassesOverAClaimThatNeverFits) {
    auto endless = run_of(bob_, {{"optim.lr", 0.1}}, 1.0);
    endless.budget_s = endless.train_s = endless.wall_s = 1e6, endless.category = "cpu-1000000s-e10.5";
    claim(bob_, {endless});
    auto word = run_of(bob_, {{"optim.lr", 0.2}}, 0.9);
    word.tokens = 1;
    claim(bob_, {word});
    const Stranger carol = stranger("carol");
    const Claim honest = claim(carol, {run_of(carol, {}, 2.0)});
    search(20'000);
    const AuditRound round = audit();
    const auto verdict = std::ranges::find(round.verdicts, honest.candidate, &Verdict::candidate);
    ASSERT_NE(verdict, round.verdicts.end());
    EXPECT_EQ(verdict->result, VerdictResult::accepted) << verdict->reason;
    EXPECT_THAT(round.waiting, testing::Contains(testing::Field(&QueuedClaim::too_dear, true)));
}

TEST_F(AuditRoundTest, JudgesWhatIsUnsoundWithoutTheShare) {
    auto run = run_of(bob_, {}, 2.0);
    run.trace_elapsed_s = {0, 30};
    claim(bob_, {run});
    const AuditRound round = audit();
    ASSERT_EQ(round.verdicts.size(), 1U) << "nothing was searched";
    EXPECT_EQ(round.verdicts.front().tier, Tier::structure);
    EXPECT_EQ(round.verdicts.front().result, VerdictResult::rejected);
    EXPECT_TRUE(worker_.jobs.empty());
}

TEST_F(AuditRoundTest, LetsKeysTakeTurnsWhateverTheyBoast) {
    for (int i = 0; i < 40; ++i) boast(bob_, i);
    const Stranger carol = stranger("carol");
    const Claim honest = claim(carol, {run_of(carol, {}, 2.0)});
    search(2000);
    worker_.job_s = 15;
    const AuditRound round = audit();
    const auto verdict = std::ranges::find(round.verdicts, honest.candidate, &Verdict::candidate);
    ASSERT_NE(verdict, round.verdicts.end());
    EXPECT_LE(verdict - round.verdicts.begin(), 1) << "after a rejected claim the others of its key come last";
    EXPECT_LT(judged_of(round, bob_), 10U) << "they use up no more than their part";
}

TEST_F(AuditRoundTest, LetsNewKeysUseUpNoMoreThanTheirPart) {
    const Stranger dave = stranger("dave");
    claim(dave, {run_of(dave, {{"optim.lr", 0.3}}, 2.0)});
    search(20'000);
    audit();
    for (int i = 0; i < 30; ++i) boast(stranger(fmt::format("sybil{}", i)), i);
    worker_.job_s = 100;
    audit();
    EXPECT_GT(share().left_s(), 0.3 * share().allowed_s()) << "they had their half";
    worker_.job_s = 1;
    claim(dave, {run_of(dave, {{"optim.lr", 0.4}}, 1.9)});
    EXPECT_EQ(judged_of(audit(), dave), 1U);
}

TEST_F(AuditRoundTest, TriesAgainWhatCameToNothingAfterAWhile) {
    auto run = run_of(bob_, {}, 2.0);
    const std::string weights = "weights that come later";
    run.artifact = sha256_hex(weights), run.artifact_bytes = static_cast<std::int64_t>(weights.size());
    claim(bob_, {run});
    search(20'000);
    const AuditRound first = audit();
    ASSERT_EQ(first.verdicts.size(), 1U);
    EXPECT_EQ(first.verdicts.front().result, VerdictResult::inconclusive);
    EXPECT_TRUE(audit().verdicts.empty()) << "at once nothing has changed";
    must(store_artifact(ann_.repo, run.artifact, weights));
    clock_.unix += 3601;
    const AuditRound later = audit();
    ASSERT_EQ(later.verdicts.size(), 1U);
    EXPECT_EQ(later.verdicts.front().result, VerdictResult::accepted) << later.verdicts.front().reason;
}

TEST_F(AuditRoundTest, IsNotPaidByWhatStrangersSay) {
    auto failed = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.7}}, 3.0);
    failed.status = RunStatus::failed, failed.val_bpb.reset(), failed.val_loss.reset();
    failed.wall_s = failed.budget_s = 1e9, failed.category = "cpu-1000000000s-e10.5";
    publish(bob_, {failed});
    EXPECT_LT(share().allowed_s(), 10) << "a few budgets of the pool, and nothing for that run";
    search(1000);
    EXPECT_NEAR(share().allowed_s(), 0.05 * (1000 + kFirstBudgets * ann_.task.budget_s), 1);
}

TEST_F(AuditRoundTest, IsPaidByTheSearchOfKeysWithVerifiedRuns) {
    search(1000);
    const double before_s = share().allowed_s();
    auto other = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.7}}, 3.0);
    other.wall_s = 1e9;
    publish(bob_, {other});
    EXPECT_EQ(share().allowed_s(), before_s);
    claim(bob_, {run_of(bob_, {}, 2.0)});
    audit();
    EXPECT_GT(share().allowed_s(), before_s);
    EXPECT_LT(share().allowed_s(), before_s + 0.05 * 20 * ann_.task.budget_s) << "and no run beyond a few budgets";
}

TEST_F(AuditRoundTest, LeavesOutClaimsOfRunsThatWereClaimedBefore) {
    const auto run = run_of(bob_, {}, 2.0);
    claim(bob_, {run});
    Claim again = claim_of(ann_, {run});
    again.writer = bob_.writer, again.at = "2026-11-22T05:00:00Z";
    publish(bob_, {again});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    EXPECT_EQ(queue.claims.size(), 1U);
    EXPECT_EQ(queue.repeats, 1);
}

TEST_F(AuditRoundTest, TakesAKeyThatBeginsLikeItsOwnForAnother) {
    must(write_file_atomically(world_.path("twin.pem"), kTwinKeys[0]));
    must(write_file_atomically(ann_.state_dir + "key.pem", kTwinKeys[1]));
    ann_ = world_.reopen("ann");
    const Stranger twin = stranger("twin");
    ASSERT_EQ(key_digits(twin.writer), key_digits(ann_.writer));
    claim(twin, {run_of(twin, {}, 2.0)});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    EXPECT_EQ(queue.own, 0);
    EXPECT_EQ(queue.claims.size(), 1U);
}

// Bob's find waits. Eve runs it with the next replicate and says a better score.
TEST_F(AuditRoundTest, JudgesClaimsOfOneCandidateOldestFirstAndNamesTheOldest) {
    const Stranger eve = stranger("eve");
    claim(eve, {run_of(eve, {{"optim.lr", 0.2}}, 2.5)});
    audit({.share_use = ShareUse::all_beyond});
    claim(bob_, {run_of(bob_, {}, 2.0)});
    seen_before(bob_);
    claim(eve, {run_of(eve, {}, 1.95, 1)});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    ASSERT_EQ(queue.claims.size(), 2U);
    EXPECT_THAT(writers(queue.claims), testing::ElementsAre(bob_.writer, eve.writer));
    EXPECT_EQ(must(open.index->first_claim(queue.claims[1].row)), queue.claims[0].row.id);
    EXPECT_EQ(must(open.index->first_claim(queue.claims[0].row)), "");
}

TEST_F(AuditRoundTest, EstimatesByItsOwnMeasurementsNotByTheClaimsWords) {
    search(1e6);
    for (double loss : {2.1, 2.0}) claim(bob_, {run_of(bob_, {{"optim.lr", loss / 20}}, loss)});
    const auto cost_of = [&](double tokens, double lr) {
        auto run = run_of(bob_, {{"optim.lr", lr}}, 2.2);
        run.tokens = static_cast<std::int64_t>(tokens);
        claim(bob_, {run});
        Session open = session();
        const ClaimQueue queue = must(waiting_claims(open));
        return std::ranges::find(queue.claims, run.candidate, [](const auto& one) { return one.row.claim.candidate; })
            ->expected_s;
    };
    EXPECT_LT(cost_of(1, 0.01), 50 * ann_.task.budget_s) << "its budget bounds its words";
    audit({.share_use = ShareUse::claims_beyond});
    EXPECT_NEAR(cost_of(2, 0.02), cost_of(1e9, 0.03), 1e-9);
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
