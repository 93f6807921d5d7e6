#include "benchmarks/synthetic/pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pool/index/index.h"
#include "pool/sync/pull.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

std::string told(const RefreshReport& report) {
    std::string text;
    for (const Refusal& refusal : report.refused) text += refusal.where + ": " + refusal.reason + "\n";
    return text;
}

std::string refs(const std::string& repository) {
    return git(repository, "for-each-ref --format='%(refname) %(objectname)'");
}

class SyntheticPool : public ::testing::Test {
protected:
    PoolSummary make(const std::string& name, const PoolShape& shape) {
        return must(make_synthetic_pool(folder_.file(name), shape));
    }
    // Joins the pool as `cultivar clone` does; the caller pulls.
    Clone join(const std::string& hub, const std::string& name) {
        must(create_clone(folder_.file(name), true, folder_.file(hub), {name, "machine"}));
        git(folder_.file(name), "fetch -q origin main:refs/remotes/origin/main");
        return must(open_clone(folder_.file(name)));
    }

    TempFolder folder_;
};

TEST_F(SyntheticPool, EverythingInItPassesIntake) {
    const PoolSummary made = make("hub.git", {200, 0, 0.5, 7});
    Clone clone = join("hub.git", "ann");
    Index index = must(Index::open(clone));
    auto transport = git_cli_transport(clone.repo.git_dir());
    const RefreshReport report = must(pull(clone, index, *transport));
    EXPECT_EQ(told(report), "");
    EXPECT_EQ(report.runs, 200);
    EXPECT_EQ(report.claims, made.kept);
    EXPECT_EQ(report.contributors, 10);
    const Totals totals = must(index.totals());
    EXPECT_LE(totals.kept, made.kept);  // those that the key kept whose runs count for the candidate
    EXPECT_GE(totals.kept, made.kept * 8 / 10);
    EXPECT_EQ(totals.refused, 0);
    EXPECT_GT(made.crosses, 0);
    EXPECT_EQ(must(clone.repo.refs("refs/remotes/origin/candidates/")).size(), static_cast<std::size_t>(made.kept));
}

TEST_F(SyntheticPool, TheSameShapeGivesTheSameRepository) {
    make("one.git", {200, 0, 0.2, 7});
    make("two.git", {200, 0, 0.2, 7});
    make("other.git", {200, 0, 0.2, 8});
    EXPECT_EQ(refs(folder_.file("one.git")), refs(folder_.file("two.git")));
    EXPECT_NE(refs(folder_.file("one.git")), refs(folder_.file("other.git")));
}

TEST_F(SyntheticPool, ItIsAsGitWouldHaveMadeIt) {
    make("hub.git", {600, 3, 0.2, 7});  // journals of several segments
    EXPECT_EQ(git(folder_.file("hub.git"), "fsck --strict --no-dangling"), "");
    EXPECT_EQ(git(folder_.file("hub.git"), "rev-list --count --no-walk --glob=refs/heads/journal"), "3\n");
}

TEST_F(SyntheticPool, WithoutCrossoverThereAreNoCrosses) {
    EXPECT_EQ(make("hub.git", {200, 0, 0, 7}).crosses, 0);
    EXPECT_EQ(git(folder_.file("hub.git"), "rev-list --count --merges --glob=refs/heads/candidates"), "0\n");
}

TEST_F(SyntheticPool, OldCandidatesAreInTheArchiveAndStillAncestors) {
    const PoolSummary made = make("hub.git", {200, 0, 0.2, 7, 5});
    const std::string hub = folder_.file("hub.git");
    EXPECT_EQ(must(must(Repo::discover(hub)).refs("refs/heads/candidates/")).size(), 5u);
    EXPECT_EQ(made.archived, made.kept - 5);
    EXPECT_EQ(git(hub, "rev-list --count --grep=Candidate: archive"), fmt::format("{}\n", made.archived));
    EXPECT_EQ(git(hub, "log -1 --format=%s%n%T archive"),
              fmt::format("archive {} candidates\n4b825dc642cb6eb9a060e54bf8d69288fbee4904\n", made.archived));
    Clone clone = join("hub.git", "ann");
    Index index = must(Index::open(clone));
    EXPECT_EQ(told(must(pull(clone, index, *git_cli_transport(clone.repo.git_dir())))), "");
}

TEST_F(SyntheticPool, FurtherRunsAreNewToThoseWhoPulled) {
    const PoolShape shape{200, 0, 0.2, 7};
    make("hub.git", shape);
    Clone clone = join("hub.git", "ann");
    Index index = must(Index::open(clone));
    auto transport = git_cli_transport(clone.repo.git_dir());
    must(pull(clone, index, *transport));
    for (int round : {0, 1}) {
        must(push_further_runs(folder_.file("hub.git"), shape, 10, round));
        const RefreshReport report = must(pull(clone, index, *transport));
        EXPECT_EQ(told(report), "");
        EXPECT_EQ(report.runs, 10);
    }
}

}  // namespace
}  // namespace cultivar
