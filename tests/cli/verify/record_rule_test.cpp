// Tests the pool's rule for records over several seeds.
#include "cli/verify/record_rule.h"

#include <gtest/gtest.h>

#include "pool/storage/segment_log.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

class RecordClaim : public IndexTest {
protected:
    // Adds a claim with one run per loss; returns its index among all claims.
    std::size_t claim(const Genes& changes, const std::vector<double>& losses) {
        return claim_by(bob_, changes, losses);
    }
    std::size_t claim_by(const Stranger& who, const Genes& changes, const std::vector<double>& losses,
                         int replicate = 0) {
        std::vector<Record> records;
        std::vector<cultivar::Run> runs;
        for (double loss : losses) runs.push_back(scored_run(ann_.task, who.writer, changes, loss, replicate++));
        for (const auto& run : runs) records.emplace_back(run);
        Claim made = claim_of(ann_, runs);
        made.writer = who.writer;
        records.emplace_back(made);
        publish(who, records);
        return claims_++;
    }
    Session session() {
        Session open;
        open.clone = std::make_unique<Clone>(world_.reopen("ann"));
        open.index = std::make_unique<Index>(must(Index::open(*open.clone)));
        return open;
    }
    // An accepted verdict with these losses of the fresh seeds.
    Verdict judged(std::size_t place, const std::vector<double>& fresh_losses) {
        Session open = session();
        const ClaimRow row = must(open.index->claims()).at(place);
        Verdict verdict = blank(row);
        for (double loss : fresh_losses) verdict.reruns.push_back({verdict.reruns.size(), score(loss)});
        must(apply_suspicions(open, row, verdict));
        return verdict;
    }
    RecordMark judge(std::size_t place, const std::vector<double>& fresh_losses) {
        return judged(place, fresh_losses).record.value();
    }
    void accept(const Verdict& verdict) {
        must(append_log(ann_.repo, ann_.ledger_ref(), {to_line(verdict)}, ann_.identity(), ann_.key));
    }
    double score(double loss) const { return *run_by(ann_, {}, loss).val_bpb; }

    Verdict blank(const ClaimRow& row) const {
        Verdict verdict;
        verdict.claim = row.id, verdict.task = ann_.task_id, verdict.candidate = row.claim.candidate;
        verdict.artifact = row.claim.artifact, verdict.result = VerdictResult::accepted, verdict.tier = Tier::rerun;
        verdict.reason = "fits", verdict.verifier = ann_.writer, verdict.at = "2026-11-21T06:00:00Z";
        verdict.slice = std::string(64, '4');
        return verdict;
    }

    Stranger bob_ = stranger("bob");
    std::size_t claims_ = 0;
};

TEST_F(RecordClaim, TakesEnoughFreshSeedsAndThenAGainBeyondLuck) {
    const auto first = claim({{"optim.lr", 0.1}}, {1.9});
    EXPECT_FALSE(judge(first, {1.9, 1.901}).accepted) << "the pool wants three seeds";
    const Verdict standing = judged(first, {1.9, 1.901, 1.902});
    EXPECT_TRUE(standing.record->accepted);
    EXPECT_EQ(standing.record->against, "");
    accept(standing);
    const auto next = claim({{"optim.lr", 0.4}}, {1.85});
    EXPECT_FALSE(judge(next, {1.85, 1.9, 1.95}).accepted) << "its best seed is far better, its mean is not";
    EXPECT_GT(judge(next, {1.85, 1.9, 1.95}).p, 0.01);
    EXPECT_FALSE(judge(next, {1.8989, 1.899, 1.8991}).accepted) << "less than min_gain_nats, however surely";
    EXPECT_FALSE(judge(next, {1.85, 1.851}).accepted) << "one seed short, however good";
    const Verdict better = judged(next, {1.85, 1.851, 1.852});
    const RecordMark& mark = *better.record;
    EXPECT_TRUE(mark.accepted);
    EXPECT_EQ(mark.seeds, 3);
    const double gain = score(1.901) - score(1.851);
    EXPECT_NEAR(mark.gain, gain, 1e-12);
    EXPECT_LT(mark.p, 0.01);
    EXPECT_LT(mark.low, gain);
    EXPECT_GT(mark.high, gain);
    accept(better);
    Session open = session();
    EXPECT_EQ(must(open.index->record_holder("cpu-20s-e10.5"))->claim, must(open.index->claims()).at(next).id);
    const auto verified = must(open.index->standings("", 0, true));
    ASSERT_EQ(verified.size(), 2u);
    EXPECT_TRUE(verified[0].record);
}

