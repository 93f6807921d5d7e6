#include "pool/sync/archive.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/integrity/fsck.h"
#include "pool/storage/bundle.h"
#include "pool/storage/extra_remote.h"
#include "tests/pool/index/index_fixture.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ArchiveTest : public ::testing::Test {
protected:
    ArchiveTest() : ann_(world_.found("ann")) {}

    // Makes a line of candidates, each a child of the one before.
    std::vector<std::string> line(Hand& hand, int count) {
        std::vector<std::string> ids;
        for (int i = 0; i < count; ++i) {
            std::vector<std::string> parents;
            if (i > 0) parents = {ids.back()};
            ids.push_back(hand.keep({{"optim.lr", 0.01 * (i + 1)}}, 3.0 - 0.01 * i, parents).candidate);
        }
        return ids;
    }
    ArchiveReport archive_all_but(Hand& hand, std::size_t keep) {
        hand.pull();
        ArchivePlan plan = must(plan_archive(hand.clone, hand.index, keep));
        return must(archive(hand.clone, hand.index, *hand.git, plan));
    }
    std::size_t live() const { return must(ann_.clone.repo.refs("refs/remotes/origin/candidates/")).size(); }
    // Makes a repository that bob can write to and the pool's members can read.
    std::string fork(const std::string& name) {
        shell("git clone -q --bare " + world_.hub() + " " + world_.path(name));
        return world_.path(name);
    }

    World world_;
    Hand ann_;
};

TEST_F(ArchiveTest, FoldsTheOldestBranchesAndKeepsTheirCommitsInReach) {
    auto ids = line(ann_, 5);
    ann_.propose();
    std::vector<Oid> before;
    for (const std::string& id : ids) before.push_back(must(ann_.index.commit_of(id)).oid);
    ArchiveReport report = archive_all_but(ann_, 2);
    EXPECT_EQ(report.commits, 1u);
    EXPECT_EQ(report.deleted, 3u);
    EXPECT_EQ(live(), 2u);
    EXPECT_THAT(world_.hub_refs(), HasSubstr("refs/heads/archive "));
    EXPECT_EQ(git(world_.hub(), "for-each-ref refs/heads/candidates | wc -l"), "2\n");
    EXPECT_EQ(git(world_.hub(), "fsck --strict --no-dangling"), "");

    Hand bea(world_.join("bea"));
    EXPECT_EQ(told(bea.index.opened_with()), "");
    for (std::size_t i = 0; i < ids.size(); ++i)
        EXPECT_THAT(must(bea.index.candidate(ids[i]))->commits, ElementsAre(before[i])) << i;
    EXPECT_TRUE(must(plan_archive(ann_.clone, ann_.index, 2)).empty());
    EXPECT_FALSE(ann_.propose().anything);  // folded refs are not pushed again
}

TEST_F(ArchiveTest, GrowsByEachRoundAndIsReadFromWhereItWasLeft) {
    line(ann_, 3);
    ann_.propose();
    archive_all_but(ann_, 1);
    Hand bea(world_.join("bea"));
    auto more = ann_.keep({{"optim.lr", 0.5}}, 2.0).candidate;
    ann_.propose();
    EXPECT_EQ(archive_all_but(ann_, 0).commits, 1u);
    const PullReport came = bea.pull();
    EXPECT_EQ(told(came), "");
    EXPECT_EQ(came.archived, 2) << "one that bea had as a branch, one she had not";
    EXPECT_THAT(must(bea.index.candidate(more))->commits, SizeIs(1));
    EXPECT_THAT(must(bea.clone.repo.refs("refs/remotes/origin/candidates/")), IsEmpty());
    EXPECT_THAT(must(fsck(bea.clone)).problems, IsEmpty());
}

TEST_F(ArchiveTest, RefusesAnArchiveThatWasRewound) {
    line(ann_, 3);
    ann_.propose();
    archive_all_but(ann_, 2);
    const std::string first = git(world_.hub(), "rev-parse archive");
    archive_all_but(ann_, 0);
    Hand bea(world_.join("bea"));
    git(world_.hub(), "update-ref refs/heads/archive " + first.substr(0, 40));
    EXPECT_THAT(told(bea.pull()), HasSubstr("archive: was rewound on the remote"));
    EXPECT_THAT(must(bea.index.candidates()), SizeIs(3));
}

// Whoever may push can take the name first.
TEST_F(ArchiveTest, TakesNothingElseForAnArchiveAndForgetsItOnceItIsGone) {
    line(ann_, 3);
    ann_.propose();
    git(world_.hub(), "update-ref refs/heads/archive refs/heads/main");
    Hand bea(world_.join("bea"));
    EXPECT_THAT(told(bea.index.opened_with()), HasSubstr("archive: is no archive"));
    ann_.pull();
    const ArchivePlan plan = must(plan_archive(ann_.clone, ann_.index, 0));
    const Error error = trouble(archive(ann_.clone, ann_.index, *ann_.git, plan));
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_THAT(error.hint, HasSubstr("git push origin :refs/heads/archive"));
    EXPECT_EQ(git(world_.hub(), "for-each-ref refs/heads/candidates | wc -l"), "3\n");

    git(world_.hub(), "update-ref -d refs/heads/archive");
    EXPECT_EQ(archive_all_but(ann_, 0).deleted, 3u);
    const PullReport came = bea.pull();
    EXPECT_EQ(told(came), "");
    EXPECT_EQ(came.archived, 3);
    EXPECT_THAT(must(bea.clone.repo.refs("refs/remotes/origin/candidates/")), IsEmpty());
}

