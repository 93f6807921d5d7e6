// Tests attribution on a small real lineage: finders, and the owners of inherited genes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/storage/segment_log.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class ContributorsTest : public ::testing::Test {
protected:
    ContributorsTest() : ann_(world_.found("ann")) {
        ann_.propose();
        bea_ = std::make_unique<Hand>(world_.join("bea"));
        cai_ = std::make_unique<Hand>(world_.join("cai"));
    }
    // Ann, the verifier, judges every waiting claim, or only those of one writer, and names a claim that she saw first.
    void judge(const std::string& result, const std::string& at, const std::string& writer = "",
               const std::string& first = "", bool earns = true) {
        ann_.pull();
        for (const ClaimRow& row : must(ann_.index.pending_claims())) {
            if (!writer.empty() && row.claim.writer != writer) continue;
            Verdict verdict;
            verdict.claim = row.id, verdict.task = ann_.clone.task_id, verdict.candidate = row.claim.candidate;
            verdict.artifact = row.claim.artifact, verdict.result = *verdict_result_of(result),
            verdict.tier = Tier::rescore;
            verdict.reason = "judged", verdict.verifier = ann_.clone.writer, verdict.at = at;
            verdict.slice = std::string(64, '4'), verdict.first = first, verdict.earns = earns;
            must(append_log(ann_.clone.repo, ann_.clone.ledger_ref(), {to_line(verdict)}, ann_.clone.identity(),
                            ann_.clone.key));
        }
        ann_.propose();
        bea_->pull();
        cai_->pull();
    }
    static const Contributor& of(const std::vector<Contributor>& rows, const Hand& who) {
        for (const Contributor& row : rows) {
            if (row.key == who.clone.key.fingerprint()) return row;
        }
        throw std::runtime_error("no such contributor");
    }
    static double bpb(const Hand& who, double val_loss) { return *run_by(who.clone, {}, val_loss).val_bpb; }

    World world_;
    Hand ann_;
    std::unique_ptr<Hand> bea_, cai_;
};

TEST_F(ContributorsTest, AreCreditedByTheGenesTrailersAlongTheLineage) {
    const std::string root = cai_->keep({}, 2.0).candidate;
    cai_->propose();
    judge("accepted", "2026-11-21T06:00:00Z");
    const auto lr = bea_->keep({{"optim.lr", 0.1}}, 1.9, {root});
    bea_->propose();
    const auto layers = cai_->keep({{"model.layers", whole(6)}, {"optim.bias", 1.0}}, 1.8, {root});
    cai_->propose();
    judge("accepted", "2026-11-21T07:00:00Z");
    std::vector<std::string> parents = {must(bea_->index.commit_of(lr.candidate)).oid,
                                        must(bea_->index.commit_of(layers.candidate)).oid};
    std::vector<std::string> ids = {lr.candidate, layers.candidate};
    if (parents[1] < parents[0]) std::swap(ids[0], ids[1]);
    // Bea crosses them: her own rate, Cai's depth and bias.
    const auto cross = bea_->keep({{"optim.lr", 0.1}, {"model.layers", whole(6)}, {"optim.bias", 1.0}}, 1.6, ids);
    bea_->propose();
    judge("accepted", "2026-11-21T08:00:00Z");
    const auto rows = must(cai_->index.contributors());
    const double gain_a = bpb(ann_, 2.0) - bpb(ann_, 1.9), gain_b = bpb(ann_, 2.0) - bpb(ann_, 1.8);
    const double gain_c = bpb(ann_, 1.8) - bpb(ann_, 1.6);
    EXPECT_THAT(of(rows, *bea_).gain_found, DoubleNear(gain_a + gain_c, 1e-9));
    EXPECT_THAT(of(rows, *bea_).gain_credited, DoubleNear(gain_a + gain_c / 2 + gain_c / 2 / 3, 1e-9));
    EXPECT_THAT(of(rows, *cai_).gain_found, DoubleNear(gain_b, 1e-9));
    EXPECT_THAT(of(rows, *cai_).gain_credited, DoubleNear(gain_b + gain_c / 2 * 2 / 3, 1e-9));
    EXPECT_EQ(of(rows, *bea_).valid, 2);
    EXPECT_EQ(of(rows, *bea_).valid_in_a_row, 2);
    EXPECT_EQ(of(rows, *bea_).claims, 2);
    EXPECT_EQ(of(rows, *cai_).joules, 600);
    // The commit message names the parents of the genes.
    const std::string message =
        git(world_.path("cai"), "log -1 --format=%B refs/remotes/origin/candidates/" + cross.candidate + "." +
                                    must(cai_->index.commit_of(cross.candidate)).oid.substr(0, 8));
    EXPECT_NE(message.find("model.layers = 6 from " + layers.candidate.substr(0, 8)), std::string::npos) << message;
    // Every clone computes the same.
    const auto anew = must(must(Index::read_anew(bea_->clone)).contributors());
    ASSERT_EQ(anew.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(anew[i].key, rows[i].key);
        EXPECT_EQ(anew[i].gain_credited, rows[i].gain_credited);
    }
}

