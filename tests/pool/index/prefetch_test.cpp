#include "pool/index/prefetch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/git/signing_key.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogsAheadTest : public ::testing::Test {
protected:
    LogsAheadTest()
        : repo_(must(Repo::create(folder_.file("r"), true))), key_(must(Key::load_or_create(folder_.file("k")))) {
        for (int i = 0; i < 20; ++i)
            tips_.push_back(must(append_log(repo_, fmt::format("refs/heads/journal/w{}.box.01234567", i),
                                            {fmt::format("first of {}", i), fmt::format("second of {}", i)},
                                            {"ann", "ann@example.org", 1795232400}, key_)));
    }
    std::vector<LogsAhead::Wanted> all() const {
        std::vector<LogsAhead::Wanted> wanted;
        for (const Oid& tip : tips_) wanted.push_back({tip, 0});
        return wanted;
    }
    static std::vector<std::string> lines(const std::optional<Result<std::vector<LogSegment>>>& read) {
        return read ? must(*read).at(0).lines : std::vector<std::string>();
    }

    TempFolder folder_;
    Repo repo_;
    Key key_;
    std::vector<Oid> tips_;
};

TEST_F(LogsAheadTest, GivesEachLogInItsTurn) {
    LogsAhead ahead(repo_.git_dir(), all());
    for (std::size_t i = 0; i < tips_.size(); ++i)
        EXPECT_THAT(lines(ahead.take(tips_[i], 0)),
                    ElementsAre(fmt::format("first of {}", i), fmt::format("second of {}", i)));
}

TEST_F(LogsAheadTest, PassesOverWhatIsNotAskedForAndKnowsNothingElse) {
    std::vector<LogsAhead::Wanted> wanted = all();
    wanted[9].from = 1;
    LogsAhead ahead(repo_.git_dir(), wanted);
    EXPECT_FALSE(ahead.take(std::string(40, '0'), 0));
    EXPECT_THAT(lines(ahead.take(tips_[9], 1)), ElementsAre("second of 9"));
    EXPECT_FALSE(ahead.take(tips_[3], 0)) << "it was passed over";
    EXPECT_FALSE(ahead.take(tips_[12], 1)) << "wanted from another place";
    EXPECT_THAT(lines(ahead.take(tips_[19], 0)), ElementsAre("first of 19", "second of 19"));
}

TEST_F(LogsAheadTest, TellsWhatIsWrongInItsTurnAndGoesOn) {
    const Oid broken = commit_by_hand(folder_.file("r"), "refs/heads/broken", {{"other", "text"}});
    LogsAhead ahead(repo_.git_dir(), {{tips_[0], 0}, {broken, 0}, {std::string(40, '1'), 0}, {tips_[1], 0}});
    EXPECT_THAT(lines(ahead.take(tips_[0], 0)), ElementsAre("first of 0", "second of 0"));
    EXPECT_EQ(trouble(*ahead.take(broken, 0)).code, Code::corrupt);
    EXPECT_FALSE(*ahead.take(std::string(40, '1'), 0));
    EXPECT_THAT(lines(ahead.take(tips_[1], 0)), ElementsAre("first of 1", "second of 1"));
}

TEST_F(LogsAheadTest, EndsWithoutBeingAskedForAnything) {
    LogsAhead(repo_.git_dir(), all());
    LogsAhead gone(folder_.file("no repository"), all());
    EXPECT_FALSE(gone.take(tips_[0], 0));
}

class LineageAheadTest : public ::testing::Test {
protected:
    LineageAheadTest() : task_(tiny_task()), repo_(must(Repo::create(folder_.file("r"), true))) {
        Lineage writing(repo_, task_);
        std::vector<Oid> parents;
        for (int i = 1; i <= 12; ++i) {
            auto candidate = must(make_candidate(task_.space, task_.id(), {{"optim.lr", 0.01 * i}}));
            commits_.push_back(must(writing.write(candidate, parents)).oid);
            parents = {commits_.back()};
        }
    }

    TempFolder folder_;
    Task task_;
    Repo repo_;
    std::vector<Oid> commits_;
};

TEST_F(LineageAheadTest, GivesWhatALineageWouldHaveFoundAndLeavesTheBadToIt) {
    const Oid bad = commit_by_hand(folder_.file("r"), "refs/heads/bad", {{"candidate.toml", "model.layers = 6\n"}});
    LineageAhead ahead(repo_.git_dir(), task_, {commits_[5], bad, commits_[11]});
    Lineage lineage(repo_, task_);
    must(ahead.give(lineage));
    for (std::size_t i = 0; i < commits_.size(); ++i) {
        const auto kin = must(lineage.kin_of(commits_[i]));
        ASSERT_TRUE(kin) << i;
        EXPECT_EQ(kin->candidate, must(lineage.read(commits_[i])).candidate.id);
        if (i == 0)
            EXPECT_THAT(kin->parents, IsEmpty());
        else
            EXPECT_THAT(kin->parents, ElementsAre(commits_[i - 1]));
    }
    EXPECT_FALSE(must(lineage.kin_of(bad)));
    EXPECT_EQ(trouble(lineage.read(bad)).code, Code::corrupt);
}

TEST_F(LineageAheadTest, EndsWithoutGivingAnything) {
    LineageAhead(repo_.git_dir(), task_, commits_);
    LineageAhead gone(folder_.file("no repository"), task_, commits_);
    Lineage lineage(repo_, task_);
    must(gone.give(lineage));
    EXPECT_FALSE(must(lineage.kin_of(commits_[0])));
}

}  // namespace
}  // namespace cultivar
