// Tests a pool behind gitolite: its rules decide about each push, over ssh, with git and with libgit2.
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/transport/retrying_transport.h"
#include "tests/pool/support/servers.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

constexpr const char* kShell = "/usr/share/gitolite3/gitolite-shell";
constexpr const char* kRules =
    "repo pool\n"
    "    RW  main$      = ann\n"
    "    RW+ main$      = nobody\n"
    "    RW  journal/   = ann bob\n"
    "    -   refs/      = @all\n"
    "    R              = @all\n";

class Gitolite : public ::testing::TestWithParam<By> {
protected:
    Gitolite() : home_(world_.folder()), ann_(world_.found("ann")) {}

    void SetUp() override {
        if (!std::filesystem::exists(kShell)) GTEST_SKIP() << "gitolite3 is not installed";
        if (std::string missing = missing_for(Serve::ssh); !missing.empty()) GTEST_SKIP() << missing;
        const std::string home = world_.folder().file("home");
        for (const char* who : {"ann", "bob"}) {
            home_.make_key(who, "ed25519");
            home_.append("authorized_keys", fmt::format("command=\"env HOME={} {} {}\" ", home, kShell, who) +
                                                world_.folder().read(fmt::format("home/{}.pub", who)));
        }
        shell(fmt::format("gitolite setup -pk {}/ann.pub", home));
        world_.folder().write("home/.gitolite/conf/gitolite.conf", kRules);
        shell("gitolite compile");
        server_ = serve(Serve::ssh, world_.folder(), home_);
        git(world_.path("ann"), "config remote.origin.url hub:pool");
        be("ann");
    }
    void be(const std::string& who) {
        const std::string end = fmt::format("Host *\n  IdentityFile {}\n  UserKnownHostsFile {}\n", home_.path(who),
                                            home_.path(".ssh/known_hosts"));
        home_.append(".ssh/" + who, world_.folder().read("home/.ssh/config") + end);
        ssh_ = nullptr;
        ssh_ = std::make_unique<ServerSetting>("GIT_SSH_COMMAND", "ssh -F " + home_.path(".ssh/" + who));
    }
    Result<std::vector<PushStatus>> push(const std::vector<std::string>& refs) {
        std::vector<PushItem> items;
        for (const std::string& ref : refs) items.push_back({"refs/heads/main", ref});
        return transport(GetParam(), ann_.repo.git_dir())->push("origin", items);
    }

    World world_;
    Home home_;
    Clone ann_;
    std::unique_ptr<ServerSetting> ssh_;
    std::unique_ptr<Server> server_;
};

TEST_P(Gitolite, LetsEachPushWhatTheRulesGiveThem) {
    EXPECT_TRUE(must(push({"refs/heads/main"}))[0].accepted);
    be("bob");
    auto statuses = must(push({"refs/heads/journal/bob", "refs/heads/other"}));
    EXPECT_TRUE(statuses[0].accepted);
    EXPECT_THAT(statuses[1].reason, HasSubstr("hook declined"));
    EXPECT_FALSE(may_pass(statuses[1]));
    must(transport(GetParam(), ann_.repo.git_dir())
             ->fetch("origin", {"refs/heads/journal/*:refs/remotes/origin/journal/*"}));
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/journal/bob")), ann_.main);
    git(world_.path("ann"), "config remote.origin.url hub:secret");
    const Error error = trouble(push({"refs/heads/main"}));
    EXPECT_FALSE(may_pass(error)) << error.message;
}

INSTANTIATE_TEST_SUITE_P(Every, Gitolite, ::testing::Values(By::program, By::library),
                         [](const auto& by) { return by.param == By::program ? "ByGit" : "ByLibgit2"; });

}  // namespace
}  // namespace cultivar