TEST_F(RecordClaim, DoesNotRestOnWhatItsOwnRunsSay) {
    accept(judged(claim({}, {2.0}), {2.0, 2.001, 2.002}));
    const auto lucky = claim({{"optim.lr", 0.1}}, {1.9, 1.901, 1.902});
    EXPECT_EQ(judged(lucky, {}).record, std::nullopt) << "accepted, but no verifier trained it";
    const RecordMark mark = judge(lucky, {1.999, 2.0, 2.002});
    EXPECT_FALSE(mark.accepted);
    EXPECT_EQ(mark.seeds, 3);
    EXPECT_GT(mark.p, 0.01);
    EXPECT_LT(mark.low, 0);
}

TEST_F(RecordClaim, IsNoneOfAVerdictThatStoppedShortOfTheRerun) {
    const auto first = claim({}, {2.0});
    Session open = session();
    Verdict verdict = judged(first, {2.0, 2.001, 2.002});
    verdict.tier = Tier::replay, verdict.record.reset();
    must(apply_suspicions(open, must(open.index->claims()).at(first), verdict));
    EXPECT_EQ(verdict.result, VerdictResult::accepted);
    EXPECT_EQ(verdict.record, std::nullopt);
}

// Eve leaves out her worse runs.
TEST_F(RecordClaim, ThatIsOddOwesARerunAndIsNotInconclusive) {
    const Stranger eve = stranger("eve");
    publish(eve, {scored_run(ann_.task, eve.writer, {}, 2.5)});
    const auto odd = claim_by(eve, {}, {2.0}, 1);
    Session open = session();
    const ClaimRow row = must(open.index->claims()).at(odd);
    Verdict verdict = blank(row);
    verdict.tier = Tier::replay;
    must(apply_suspicions(open, row, verdict));
    EXPECT_EQ(verdict.result, VerdictResult::accepted);
    EXPECT_TRUE(verdict.plan->rerun_waits);
    EXPECT_NE(verdict.reason.find("it owes a rerun: it leaves out 1 of"), std::string::npos) << verdict.reason;
}

TEST_F(RecordClaim, NamesAnOlderClaimOfTheSameCandidateThatThisCloneSawFirst) {
    const auto first = claim({}, {2.0});
    const std::string id = must(session().index->claims()).at(first).id;
    Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
    must(database.execute("UPDATE record SET seen_s = seen_s - 100"));
    const auto next = claim_by(stranger("eve"), {}, {1.95}, 1);
    EXPECT_EQ(judged(next, {}).first, id);
    EXPECT_EQ(judged(first, {}).first, "");
    EXPECT_EQ(must(parse_verdict(to_line(judged(next, {})))).first, id);
}

TEST_F(RecordClaim, IsComparedWithWhatFreshSeedsOfTheStandingOneScored) {
    const auto praised = claim({}, {1.9, 1.901, 1.902});
    accept(judged(praised, {2.0, 2.001, 2.002}));
    const auto honest = claim({{"optim.lr", 0.1}}, {1.95});
    EXPECT_TRUE(judge(honest, {1.95, 1.951, 1.952}).accepted);
    EXPECT_EQ(must(session().index->record_holder("cpu-20s-e10.5"))->scores.front(), score(2.0));
}

TEST_F(RecordClaim, OfAnOlderVerdictRestsOnItsOwnRunsOneASeed) {
    auto once = scored_run(ann_.task, bob_.writer, {}, 2.0, 0), twice = scored_run(ann_.task, bob_.writer, {}, 2.1, 0);
    auto other = scored_run(ann_.task, bob_.writer, {}, 2.2, 1);
    Claim made = claim_of(ann_, {once, twice, other});
    made.writer = bob_.writer;
    publish(bob_, {once, twice, other, made});
    Verdict older = judged(0, {});
    older.record.emplace().accepted = true;
    accept(older);
    EXPECT_EQ(must(session().index->record_holder("cpu-20s-e10.5"))->scores,
              (std::vector<double>{score(2.1), score(2.2)}));
}

TEST_F(RecordClaim, IsNotHeldAgainstItselfWhenItIsJudgedAgain) {
    const auto first = claim({}, {2.0});
    const std::vector<double> fresh = {2.0, 2.001, 2.002};
    accept(judged(first, fresh));
    EXPECT_TRUE(judge(first, fresh).accepted);
    EXPECT_EQ(judge(first, fresh).against, "");
}

}  // namespace
}  // namespace cultivar