TEST_F(ArchiveTest, DeletesNothingWhenTheRemoteRefusesTheArchive) {
    line(ann_, 3);
    ann_.propose();
    shell("printf '#!/bin/sh\\ntest $1 != refs/heads/archive\\n' > " + world_.hub() + "/hooks/update && chmod +x " +
          world_.hub() + "/hooks/update");
    ann_.pull();
    ArchivePlan plan = must(plan_archive(ann_.clone, ann_.index, 0));
    EXPECT_EQ(trouble(archive(ann_.clone, ann_.index, *ann_.git, plan)).code, Code::busy);
    EXPECT_EQ(git(world_.hub(), "for-each-ref refs/heads/candidates | wc -l"), "3\n");
    shell("rm " + world_.hub() + "/hooks/update");
    EXPECT_EQ(archive_all_but(ann_, 0).deleted, 3u);
}

TEST_F(ArchiveTest, TakesInWhatAForkProposesWithIdsAndSignaturesUnchanged) {
    ann_.propose();
    const std::string there = fork("bobs.git");
    Hand bob(world_.join("bob"));
    auto found = bob.keep({{"optim.lr", 0.3}}, 1.5);
    EXPECT_TRUE(bob.propose({}, {there, false}).anything);
    EXPECT_THAT(world_.hub_refs(), testing::Not(HasSubstr("journal/bob")));

    must(add_extra_remote(ann_.clone.repo, {"bob", there, ""}));
    RefreshReport came = ann_.pull();
    EXPECT_EQ(told(came), "");
    EXPECT_EQ(came.runs, 1);
    EXPECT_EQ(must(ann_.index.runs(found.candidate)).at(0).source, "bob");
    EXPECT_EQ(must(load_artifact(ann_.clone, ann_.git.get(), found.artifact)), "weights of " + found.candidate);

    EXPECT_EQ(archive_all_but(ann_, 100).commits, 2u);  // a journal, a candidate
    Hand eve(world_.join("eve"));
    EXPECT_EQ(told(eve.index.opened_with()), "");
    auto runs = must(eve.index.runs(found.candidate));
    ASSERT_THAT(runs, SizeIs(1));
    EXPECT_EQ(runs[0].source, "archive");
    EXPECT_EQ(runs[0].id, must(bob.index.runs(found.candidate)).at(0).id);
    EXPECT_THAT(must(eve.index.candidate(found.candidate))->commits,
                must(bob.index.candidate(found.candidate))->commits);
    EXPECT_TRUE(must(plan_archive(ann_.clone, ann_.index, 100)).empty());
}

TEST_F(ArchiveTest, TakesInAPullRequestAsOneCommit) {
    ann_.propose();
    Hand bob(world_.join("bob"));
    auto found = bob.keep({{"optim.lr", 0.3}}, 1.5);
    ProposeReport sent = bob.propose({}, {world_.hub(), true});
    EXPECT_EQ(sent.proposal, "proposal/" + bob.clone.writer);
    // Hosts keep the heads of pull requests like this, even of deleted branches.
    git(world_.hub(), "update-ref refs/pull/7/head refs/heads/" + sent.proposal);
    git(world_.hub(), "update-ref -d refs/heads/" + sent.proposal);

    must(add_extra_remote(ann_.clone.repo, {"requests", world_.hub(), "refs/pull/*/head"}));
    RefreshReport came = ann_.pull();
    EXPECT_EQ(told(came), "");
    EXPECT_EQ(came.runs, 1);
    EXPECT_EQ(came.proposals, 1);
    EXPECT_EQ(ann_.pull().proposals, 0);
    EXPECT_EQ(must(ann_.index.runs(found.candidate)).at(0).source, "requests");
    EXPECT_EQ(must(load_artifact(ann_.clone, nullptr, found.artifact)), "weights of " + found.candidate);
    EXPECT_EQ(git(world_.hub(), "merge-base main refs/pull/7/head"), git(world_.hub(), "rev-parse main"));

    // More records later, with the same result.
    bob.keep({{"optim.lr", 0.4}}, 1.4, {found.candidate});
    EXPECT_TRUE(bob.propose({}, {world_.hub(), true}).anything);
    EXPECT_FALSE(bob.propose({}, {world_.hub(), true}).anything);
    git(world_.hub(), "update-ref refs/pull/7/head refs/heads/" + sent.proposal);
    EXPECT_EQ(ann_.pull().runs, 1);
}

TEST_F(ArchiveTest, PassesOverASourceThatCannotBeReachedAndSaysSo) {
    ann_.propose();
    must(add_extra_remote(ann_.clone.repo, {"gone", world_.path("nowhere"), ""}));
    EXPECT_THAT(told(ann_.pull()), HasSubstr("source gone: cannot reach"));
    must(remove_extra_remote(ann_.clone.repo, "gone"));
    EXPECT_EQ(told(ann_.pull()), "");
}

