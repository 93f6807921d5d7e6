// Records by the pool's rule over seeds.
#include "cli/record_claim.h"

#include <gtest/gtest.h>

#include "pool/segment_log.h"
#include "tests/pool/index_fixture.h"

namespace cultivar {
namespace {

class RecordClaim : public IndexTest {
protected:
    // A claim of Bob's over one run for each loss; its place among all claims.
    std::size_t claim(const Genes& changes, const std::vector<double>& losses) {
        std::vector<Record> records;
        std::vector<cultivar::Run> runs;
        for (double loss : losses)
            runs.push_back(scored_run(ann_.task, bob_.writer, changes, loss, static_cast<int>(runs.size())));
        for (const auto& run : runs) records.emplace_back(run);
        Claim made = claim_of(ann_, runs);
        made.writer = bob_.writer;
        records.emplace_back(made);
        publish(bob_, records);
        return claims_++;
    }
    Session session() {
        Session open;
        open.clone = std::make_unique<Clone>(world_.reopen("ann"));
        open.index = std::make_unique<Index>(must(Index::open(*open.clone)));
        return open;
    }
    RecordMark judge(std::size_t place, std::vector<double> scores = {}) {
        Session open = session();
        return must(judge_record(open, must(open.index->claims()).at(place), std::move(scores)));
    }
    void accept(std::size_t place) {
        Session open = session();
        const ClaimRow row = must(open.index->claims()).at(place);
        Verdict verdict;
        verdict.claim = row.id, verdict.task = ann_.task_id, verdict.candidate = row.claim.candidate;
        verdict.artifact = row.claim.artifact, verdict.result = "accepted", verdict.tier = "rescore";
        verdict.reason = "fits", verdict.verifier = ann_.writer, verdict.at = "2026-11-21T06:00:00Z";
        verdict.slice = std::string(64, '4'), verdict.record = must(judge_record(open, row));
        must(append_log(ann_.repo, ann_.ledger_ref(), {to_line(verdict)}, ann_.identity(), ann_.key));
    }

    Stranger bob_ = stranger("bob");
    std::size_t claims_ = 0;
};

TEST_F(RecordClaim, TakesEnoughSeedsAndThenAGainBeyondLuck) {
    const auto few = claim({}, {2.0, 2.001});
    EXPECT_FALSE(judge(few).accepted) << "the pool wants three seeds";
    const auto first = claim({{"optim.lr", 0.1}}, {1.9, 1.901, 1.902});
    EXPECT_TRUE(judge(first).accepted);
    EXPECT_EQ(judge(first).against, "");
    accept(first);
    const auto lucky = claim({{"optim.lr", 0.2}}, {1.85, 1.9, 1.95});
    EXPECT_FALSE(judge(lucky).accepted) << "its best seed is far better, its mean is not";
    EXPECT_GT(judge(lucky).p, 0.01);
    const auto slight = claim({{"optim.lr", 0.3}}, {1.8989, 1.899, 1.8991});
    EXPECT_FALSE(judge(slight).accepted) << "less than min_gain_nats, however surely";
    const auto better = claim({{"optim.lr", 0.4}}, {1.85, 1.851, 1.852});
    const RecordMark mark = judge(better);
    EXPECT_TRUE(mark.accepted);
    EXPECT_EQ(mark.seeds, 3);
    const double gain = *run_by(ann_, {}, 1.901).val_bpb - *run_by(ann_, {}, 1.851).val_bpb;
    EXPECT_NEAR(mark.gain, gain, 1e-12);
    EXPECT_LT(mark.p, 0.01);
    EXPECT_LT(mark.low, gain);
    EXPECT_GT(mark.high, gain);
    accept(better);
    Session open = session();
    EXPECT_EQ(must(open.index->record_holder("cpu-20s-e10.5"))->claim, must(open.index->claims()).at(better).id);
    const auto verified = must(open.index->standings("", 0, true));
    ASSERT_EQ(verified.size(), 2u);
    EXPECT_TRUE(verified[0].record);
    EXPECT_EQ(must(open.index->standings()).size(), 5u);
    EXPECT_FALSE(must(open.index->standings()).back().record);
}

TEST_F(RecordClaim, RestsOnAVerifiersOwnSeedsWhereThereAreAny) {
    accept(claim({}, {2.0, 2.001, 2.002}));
    const auto better = claim({{"optim.lr", 0.1}}, {1.9, 1.901, 1.902});
    const double then = *run_by(ann_, {}, 2.0).val_bpb;
    EXPECT_TRUE(judge(better).accepted);
    EXPECT_FALSE(judge(better, {then, then + 0.001, then - 0.001}).accepted);
}

TEST_F(RecordClaim, CountsSeedsNotRuns) {
    auto once = scored_run(ann_.task, bob_.writer, {}, 2.0, 0), twice = scored_run(ann_.task, bob_.writer, {}, 2.1, 0);
    auto other = scored_run(ann_.task, bob_.writer, {}, 2.2, 1);
    Claim made = claim_of(ann_, {once, twice, other});
    made.writer = bob_.writer;
    publish(bob_, {once, twice, other, made});
    EXPECT_EQ(judge(0).seeds, 2);
    EXPECT_FALSE(judge(0).accepted);
}

TEST_F(RecordClaim, IsNotHeldAgainstItselfWhenItIsJudgedAgain) {
    const auto first = claim({}, {2.0, 2.001, 2.002});
    accept(first);
    EXPECT_TRUE(judge(first).accepted);
    EXPECT_EQ(judge(first).against, "");
}

}  // namespace
}  // namespace cultivar
