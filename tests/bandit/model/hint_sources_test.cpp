#include "bandit/model/hint_sources.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

class SourcesTest : public ::testing::Test {
protected:
    Space space_ = *Space::make({testing::whole("size", 0, 0, 1000)}, {});
    History history_;

    SourcesTest() { history_.category = "here"; }

    std::string candidate(int size) {
        Candidate made = testing::candidate_of(space_, {{"size", std::int64_t{size}}});
        for (const KnownCandidate& known : history_.candidates) {
            if (known.candidate.id == made.id) return made.id;
        }
        return testing::add(history_, made);
    }
    void here(int size, double score) { history_.trials.push_back(testing::done(candidate(size), score)); }
    void told(const std::string& writer, int size, double score) {
        here(size, score);
        history_.trials.back().trusted = false;
        history_.trials.back().writer = writer;
    }
    void told_elsewhere(const std::string& writer, int size, double score) {
        Trial trial = testing::done(candidate(size), score);
        trial.trusted = writer.empty();
        trial.writer = writer;
        trial.category = "there";
        history_.elsewhere.push_back(trial);
    }
    std::vector<HintSource> heard() {
        candidates_.emplace(history_);
        return hint_sources(history_, *candidates_);
    }
    std::optional<CandidateTable> candidates_;
};

TEST_F(SourcesTest, AreNoneWhereOnlyThisCloneRan) {
    for (int i = 0; i < 10; ++i) here(i, 2);
    EXPECT_TRUE(heard().empty());
}

TEST_F(SourcesTest, AreOneForEachWriterAndCategoryWithAMeanForEachCandidate) {
    for (int i = 0; i < 4; ++i) told("ann", i, 2 + i);
    told("ann", 0, 4);
    for (int i = 0; i < 5; ++i) told_elsewhere("", i, 7);
    auto all = heard();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].category, "there");  // the larger source comes first
    EXPECT_TRUE(all[0].sure);
    EXPECT_EQ(all[1].category, "here");
    EXPECT_EQ(all[1].writer, "ann");
    ASSERT_EQ(all[1].results.size(), 4U);
    EXPECT_EQ(all[1].results[0].score, 3);
    EXPECT_EQ(all[1].results[0].runs, 2);
}

TEST_F(SourcesTest, PoolWritersWhoToldLittleAndLeaveOutTheRest) {
    for (int i = 0; i < 3; ++i) told("ann", i, 2);
    EXPECT_TRUE(heard().empty());
    told("bob", 9, 2);
    auto all = heard();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].writer, "");
    EXPECT_FALSE(all[0].sure);
    EXPECT_EQ(all[0].results.size(), 4U);
}

TEST_F(SourcesTest, AgreeByTheRanksOfWhatRanHereToo) {
    for (int i = 0; i < 6; ++i) {
        told("ann", i, std::exp(i));
        told("bob", i, -i);
    }
    for (int i = 0; i < 5; ++i) here(i, 2 + 0.1 * i);
    auto all = heard();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].writer, "ann");
    EXPECT_EQ(all[0].shared, 5);
    EXPECT_DOUBLE_EQ(all[0].agreement, 1);
    EXPECT_EQ(all[1].writer, "bob");
    EXPECT_DOUBLE_EQ(all[1].agreement, -1);
}

TEST_F(SourcesTest, SayNothingOfWhatHadRunHereBefore) {
    for (int i = 0; i < 5; ++i) here(i, 2 + i);
    for (int i = 0; i < 9; ++i) told("copyist", i, 2 + i);
    auto all = heard();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].results.size(), 4U);
    EXPECT_EQ(all[0].shared, 0);
}

TEST_F(SourcesTest, SayNothingOfWhatAVerdictRejected) {
    for (int i = 0; i < 5; ++i) told("ann", i, 2);
    history_.candidates[2].rejected = true;
    EXPECT_EQ(heard()[0].results.size(), 4U);
}

TEST_F(SourcesTest, AreHeardByHowTheyAgreedNotByHowMuchTheySay) {
    for (int writer = 0; writer < 9; ++writer) {
        for (int i = 0; i < 40; ++i) told("crowd" + std::to_string(writer), 100 + 40 * writer + i, 1);
    }
    for (int i = 0; i < 8; ++i) told("ann", i, 2 + i);
    for (int i = 0; i < 8; ++i) here(i, 3 + i);
    auto all = heard();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].writer, "ann");
}

}  // namespace
}  // namespace cultivar
