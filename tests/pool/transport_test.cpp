#include "pool/transport.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/world.h"

namespace cultivar {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TransportTest : public ::testing::Test {
protected:
    TransportTest() : ann_(world_.found("ann")), git_(git_program(ann_.repo.git_dir())) {}

    std::vector<PushStatus> push(const std::vector<std::string>& refs) {
        std::vector<PushItem> items;
        for (const std::string& ref : refs) items.push_back({ref, ref});
        return must(git_->push("origin", items));
    }
    void hook(const std::string& name, const std::string& script) {
        std::string path = world_.hub() + "/hooks/" + name;
        std::filesystem::create_directories(world_.hub() + "/hooks");
        std::ofstream(path) << "#!/bin/sh\n" << script;
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    // A host reached by a program of the test's own instead of ssh.
    void reach_by(const std::string& script) {
        std::string path = world_.folder().write("ssh", "#!/bin/sh\n" + script);
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        git(world_.path("ann"), "config core.sshCommand " + path);
        git(world_.path("ann"), "config ssh.variant simple");
        git(world_.path("ann"), "config remote.origin.url host:" + world_.hub());
    }

    World world_;
    Clone ann_;
    std::unique_ptr<Transport> git_;
};

TEST_F(TransportTest, TellsForEachRefWhetherItMoved) {
    auto first = push({"refs/heads/main"});
    ASSERT_THAT(first, SizeIs(1));
    EXPECT_TRUE(first[0].accepted && first[0].changed);
    git(world_.path("ann"), "branch other main");
    auto second = push({"refs/heads/main", "refs/heads/other"});
    EXPECT_TRUE(second[0].accepted && !second[0].changed);
    EXPECT_TRUE(second[1].accepted && second[1].changed);
    EXPECT_EQ(world_.hub_refs(), "refs/heads/main " + ann_.main + "\nrefs/heads/other " + ann_.main + "\n");
}

TEST_F(TransportTest, TellsWhyTheHostingRefusedARef) {
    hook("update", "case $1 in refs/heads/other) echo 'not that one'; exit 1;; esac\n");
    git(world_.path("ann"), "branch other main");
    auto statuses = push({"refs/heads/other", "refs/heads/main"});
    EXPECT_FALSE(statuses[0].accepted);
    EXPECT_THAT(statuses[0].reason, HasSubstr("hook declined"));
    EXPECT_TRUE(statuses[1].accepted);
    hook("update", "exit 0\n");
    hook("pre-receive", "exit 1\n");
    statuses = push({"refs/heads/main", "refs/heads/other"});
    EXPECT_TRUE(statuses[0].accepted && !statuses[0].changed);
    EXPECT_FALSE(statuses[1].accepted);
    EXPECT_THAT(statuses[1].reason, HasSubstr("pre-receive hook declined"));
}

TEST_F(TransportTest, NeverForces) {
    push({"refs/heads/main"});
    git(world_.path("ann"), "checkout -q --orphan fresh");
    git(world_.path("ann"), "commit -q -m fresh");
    auto statuses = must(git_->push("origin", {{"refs/heads/fresh", "refs/heads/main"}}));
    EXPECT_FALSE(statuses[0].accepted);
    EXPECT_THAT(statuses[0].reason, HasSubstr("rejected"));
    EXPECT_EQ(world_.hub_refs(), "refs/heads/main " + ann_.main + "\n");
}

TEST_F(TransportTest, TellsWhichFetchedRefsWentBackwardsAndTakesTheRest) {
    push({"refs/heads/main"});
    Oid one = commit_by_hand(world_.hub(), "refs/heads/journal/a", {{"f", "1"}});
    commit_by_hand(world_.hub(), "refs/heads/journal/a", {{"f", "2"}}, one);
    const std::vector<std::string> all = {"refs/heads/journal/*:refs/remotes/origin/journal/*"};
    EXPECT_THAT(must(git_->fetch("origin", all)).refused, IsEmpty());
    Oid ahead = *must(ann_.repo.ref("refs/remotes/origin/journal/a"));
    git(world_.hub(), "update-ref refs/heads/journal/a " + one);
    Oid fresh = commit_by_hand(world_.hub(), "refs/heads/journal/b", {{"f", "3"}});
    auto report = must(git_->fetch("origin", all));
    ASSERT_THAT(report.refused, SizeIs(1));
    EXPECT_THAT(report.refused[0].first, HasSubstr("origin/journal/a"));
    EXPECT_EQ(report.refused[0].second, "non-fast-forward");
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/journal/a")), ahead);
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/journal/b")), fresh);
}

TEST_F(TransportTest, FetchesARefWhoseLockAKilledProcessLeftBehind) {
    push({"refs/heads/main"});
    const std::string refs = ann_.repo.git_dir() + "refs/remotes/origin";
    shell("mkdir -p " + refs + " && rm -f " + refs + "/main && touch -d '1 minute ago' " + refs + "/main.lock");
    auto report = must(git_->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    EXPECT_THAT(report.refused, IsEmpty());
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/main")), ann_.main);
}

TEST_F(TransportTest, GivesTheWordsOfARemoteThatCannotBeReachedAndAHint) {
    git(world_.path("ann"), "config remote.origin.url " + world_.path("nowhere"));
    for (const Error& error : {trouble(git_->fetch("origin", {"refs/heads/main"})),
                               trouble(git_->push("origin", {{"refs/heads/main", "refs/heads/main"}})),
                               trouble(list_remote(world_.path("nowhere")))}) {
        EXPECT_EQ(error.code, Code::git);
        EXPECT_THAT(error.message, HasSubstr("does not appear to be a git repository"));
        EXPECT_THAT(error.hint, HasSubstr("git ls-remote"));
    }
}

TEST_F(TransportTest, ListsTheRefsOfARemote) {
    push({"refs/heads/main"});
    EXPECT_THAT(must(list_remote(world_.hub())), Contains(std::pair("refs/heads/main", ann_.main)));
    EXPECT_FALSE(list_remote("--upload-pack=touch " + world_.path("owned")));
    EXPECT_FALSE(std::filesystem::exists(world_.path("owned")));
}

TEST_F(TransportTest, RunsNoHookOfTheLocalRepository) {
    const std::string hooks = world_.path("ann") + "/.git/hooks/";
    std::filesystem::create_directories(hooks);
    std::ofstream(hooks + "pre-push") << "#!/bin/sh\nexit 1\n";
    std::filesystem::permissions(hooks + "pre-push", std::filesystem::perms::owner_all);
    EXPECT_TRUE(push({"refs/heads/main"})[0].accepted);
}

TEST_F(TransportTest, CanBeStoppedWhileARemoteHangs) {
    reach_by("echo hung > " + world_.path("hung") + "\nexec sleep 1000\n");
    auto stoppable = git_program(ann_.repo.git_dir(), [&] { return std::filesystem::exists(world_.path("hung")); });
    EXPECT_EQ(trouble(stoppable->fetch("origin", {"refs/heads/main"})).code, Code::interrupted);
    std::filesystem::remove(world_.path("hung"));
    EXPECT_EQ(trouble(stoppable->push("origin", {{"refs/heads/main", "refs/heads/main"}})).code, Code::interrupted);
}

// As ssh's ControlMaster may: a process that git leaves behind with its error stream must not keep cultivar waiting.
TEST_F(TransportTest, DoesNotWaitForWhatGitLeavesBehind) {
    push({"refs/heads/main"});
    reach_by("sleep 1000 </dev/null >/dev/null & shift $(($# - 1)); eval \"$1\"\n");
    bool overdue = false;
    auto heard = std::filesystem::file_time_type::clock::now() + std::chrono::seconds(60);
    auto patient = git_program(ann_.repo.git_dir(), [&] {
        overdue = overdue || std::filesystem::file_time_type::clock::now() > heard;
        return overdue;
    });
    EXPECT_TRUE(patient->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    EXPECT_FALSE(overdue);
}

}  // namespace
}  // namespace cultivar
