// Tests plain `git merge` with the merge driver that init and clone configure.
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/lineage/candidate_commits.h"
#include "pool/util/file.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

class MergeDriverTest : public ::testing::Test {
protected:
    MergeDriverTest() : clone_(world_.found("owner")), lineage_(clone_.repo, clone_.task) {
        ::setenv("PATH", (std::string(CULTIVAR_PROGRAMS) + ":" + std::getenv("PATH")).c_str(), 1);
    }

    CandidateCommit write(const Genes& changes, const std::vector<Oid>& parents = {}) {
        auto candidate = must(make_candidate(clone_.task.space, clone_.task_id, changes));
        return must(lineage_.write(candidate, parents));
    }
    // The content of candidate.toml after `git WORDS` in a work tree at `at`.
    struct Left {
        bool clean = false;
        std::string toml, said;
    };
    Left leave(const Oid& at, const std::string& words) {
        const std::string tree = world_.path("tree");
        git(world_.path("owner"), fmt::format("worktree add -q --force --detach '{}' {}", tree, at));
        Left left;
        left.said = shell(fmt::format("git -C '{}' {} && echo CLEAN || true", tree, words));
        left.clean = left.said.find("CLEAN") != std::string::npos;
        left.toml = must(read_file(tree + "/candidate.toml"));
        git(world_.path("owner"), fmt::format("worktree remove --force '{}'", tree));
        return left;
    }
    Left merge(const Oid& ours, const Oid& theirs, const std::string& more = "") {
        return leave(ours, fmt::format("merge -q {} -m merged {}", more, theirs));
    }

    World world_;
    Clone clone_;
    Lineage lineage_;
};

TEST_F(MergeDriverTest, GivesWhatTheCrossGivesEitherWayRound) {
    CandidateCommit root = write({});
    CandidateCommit a = write({{"optim.lr", 0.1}, {"model.layers", whole(6)}}, {root.oid});
    CandidateCommit b = write({{"optim.lr", 0.2}, {"optim.bias", 1.0}}, {root.oid});
    const std::string expected = must(lineage_.cross_of(a.oid, b.oid)).child.toml;
    EXPECT_THAT(expected, HasSubstr("model.layers = 6\noptim.bias = 1.0\noptim.lr = "));
    for (const auto& [ours, theirs] : {std::pair(a.oid, b.oid), std::pair(b.oid, a.oid)}) {
        Left left = merge(ours, theirs);
        EXPECT_TRUE(left.clean) << left.said;
        EXPECT_EQ(left.toml, expected);
        EXPECT_THAT(left.said, ::testing::Not(HasSubstr("contents")));
    }
}

TEST_F(MergeDriverTest, GivesWhatTheCrossGivesOfUnrelatedCandidates) {
    CandidateCommit a = write({{"optim.lr", 0.1}, {"model.layers", whole(6)}, {"optim.bias", 2.0}});
    CandidateCommit b = write({{"optim.lr", 0.2}, {"model.layers", whole(8)}, {"optim.bias", 1.0}});
    Left left = merge(a.oid, b.oid, "--allow-unrelated-histories");
    EXPECT_TRUE(left.clean) << left.said;
    EXPECT_EQ(left.toml, must(lineage_.cross_of(a.oid, b.oid)).child.toml);
}

// One side equals the merge of the two bases by the same driver; git would then take the other side without calling it.
TEST_F(MergeDriverTest, IsAskedThoughOneSideIsWhatTheBasesGive) {
    const Genes some = {
        {"optim.lr", 0.1}, {"optim.bias", 1.0}, {"model.layers", whole(6)}, {"model.mlp", word("gelu")}};
    const Genes more = {{"optim.lr", 0.2}, {"optim.bias", 2.0}, {"model.layers", whole(8)}, {"model.width", whole(64)}};
    const Genes rest = {{"optim.lr", 0.3}, {"optim.bias", 3.0}, {"model.layers", whole(2)}, {"model.tied", true}};
    CandidateCommit a = write(some), b = write(more);
    const Candidate between =
        must(cross_of_contents(clone_.task.space, clone_.task_id, a.candidate, b.candidate, write({}).candidate)).child;
    CandidateCommit ours = must(lineage_.write(between, {a.oid, b.oid}));
    CandidateCommit theirs = write(rest, {a.oid, b.oid});
    Cross expected = must(lineage_.cross_of(ours.oid, theirs.oid));
    ASSERT_NE(expected.child, theirs.candidate);
    Left left = merge(ours.oid, theirs.oid);
    EXPECT_TRUE(left.clean) << left.said;
    EXPECT_EQ(left.toml, expected.child.toml);
}