TEST_F(ArchiveTest, RefusesForgedJournalsOfASource) {
    ann_.propose();
    const std::string there = fork("eves.git");
    commit_by_hand(there, "refs/heads/journal/" + ann_.clone.writer.substr(0, ann_.clone.writer.size() - 1) + "x",
                   {{"seg/000000.jsonl", "{}\n"}});
    commit_by_hand(there, "refs/heads/journal/bob.box.01234567", {{"seg/000000.jsonl", "{}\n"}});
    commit_by_hand(there, "refs/heads/candidates/x", {{"candidate.toml", "model.layers = 6\n"}});
    must(add_extra_remote(ann_.clone.repo, {"eve", there, ""}));
    const std::string refused = told(ann_.pull());
    EXPECT_THAT(refused, HasSubstr("is not a writer's name"));
    EXPECT_THAT(refused, HasSubstr("journal/bob.box.01234567: is not signed by its writer"));
    EXPECT_THAT(refused, HasSubstr("candidates/x: is not a candidate's branch"));
    EXPECT_TRUE(must(plan_archive(ann_.clone, ann_.index, 100)).empty());
}

TEST(ExtraRemote, TakesNamesAndPatternsThatGitCanUse) {
    TempFolder folder;
    Repo repo = must(Repo::create(folder.file("r"), true));
    for (const ExtraRemote& bad :
         {ExtraRemote{"", "u", ""}, ExtraRemote{"A", "u", ""}, ExtraRemote{"a/b", "u", ""},
          ExtraRemote{"a", "u", "refs/*/*"}, ExtraRemote{"a", "u", "heads/*"}, ExtraRemote{"a", "u", "+refs/x"}})
        EXPECT_EQ(trouble(add_extra_remote(repo, bad)).code, Code::usage) << bad.name << bad.refs;
    must(add_extra_remote(repo, {"b", "u", ""}));
    must(add_extra_remote(repo, {"a", "v", "refs/pull/*/head"}));
    EXPECT_EQ(trouble(add_extra_remote(repo, {"a", "w", ""})).code, Code::usage);
    auto known = must(extra_remotes(repo));
    ASSERT_THAT(known, SizeIs(2));
    EXPECT_EQ(known[0].refs, "refs/pull/*/head");
    EXPECT_THAT(refspecs_of(known[0]), ElementsAre("+refs/pull/*/head:refs/sources/a/bundle/*"));
    EXPECT_EQ(trouble(remove_extra_remote(repo, "c")).code, Code::not_found);
}

class FsckTest : public ArchiveTest {};

TEST_F(FsckTest, FindsAnArtifactThatIsNotWhatItsNameSays) {
    line(ann_, 2);
    ann_.propose();
    FsckReport good = must(fsck(ann_.clone));
    EXPECT_THAT(good.problems, IsEmpty());
    EXPECT_EQ((std::vector{good.runs, good.candidates, good.claims}), (std::vector{2, 2, 2}));
    EXPECT_EQ(good.artifacts, 2u);
    EXPECT_GE(good.signatures, 1u);
    Ref artifact = must(ann_.clone.repo.refs("refs/artifacts/")).at(0),
        other = must(ann_.clone.repo.refs("refs/artifacts/")).at(1);
    must(ann_.clone.repo.set_ref(artifact.name, other.oid, artifact.oid));
    auto problems = must(fsck(ann_.clone)).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].where, artifact.name);
}

TEST_F(FsckTest, FindsACommitInsideAJournalThatItsWriterDidNotSign) {
    line(ann_, 1);
    ann_.propose();
    const std::string ref = ann_.clone.journal_ref();
    const Oid tip = *must(ann_.clone.repo.ref(ref));
    Commit raw = must(ann_.clone.repo.read_commit(tip));
    Oid unsigned_commit = must(ann_.clone.repo.write_commit(raw));  // the same, without a signature
    raw.parents = {unsigned_commit};
    must(ann_.clone.repo.set_ref(ref, must(ann_.clone.repo.write_commit(raw, &ann_.clone.key)), tip));
    auto problems = must(fsck(ann_.clone)).problems;
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems.back().reason, HasSubstr("is not signed by its writer"));
}

TEST_F(FsckTest, TellsWhichObjectOfADamagedCloneIsBroken) {
    line(ann_, 2);
    ann_.propose();
    archive_all_but(ann_, 0);
    ann_.pull();
    const std::string tip = git(world_.path("ann"), "rev-parse refs/remotes/origin/archive").substr(0, 40);
    const std::string file = world_.path("ann") + "/.git/objects/" + tip.substr(0, 2) + "/" + tip.substr(2);
    shell(fmt::format("chmod +w '{0}' && printf broken >'{0}'", file));
    Clone again = world_.reopen("ann");
    const auto problems = must(fsck(again)).problems;
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems[0].reason, HasSubstr(tip.substr(0, 8)));
}

}  // namespace
}  // namespace cultivar
