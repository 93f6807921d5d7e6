#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/sync/archive.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RetiredCandidates : public ::testing::Test {
protected:
    RetiredCandidates() : ann_(world_.found("ann")) {}

    static void retire(Hand& hand, const std::string& candidate, bool retired = true) {
        spool(hand.clone, Retirement{hand.clone.task_id, candidate, retired, "no good", hand.clone.writer,
                                     utc_text(1'800'000'000 + ++said_)});
        must(hand.index.refresh());
    }
    static std::vector<std::string> ranked(Hand& hand) {
        std::vector<std::string> ids;
        for (const Standing& standing : must(hand.index.standings())) ids.push_back(standing.candidate);
        return ids;
    }

    static inline int said_ = 0;
    World world_;
    Hand ann_;
};

TEST_F(RetiredCandidates, AreLeftOutOfStandingsAndClaimsUntilTakenBack) {
    const std::string good = ann_.keep({{"optim.lr", 0.01}}, 3).candidate;
    const std::string better = ann_.keep({{"optim.lr", 0.02}}, 2.5).candidate;
    retire(ann_, better);
    EXPECT_THAT(ranked(ann_), ElementsAre(good));
    EXPECT_THAT(must(ann_.index.unclaimed()), ElementsAre(good));
    EXPECT_EQ(must(ann_.index.totals()).runs, 2) << "their runs stay";
    retire(ann_, better, false);
    EXPECT_THAT(ranked(ann_), ElementsAre(better, good));
    EXPECT_THAT(must(ann_.index.unclaimed()), SizeIs(2));
}

TEST_F(RetiredCandidates, TravelWithTheJournalAndOnlyTheirFindersWordBindsOthers) {
    const std::string found = ann_.keep({{"optim.lr", 0.01}}, 3).candidate;
    ann_.propose();
    Hand bea(world_.join("bea"));
    bea.pull();
    retire(bea, found);
    EXPECT_THAT(ranked(bea), IsEmpty());
    bea.propose();
    const PullReport came = ann_.pull();
    EXPECT_THAT(came.refused, IsEmpty());
    EXPECT_EQ(came.retirements, 1);
    EXPECT_EQ(came.runs + came.candidates + came.claims, 0);
    EXPECT_THAT(ranked(ann_), ElementsAre(found)) << "somebody else's word";
    retire(bea, found, false);
    retire(ann_, found);
    ann_.propose();
    bea.pull();
    EXPECT_THAT(ranked(bea), ElementsAre(found)) << "her own word comes first in her clone";
    Hand cid(world_.join("cid"));
    cid.pull();
    EXPECT_THAT(ranked(cid), IsEmpty());
    EXPECT_TRUE(must(cid.index.retired_candidates()).at(found).everywhere);
    Index again = must(Index::read_anew(cid.clone));
    EXPECT_TRUE(must(again.retired_candidates()).contains(found));
}

TEST_F(RetiredCandidates, NeedTheWordOfAllWhoScoredThem) {
    auto run = run_by(ann_.clone, {{"optim.lr", 0.01}}, 2.5);
    run.decision = Decision::undecided;
    spool(ann_.clone, run);
    must(ann_.index.refresh());
    const std::string leader = run.candidate;
    ann_.keep({{"optim.lr", 0.02}}, 3);
    ann_.propose();
    Hand mallory(world_.join("mallory")), cid(world_.join("cid"));
    mallory.pull();
    auto forged = run_by(mallory.clone, {{"optim.lr", 0.01}}, 500);
    forged.decision = Decision::kept;
    spool(mallory.clone, forged);
    retire(mallory, leader);
    EXPECT_THAT(must(mallory.index.retired_candidates()), SizeIs(1)) << "in her own clone";
    mallory.propose();
    ann_.pull();
    cid.pull();
    EXPECT_THAT(must(ann_.index.retired_candidates()), IsEmpty());
    EXPECT_THAT(must(cid.index.retired_candidates()), IsEmpty());
    EXPECT_THAT(ranked(cid), SizeIs(2));
}

TEST_F(RetiredCandidates, BySomebodyWhoIsNoVerifierAnyMoreComeBack) {
    const std::string other = ann_.keep({{"optim.lr", 0.02}}, 4).candidate;
    ann_.propose();
    Hand bea(world_.join("bea"));
    const std::string found = bea.keep({{"optim.lr", 0.01}}, 3).candidate;
    bea.propose();
    ann_.pull();
    retire(ann_, found);
    ann_.propose();
    bea.pull();
    EXPECT_THAT(ranked(bea), ElementsAre(other)) << "the owner is a verifier";
    git(world_.path("ann"), "symbolic-ref HEAD refs/heads/main");
    git(world_.path("ann"), "reset -q");
    git(world_.path("ann"), "rm -q --cached allowed_signers");
    git(world_.path("ann"), "commit -q -m 'nobody judges'");
    git(world_.path("ann"), "push -q origin main");
    EXPECT_TRUE(bea.pull().main_moved);
    EXPECT_FALSE(bea.pull().main_moved);
    Hand reopened(world_.reopen("bea"));
    EXPECT_THAT(ranked(reopened), ElementsAre(found, other));
}

TEST_F(RetiredCandidates, AreArchivedBeforeOlderOnes) {
    ann_.keep({{"optim.lr", 0.01}}, 3);
    const std::string retired = ann_.keep({{"optim.lr", 0.02}}, 2.5).candidate;
    ann_.propose();
    ann_.pull();
    EXPECT_TRUE(must(plan_archive(ann_.clone, ann_.index, 10)).empty());
    retire(ann_, retired);
    const ArchivePlan plan = must(plan_archive(ann_.clone, ann_.index, 10));
    ASSERT_THAT(plan.branches, SizeIs(1));
    EXPECT_NE(plan.branches[0].name.find(retired), std::string::npos);
    EXPECT_THAT(must(plan_archive(ann_.clone, ann_.index, 1)).branches, SizeIs(1));
    EXPECT_THAT(must(plan_archive(ann_.clone, ann_.index, 0)).branches, SizeIs(2));
}

}  // namespace
}  // namespace cultivar