TEST_F(MergeDriverTest, EqualsTheCrossInRandomCrissCrossHistories) {
    int crosses = 0, several_bases = 0;
    for (unsigned history = 0; history < 6; ++history) {
        std::mt19937 draw(history);
        auto pick = [&](std::size_t n) { return static_cast<std::size_t>(draw() % n); };
        auto real = [&](std::size_t n) { return 0.125 * static_cast<double>(1 + pick(n)); };
        auto any = [&] {
            return Genes{{"model.layers", whole(static_cast<std::int64_t>(1 + pick(12)))},
                         {"model.width", whole(static_cast<std::int64_t>(64 * (1 + pick(4))))},
                         {"model.mlp", word(pick(2) == 0 ? "gelu" : "swiglu")},
                         {"optim.lr", real(20)},
                         {"optim.bias", real(3)}};
        };
        std::vector<Oid> all = {write(any()).oid, write(any()).oid};
        // The parents of each generation of two are both candidates of the one before, or others.
        while (all.size() < 14) {
            const std::size_t n = all.size();
            for (int twin = 0; twin < 2; ++twin) {
                const Oid one = all[n - 1], two = all[pick(4) == 0 ? pick(n - 1) : n - 2];
                all.push_back(write(any(), {one, two}).oid);
            }
        }
        for (std::size_t i = 2; i < all.size(); i += 2) {
            const Oid ours = all[i], theirs = all[i + 1];
            if (must(clone_.repo.descends(theirs, ours))) continue;
            auto expected = lineage_.cross_of(ours, theirs);
            Left left = merge(ours, theirs, "--allow-unrelated-histories");
            const std::string where = fmt::format("history {}: {} and {}: {}", history, ours, theirs, left.said);
            EXPECT_EQ(left.clean, expected.has_value()) << where;
            EXPECT_EQ(left.said.find("contents"), std::string::npos) << where;
            if (!expected) continue;
            EXPECT_EQ(left.toml, expected->child.toml) << where;
            ++crosses;
            several_bases += expected->bases.size() > 1;
        }
    }
    EXPECT_GT(crosses, 15);
    EXPECT_GT(several_bases, 5);
}

// Both changed the rate and one changed the bias as well: the cross of the two is the second itself.
TEST_F(MergeDriverTest, LeavesAConflictWhereTheCrossIsRefused) {
    CandidateCommit root = write({});
    CandidateCommit a = write({{"optim.lr", 0.1}, {"optim.bias", 1.0}}, {root.oid});
    CandidateCommit b = write({{"optim.lr", 0.1}}, {root.oid});
    EXPECT_EQ(trouble(lineage_.cross_of(a.oid, b.oid)).code, Code::unfit);
    Left left = merge(a.oid, b.oid);
    EXPECT_FALSE(left.clean);
    EXPECT_THAT(left.said, HasSubstr("itself"));
    EXPECT_EQ(left.toml, a.candidate.toml);
}

TEST_F(MergeDriverTest, MergesByContentsWhereThereAreNoTwoCommits) {
    CandidateCommit root = write({});
    CandidateCommit a = write({{"optim.lr", 0.1}}, {root.oid}), b = write({{"optim.bias", 1.0}}, {root.oid});
    Left picked = leave(a.oid, "cherry-pick " + b.oid);
    EXPECT_TRUE(picked.clean) << picked.said;
    EXPECT_EQ(picked.toml, "optim.bias = 1.0\noptim.lr = 0.1\n");
    EXPECT_THAT(picked.said, HasSubstr("merged by its contents over one base"));
    Left rebased = leave(a.oid, "rebase " + b.oid);
    EXPECT_TRUE(rebased.clean) << rebased.said;
    EXPECT_EQ(rebased.toml, "optim.bias = 1.0\noptim.lr = 0.1\n");
}

TEST_F(MergeDriverTest, LeavesAConflictWhereAFileIsNoCandidate) {
    Oid root = commit_by_hand(world_.path("owner"), "refs/heads/x", {{"candidate.toml", "a\n"}});
    Oid a = commit_by_hand(world_.path("owner"), "refs/heads/x", {{"candidate.toml", "b\n"}}, root);
    Oid b = commit_by_hand(world_.path("owner"), "refs/heads/y", {{"candidate.toml", "c\n"}}, root);
    Left left = merge(a, b);
    EXPECT_FALSE(left.clean);
    EXPECT_THAT(left.said, HasSubstr("ours:1:"));
    EXPECT_EQ(left.toml, "b\n");
}

TEST_F(MergeDriverTest, IsSetUpInAClone) {
    git(world_.path("owner"), "push -q origin main");
    Clone other = world_.join("other");
    EXPECT_EQ(must(other.repo.config("merge.cultivar.driver")), "cultivar merge-driver %O %A %B %P");
    EXPECT_EQ(git(world_.path("other"), "check-attr merge candidate.toml"), "candidate.toml: merge: cultivar\n");
    EXPECT_EQ(git(world_.path("other"), "check-attr merge pool.toml"), "pool.toml: merge: unspecified\n");
}

}  // namespace
}  // namespace cultivar
