#include "pool/transport/transport.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/servers.h"

namespace cultivar {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class TransportTest : public ::testing::Test {
protected:
    TransportTest() : ann_(world_.found("ann")), git_(git_cli_transport(ann_.repo.git_dir())) {}

    std::vector<PushStatus> push(const std::vector<std::string>& refs) {
        std::vector<PushItem> items;
        for (const std::string& ref : refs) items.push_back({ref, ref});
        return must(git_->push("origin", items));
    }
    // Uses a program of the test instead of ssh.
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

TEST_F(TransportTest, FetchesARefWhoseLockAKilledProcessLeftBehind) {
    push({"refs/heads/main"});
    const std::string refs = ann_.repo.git_dir() + "refs/remotes/origin";
    shell("mkdir -p " + refs + " && rm -f " + refs + "/main && touch -d '1 minute ago' " + refs + "/main.lock");
    auto report = must(git_->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    EXPECT_TRUE(report.refused.empty());
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/main")), ann_.main);
}

TEST_F(TransportTest, GivesTheWordsOfARemoteThatCannotBeReachedAndAHint) {
    git(world_.path("ann"), "config remote.origin.url " + world_.path("nowhere"));
    for (const Error& error : {trouble(git_->fetch("origin", {"refs/heads/main"})),
                               trouble(git_->push("origin", {{"refs/heads/main", "refs/heads/main"}})),
                               trouble(open_transport("")->list(world_.path("nowhere")))}) {
        EXPECT_EQ(error.code, Code::git);
        EXPECT_THAT(error.message, HasSubstr("does not appear to be a git repository"));
        EXPECT_THAT(error.hint, HasSubstr("git ls-remote"));
    }
}

TEST_F(TransportTest, TakesNoRemoteForAnOption) {
    const std::string ran = world_.path("ran");
    const std::string evil = "--upload-pack=touch " + ran + " #", evil_push = "--receive-pack=touch " + ran + " #";
    EXPECT_FALSE(git_->fetch(evil, {"refs/heads/main", "."}));
    EXPECT_FALSE(git_->fetch(evil, {"."}));
    EXPECT_FALSE(git_->push(evil_push, {{"refs/heads/main", "refs/heads/main"}}));
    EXPECT_FALSE(open_transport("")->list(evil));
    EXPECT_FALSE(std::filesystem::exists(ran));
}

TEST_F(TransportTest, ListsTheRefsOfARemote) {
    push({"refs/heads/main"});
    EXPECT_THAT(must(open_transport("")->list(world_.hub())), Contains(std::pair("refs/heads/main", ann_.main)));
    EXPECT_FALSE(open_transport("")->list("--upload-pack=touch " + world_.path("owned")));
    EXPECT_FALSE(std::filesystem::exists(world_.path("owned")));
}

TEST_F(TransportTest, IsByLibgit2WhereThereIsNoGit) {
    push({"refs/heads/main"});
    const std::string url = "file://" + world_.path("nowhere.git");
    auto complaint = [&] { return trouble(open_transport("")->list(url)).message; };
    const std::string by_git = complaint();
    ServerSetting nothing("PATH", world_.path("empty"));
    EXPECT_NE(complaint(), by_git);
    EXPECT_THAT(must(open_transport("")->list(world_.hub())), Contains(std::pair("refs/heads/main", ann_.main)));
    auto transport = open_transport(ann_.repo.git_dir());
    must(transport->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/main")), ann_.main);
}

TEST_F(TransportTest, CanBeStoppedWhileARemoteHangs) {
    reach_by("echo hung > " + world_.path("hung") + "\nexec sleep 1000\n");
    auto stoppable =
        git_cli_transport(ann_.repo.git_dir(), [&] { return std::filesystem::exists(world_.path("hung")); });
    EXPECT_EQ(trouble(stoppable->fetch("origin", {"refs/heads/main"})).code, Code::interrupted);
    std::filesystem::remove(world_.path("hung"));
    EXPECT_EQ(trouble(stoppable->push("origin", {{"refs/heads/main", "refs/heads/main"}})).code, Code::interrupted);
}

// Like ssh's ControlMaster, git may leave a process behind that holds its error stream; cultivar must not wait for it.
TEST_F(TransportTest, DoesNotWaitForWhatGitLeavesBehind) {
    push({"refs/heads/main"});
    reach_by("sleep 1000 </dev/null >/dev/null & shift $(($# - 1)); eval \"$1\"\n");
    bool overdue = false;
    auto heard = std::filesystem::file_time_type::clock::now() + std::chrono::seconds(60);
    auto patient = git_cli_transport(ann_.repo.git_dir(), [&] {
        overdue = overdue || std::filesystem::file_time_type::clock::now() > heard;
        return overdue;
    });
    EXPECT_TRUE(patient->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    EXPECT_FALSE(overdue);
}

}  // namespace
}  // namespace cultivar
