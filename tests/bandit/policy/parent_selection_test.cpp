#include "bandit/policy/parent_selection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

using testing::add;
using testing::done;

struct Pool {
    Space space = testing::model_space();
    History history;

    std::string kept(double rate, std::vector<double> scores, std::vector<std::string> parents = {}) {
        std::string id = add(history, testing::candidate_of(space, {{"optim.rate", rate}}), std::move(parents));
        for (double score : scores) history.trials.push_back(done(id, score, Decision::kept));
        return id;
    }
};

TEST(Parents, AreOnlyCandidatesThatOwnRunsKeptHere) {
    Pool pool;
    std::string good = pool.kept(0.1, {2.0});
    std::string reverted = pool.kept(0.2, {1.9});
    pool.history.trials.back().decision = Decision::reverted;
    std::string foreign = pool.kept(0.3, {1.8});
    pool.history.trials.back().trusted = false;
    std::string unfit = pool.kept(0.4, {0});
    pool.history.trials.back().status = RunStatus::unfit;
    std::string rejected = pool.kept(0.5, {1.0});
    testing::known(pool.history, rejected).rejected = true;
    CandidateTable candidates(pool.history);
    auto arms = parent_arms(candidates);
    ASSERT_EQ(arms.size(), 1U);
    EXPECT_EQ(arms[0].stats->known->candidate.id, good);
}

// A verdict confirms the score of the run and not its writer's word on it.
TEST(Parents, StayParentsWhateverWordSomebodyElsesAcceptedRunOfThemHas) {
    Pool pool;
    const std::string best = pool.kept(0.1, {2.0}), theirs = pool.kept(0.2, {2.1});
    pool.history.trials.back().claimed = true;
    for (const Decision word : {Decision::reverted, Decision::undecided}) {
        for (const std::string& candidate : {best, theirs}) {
            pool.history.trials.push_back(done(candidate, 2.05, word));
            pool.history.trials.back().claimed = true;
        }
        const CandidateTable candidates(pool.history);
        EXPECT_EQ(parent_arms(candidates).size(), 2U);
        EXPECT_EQ(candidates.find(best)->decision, Decision::kept);
    }
    pool.history.trials.push_back(done(best, 2.5, Decision::reverted));
    EXPECT_EQ(parent_arms(CandidateTable(pool.history)).size(), 1U) << "this clone's own word";
}

TEST(Parents, AreRankedByMeansShrunkTowardsTheirParents) {
    Pool pool;
    std::string root = pool.kept(0.1, {3.0});
    std::string lucky = pool.kept(0.2, {2.0}, {root});
    std::string steady = pool.kept(0.3, {2.1, 2.1, 2.1}, {root});
    CandidateTable candidates(pool.history);
    auto arms = parent_arms(candidates);
    ASSERT_EQ(arms.size(), 3U);
    EXPECT_EQ(arms[0].stats->known->candidate.id, steady);
    EXPECT_NEAR(arms[0].shrunken, (3 * 2.1 + 0.5 * 3.0) / 3.5, 1e-12);
    EXPECT_NEAR(arms[1].shrunken, (2.0 + 0.5 * 3.0) / 1.5, 1e-12);
    EXPECT_EQ(arms[0].level, 1);
    EXPECT_EQ(arms[2].level, 0);
}

// Source that scores for its maker may fail in all its children.
TEST(Parents, WithSourceThatFailedInARowAreDrawnLessAndNeverBanned) {
    Pool pool;
    const std::string plain = pool.kept(0.1, {3.0}), bomb = pool.kept(0.2, {2.0});
    const SourceFiles files = {{"src/a.sh", std::string(64, 'a')}};
    testing::known(pool.history, bomb).candidate.files = files;
    const auto run_child = [&](RunStatus status, bool trusted = true) {
        const double rate = 0.3 + 0.001 * static_cast<double>(pool.history.trials.size());
        const std::string child = pool.kept(rate, {2.5}, {bomb});
        testing::known(pool.history, child).candidate.files = files;
        Trial& trial = pool.history.trials.back();
        trial.status = status, trial.decision = Decision::reverted, trial.trusted = trusted;
    };
    const auto share = [&] {
        const CandidateTable candidates(pool.history);
        const auto arms = parent_arms(candidates);
        Random random(7);
        int drawn = 0;
        for (int i = 0; i < 10000; ++i)
            drawn += draw_parents(arms, random).front().arm->stats->known->candidate.id == bomb;
        return drawn / 10000.0;
    };
    const double alone = share();
    run_child(RunStatus::failed);
    EXPECT_DOUBLE_EQ(share(), alone) << "one may be chance";
    for (int i = 0; i < 4; ++i) run_child(RunStatus::failed);
    EXPECT_LT(share(), 0.4);
    EXPECT_GT(share(), 0);
    run_child(RunStatus::done, false);
    EXPECT_LT(share(), 0.4) << "a stranger's word changes nothing";
    run_child(RunStatus::done);
    EXPECT_GT(share(), 0.9);
}

TEST(Parents, AreAtMostTheTenBest) {
    Pool pool;
    for (int i = 0; i < 25; ++i) pool.kept(0.01 * (i + 1), {3 - 0.01 * i});
    CandidateTable candidates(pool.history);
    auto arms = parent_arms(candidates);
    ASSERT_EQ(arms.size(), 10U);
    EXPECT_NEAR(arms[9].shrunken, 3 - 0.01 * 15, 1e-12);
}

TEST(Parents, AreDrawnMoreOftenTheBetterTheyAreAndLessFarAfieldTheMoreChildrenTheyHave) {
    Pool pool;
    std::string best = pool.kept(0.1, {2.0});
    std::string second = pool.kept(0.2, {2.2});
    for (int i = 0; i < 4; ++i) pool.kept(0.3 + 0.1 * i, {3.0});
    auto spread = [&] {
        CandidateTable candidates(pool.history);
        auto arms = parent_arms(candidates);
        Random random(5);
        std::map<std::string, int> first;
        double squares = 0;
        for (int i = 0; i < 4000; ++i) {
            auto draws = draw_parents(arms, random);
            ++first[draws.front().arm->stats->known->candidate.id];
            for (const ParentDraw& draw : draws) {
                if (draw.arm->stats->known->candidate.id == best) squares += (draw.value - 1) * (draw.value - 1);
            }
        }
        EXPECT_GT(first[best], first[second]);
        EXPECT_GT(first[second], 500);
        return std::sqrt(squares / 4000);
    };
    EXPECT_NEAR(spread(), 0.3, 0.02);
    for (int i = 0; i < 3; ++i)
        add(pool.history, testing::candidate_of(pool.space, {{"optim.rate", 0.002 + 0.001 * i}}), {best});
    EXPECT_NEAR(spread(), 0.15, 0.01);
}

}  // namespace
}  // namespace cultivar