// Cai runs Bea's find, which waits, with the next replicate, and is judged before it.
TEST_F(ContributorsTest, GainNothingByRunningAFindThatWaits) {
    const std::string root = cai_->keep({}, 2.0).candidate;
    cai_->propose();
    judge("accepted", "2026-11-21T06:00:00Z");
    const auto find = bea_->keep({{"optim.lr", 0.1}}, 1.9, {root});
    bea_->propose();
    ann_.pull();
    const std::string first = must(ann_.index.claims(find.candidate)).at(0).id;
    auto again = run_by(cai_->clone, {{"optim.lr", 0.1}}, 1.85, 1);
    again.parents = {root}, again.decision = Decision::kept;
    give_artifact(cai_->clone, again, "other weights");
    spool(cai_->clone, again);
    cai_->propose();
    judge("accepted", "2026-11-21T07:00:00Z", cai_->clone.writer, first);
    EXPECT_GT(of(must(bea_->index.contributors()), *cai_).gain_found, 0) << "so far only Cai's claim is confirmed";
    judge("accepted", "2026-11-21T08:00:00Z");
    EXPECT_EQ(of(must(bea_->index.contributors()), *cai_).gain_found, 0);
    EXPECT_GT(of(must(bea_->index.contributors()), *bea_).gain_found, 0);
}

// Cai claims a candidate without a run of it, before Bea runs it.
TEST_F(ContributorsTest, GainNothingByAClaimThatShowsNoRun) {
    const std::string root = bea_->keep({}, 2.0).candidate;
    bea_->propose();
    judge("accepted", "2026-11-21T06:00:00Z");
    const auto guess = cai_->keep({{"optim.lr", 0.1}}, 1.99, {root});
    cai_->propose();
    judge("accepted", "2026-11-21T07:00:00Z", "", "", false);
    EXPECT_EQ(of(must(bea_->index.contributors()), *cai_).gain_found, 0);
    EXPECT_EQ(of(must(bea_->index.contributors()), *cai_).valid, 0);
    const std::string first = must(ann_.index.claims(guess.candidate)).at(0).id;
    auto find = run_by(bea_->clone, {{"optim.lr", 0.1}}, 1.9, 1);
    find.parents = {root}, find.decision = Decision::kept;
    give_artifact(bea_->clone, find, "other weights");
    spool(bea_->clone, find);
    bea_->propose();
    judge("accepted", "2026-11-21T08:00:00Z", "", first);
    EXPECT_EQ(of(must(bea_->index.contributors()), *cai_).gain_found, 0);
    EXPECT_GT(of(must(bea_->index.contributors()), *bea_).gain_found, 0) << "though the guess was first";
    EXPECT_EQ(of(must(bea_->index.contributors()), *bea_).valid, 2);
}

// Ann found it, and is the only verifier. Bea imports it and claims it.
TEST_F(ContributorsTest, KeepTheFindOfAVerifierWhoMayNotJudgeHimself) {
    const std::string root = cai_->keep({}, 2.0).candidate;
    cai_->propose();
    judge("accepted", "2026-11-21T06:00:00Z");
    const auto find = ann_.keep({{"optim.lr", 0.1}}, 1.9, {root});
    ann_.propose();
    const std::string first = must(ann_.index.claims(find.candidate)).at(0).id;
    bea_->pull();
    auto again = run_by(bea_->clone, {{"optim.lr", 0.1}}, 1.9, 1);
    again.parents = {root};
    give_artifact(bea_->clone, again, "other weights");
    spool(bea_->clone, again);
    bea_->propose({find.candidate});
    judge("accepted", "2026-11-21T07:00:00Z", bea_->clone.writer, first);
    EXPECT_GT(of(must(cai_->index.contributors()), ann_).gain_found, 0);
    EXPECT_EQ(of(must(cai_->index.contributors()), *bea_).gain_found, 0);
}

TEST_F(ContributorsTest, GainNothingByClaimingWhatSomebodyElseFoundOrWhatIsRejected) {
    const std::string root = cai_->keep({}, 2.0).candidate;
    cai_->propose();
    judge("accepted", "2026-11-21T06:00:00Z");
    bea_->keep({{"optim.lr", 0.1}}, 1.9, {root});
    bea_->propose();
    judge("accepted", "2026-11-21T07:00:00Z");
    auto again = run_by(cai_->clone, {{"optim.lr", 0.1}}, 1.85, 1);
    again.parents = {root};
    give_artifact(cai_->clone, again, "other weights");
    spool(cai_->clone, again);
    cai_->propose();
    judge("accepted", "2026-11-21T08:00:00Z");
    EXPECT_EQ(of(must(ann_.index.contributors()), *cai_).gain_found, 0);
    EXPECT_EQ(of(must(ann_.index.contributors()), *cai_).valid, 2);
    bea_->keep({{"optim.lr", 0.2}}, 1.2, {root});
    bea_->propose();
    judge("rejected", "2026-11-21T09:00:00Z");
    const auto rows = must(ann_.index.contributors());
    EXPECT_EQ(of(rows, *bea_).rejected, 1);
    EXPECT_EQ(of(rows, *bea_).valid, 1);
    EXPECT_EQ(of(rows, *bea_).valid_in_a_row, 0);
    EXPECT_THAT(of(rows, *bea_).gain_found, DoubleNear(bpb(ann_, 2.0) - bpb(ann_, 1.9), 1e-9));
}

}  // namespace
}  // namespace cultivar
