// Tests the hook that `cultivar hook install` writes, with real pushes to it.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/lineage/candidate_commits.h"
#include "pool/storage/artifact_commit.h"
#include "pool/storage/segment_log.h"
#include "pool/sync/propose.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "tests/cli/commands/program.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class HookTest : public ::testing::Test {
protected:
    HookTest() : clone_(world_.found("owner")), lineage_(clone_.repo, clone_.task) {
        shell(fmt::format("'{}' hook install '{}'", kProgram, world_.hub()));
    }

    // Returns git's message to the pusher; "" if every ref was accepted.
    std::string push(const std::string& refspecs) {
        std::string said =
            shell(fmt::format("git -C '{}' push -q origin {} && echo TAKEN || true", world_.path("owner"), refspecs));
        return said == "TAKEN\n" ? "" : said;
    }
    CandidateCommit write(const Genes& changes) {
        auto candidate = must(make_candidate(clone_.task.space, clone_.task_id, changes));
        return must(lineage_.write(candidate, {}));
    }
    std::string hook_file() const { return world_.hub() + "/hooks/update"; }

    World world_;
    Clone clone_;
    Lineage lineage_;
};

TEST_F(HookTest, TakesWhatAPoolIsMadeOf) {
    CandidateCommit one = write({{"optim.lr", 0.1}});
    must(append_log(clone_.repo, clone_.journal_ref(), {"{}"}, clone_.identity(), clone_.key));
    const std::string bytes = "weights", digest = sha256_hex(bytes);
    must(store_artifact(clone_.repo, digest, bytes));
    const std::string branch = candidate_branch(one.candidate.id, one.oid);
    EXPECT_EQ(
        push(fmt::format("main {}:refs/heads/{} {} {}", one.oid, branch, clone_.journal_ref(), artifact_ref(digest))),
        "");
    EXPECT_THAT(world_.hub_refs(), HasSubstr("refs/heads/" + branch));
}

TEST_F(HookTest, RefusesEachBadRefWithItsReasonAndTakesTheOthers) {
    ASSERT_EQ(push("main"), "");
    CandidateCommit good = write({{"optim.lr", 0.1}}), other = write({{"optim.lr", 0.2}});
    const std::string branch = "refs/heads/" + candidate_branch(good.candidate.id, good.oid);
    const std::string lie = fmt::format("refs/heads/candidates/{}.{:.8}", good.candidate.id, other.oid);
    const std::string said =
        push(fmt::format("{}:{} {}:{} {}:refs/heads/work", good.oid, branch, other.oid, lie, good.oid));
    EXPECT_THAT(said, HasSubstr("the candidate hashes to"));
    EXPECT_THAT(said, HasSubstr("a pool has no ref 'refs/heads/work'"));
    EXPECT_THAT(world_.hub_refs(), HasSubstr(branch + " " + good.oid));
    EXPECT_THAT(world_.hub_refs(), Not(HasSubstr(lie)));
    CandidateCommit child = must(lineage_.write(other.candidate, {good.oid}));
    EXPECT_THAT(push(fmt::format("{}:{}", child.oid, branch)), HasSubstr("a candidate's branch never moves"));
}

TEST_F(HookTest, RefusesADeletionUnlessTheHostAllowsIt) {
    CandidateCommit one = write({});
    const std::string branch = "refs/heads/" + candidate_branch(one.candidate.id, one.oid);
    must(append_log(clone_.repo, clone_.journal_ref(), {"{}"}, clone_.identity(), clone_.key));
    ASSERT_EQ(push(fmt::format("main {}:{} {}", one.oid, branch, clone_.journal_ref())), "");
    EXPECT_THAT(push(":" + branch), HasSubstr("only maintainers delete"));
    git(world_.hub(), "config cultivar.allowDelete true");
    EXPECT_EQ(push(":" + branch), "");
    EXPECT_THAT(push(":" + clone_.journal_ref()), HasSubstr("never deleted"));
}

TEST_F(HookTest, RefusesARewoundJournal) {
    must(append_log(clone_.repo, clone_.journal_ref(), {"{}"}, clone_.identity(), clone_.key));
    ASSERT_EQ(push("main " + clone_.journal_ref()), "");
    must(clone_.repo.delete_ref(clone_.journal_ref()));
    must(append_log(clone_.repo, clone_.journal_ref(), {"{\"other\":1}"}, clone_.identity(), clone_.key));
    EXPECT_THAT(push("+" + clone_.journal_ref()), HasSubstr("non-fast-forward"));
    git(world_.hub(), "config receive.denyNonFastForwards false");
    EXPECT_THAT(push("+" + clone_.journal_ref()), HasSubstr("was rewound"));
}

TEST_F(HookTest, TakesAWholePropose) {
    auto transport = git_cli_transport(clone_.repo.git_dir(), {});
    cultivar::Run run = run_by(clone_, {{"optim.lr", 0.1}}, 2.0);
    give_artifact(clone_, run, "weights");
    spool(clone_, run);
    Index index = must(Index::open(clone_));
    ProposeReport report = must(propose(clone_, index, *transport, {}));
    EXPECT_TRUE(report.refused.empty()) << report.refused.front().reason;
    EXPECT_EQ(report.candidates.size(), 1U);
    EXPECT_EQ(report.artifacts.size(), 1U);
}

TEST_F(HookTest, TakesAProposalOfSomebodyWithoutTheRightToPushAnythingElse) {
    ASSERT_EQ(push("main"), "");
    Hand bob(world_.join("bob"));
    bob.keep({{"optim.lr", 0.1}}, 2.0);
    for (int i = 0; i < 2; ++i) {
        ProposeReport report = bob.propose({}, {"", true});
        EXPECT_TRUE(report.refused.empty()) << report.refused.front().reason;
        EXPECT_EQ(report.proposal, "proposal/" + bob.clone.writer);
        bob.keep({{"optim.lr", 0.2}}, 1.9);
    }
}

// As in a pre-receive hook: the objects are in quarantine and vanish with the refusal.
TEST_F(HookTest, ReadsObjectsInQuarantine) {
    ASSERT_EQ(push("main"), "");
    const std::string hook = world_.hub() + "/hooks/pre-receive";
    must(write_file_atomically(hook,
                               fmt::format("#!/bin/sh\nwhile read -r old new ref; do\n  '{}' hook update \"$ref\" "
                                           "\"$old\" \"$new\" || exit 1\ndone\n",
                                           kProgram),
                               0755));
    CandidateCommit one = write({{"optim.lr", 0.1}});
    EXPECT_EQ(push(fmt::format("{}:refs/heads/{}", one.oid, candidate_branch(one.candidate.id, one.oid))), "");
    CandidateCommit two = write({{"optim.lr", 0.2}});
    EXPECT_THAT(push(two.oid + ":refs/heads/work"), HasSubstr("a pool has no ref"));
    EXPECT_EQ(shell(fmt::format("git -C '{}' cat-file -e {} || echo gone", world_.hub(), two.oid)), "gone\n");
}

TEST_F(HookTest, LeavesAnotherPreReceiveHookAlone) {
    const std::string path = world_.hub() + "/hooks/pre-receive";
    EXPECT_THAT(must(read_file(path)), HasSubstr("hook pre-receive"));
    must(write_file_atomically(path, "#!/bin/sh\nexit 0\n", 0755));
    EXPECT_THAT(shell(fmt::format("'{}' hook install '{}' 2>&1", kProgram, world_.hub())),
                HasSubstr("have it call 'cultivar hook pre-receive' too"));
    EXPECT_EQ(must(read_file(path)), "#!/bin/sh\nexit 0\n");
}

TEST_F(HookTest, InstallsItselfAgainButNeverOverAnothersHook) {
    const std::string again = fmt::format("'{}' hook install '{}' || true", kProgram, world_.hub());
    EXPECT_THAT(shell(again), HasSubstr("installed "));
    struct stat status {};
    ASSERT_EQ(::stat(hook_file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0755U);
    EXPECT_EQ(git(world_.hub(), "config receive.fsckObjects"), "true\n");
    must(write_file_atomically(hook_file(), "#!/bin/sh\nexit 0\n", 0755));
    EXPECT_THAT(shell(again), HasSubstr("somebody else's hook"));
    EXPECT_EQ(must(read_file(hook_file())), "#!/bin/sh\nexit 0\n");
}

TEST_F(HookTest, IsNotForAClone) {
    EXPECT_THAT(shell(fmt::format("'{}' hook install '{}' || true", kProgram, world_.path("owner"))),
                HasSubstr("is a clone"));
}

}  // namespace
}  // namespace cultivar
