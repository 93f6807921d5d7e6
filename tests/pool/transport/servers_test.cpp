// Tests the properties common to all servers, with git and with libgit2.
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/servers.h"

namespace cultivar {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class OverServers : public ::testing::TestWithParam<std::tuple<Serve, By>> {
protected:
    OverServers() : home_(world_.folder()), ann_(world_.found("ann")) {}

    void SetUp() override {
        if (std::string missing = missing_for(how()); !missing.empty()) GTEST_SKIP() << missing;
        server_ = serve(how(), world_.folder(), home_);
        std::string url = server_->url(world_.hub());
        if (how() == Serve::http) url = http_url_with(url, "ann:s3cret%20pass");
        if (how() == Serve::ssh) {
            const std::string key = home_.make_key(".ssh/id_ed25519", "ed25519");
            home_.append("authorized_keys", world_.folder().read("home/.ssh/id_ed25519.pub"));
            home_.append(".ssh/config", fmt::format("Host *\n  IdentityFile {}\n  UserKnownHostsFile {}\n", key,
                                                    home_.path(".ssh/known_hosts")));
        }
        git(world_.path("ann"), "config remote.origin.url '" + url + "'");
        transport_ = transport(by(), ann_.repo.git_dir());
    }

    Serve how() const { return std::get<0>(GetParam()); }
    By by() const { return std::get<1>(GetParam()); }

    std::vector<PushStatus> push(const std::vector<std::string>& refs) {
        std::vector<PushItem> items;
        for (const std::string& ref : refs) items.push_back({ref, ref});
        return must(transport_->push("origin", items));
    }
    void hook(const std::string& name, const std::string& script) {
        std::string path = world_.hub() + "/hooks/" + name;
        std::filesystem::create_directories(world_.hub() + "/hooks");
        std::ofstream(path) << "#!/bin/sh\n" << script;
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }

    World world_;
    Home home_;
    Clone ann_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<Transport> transport_;
};

TEST_P(OverServers, TellsForEachRefWhetherItMoved) {
    auto first = push({"refs/heads/main"});
    ASSERT_THAT(first, SizeIs(1));
    EXPECT_TRUE(first[0].accepted && first[0].changed);
    git(world_.path("ann"), "branch other main");
    auto second = push({"refs/heads/main", "refs/heads/other"});
    EXPECT_TRUE(second[0].accepted && !second[0].changed);
    EXPECT_TRUE(second[1].accepted && second[1].changed);
    EXPECT_EQ(world_.hub_refs(), "refs/heads/main " + ann_.main + "\nrefs/heads/other " + ann_.main + "\n");
    EXPECT_THAT(must(transport_->list("origin")), Contains(std::pair("refs/heads/other", ann_.main)));
}

TEST_P(OverServers, PushesAndFetchesManyObjects) {
    std::string lines;
    for (int i = 0; i < 200'000; ++i) lines += fmt::format("{:x}\n", i * 2654435761U);
    Oid big = commit_by_hand(world_.path("ann"), "refs/heads/journal/big", {{"seg/000000.jsonl", lines}});
    EXPECT_TRUE(push({"refs/heads/journal/big"})[0].accepted);
    Oid more = commit_by_hand(world_.hub(), "refs/heads/journal/big", {{"seg/000001.jsonl", lines + lines}}, big);
    must(transport_->fetch("origin", {"refs/heads/journal/*:refs/remotes/origin/journal/*"}));
    EXPECT_EQ(git(world_.path("ann"), "show origin/journal/big:seg/000001.jsonl"), lines + lines);
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/journal/big")), more);
}

TEST_P(OverServers, TellsWhyTheHostingRefusedARef) {
    hook("update", "case $1 in refs/heads/other) echo 'not that one'; exit 1;; esac\n");
    git(world_.path("ann"), "branch other main");
    auto statuses = push({"refs/heads/other", "refs/heads/main"});
    EXPECT_FALSE(statuses[0].accepted);
    if (how() == Serve::path && by() == By::library) {  // libgit2 cannot run hooks, and refuses to skip them
        EXPECT_THAT(statuses[0].reason, HasSubstr("need the git program"));
        EXPECT_EQ(world_.hub_refs(), "");
        return;
    }
    EXPECT_THAT(statuses[0].reason, HasSubstr("hook declined"));
    EXPECT_TRUE(statuses[1].accepted);
    hook("update", "exit 0\n");
    hook("pre-receive", "exit 1\n");
    statuses = push({"refs/heads/main", "refs/heads/other"});
    EXPECT_TRUE(statuses[0].accepted && !statuses[0].changed);
    EXPECT_FALSE(statuses[1].accepted);
    EXPECT_THAT(statuses[1].reason, HasSubstr("pre-receive hook declined"));
    EXPECT_EQ(statuses[1].refusal, PushRefusal::rule);
}

TEST_P(OverServers, NeverForces) {
    push({"refs/heads/main"});
    git(world_.path("ann"), "checkout -q --orphan fresh");
    git(world_.path("ann"), "commit -q -m fresh");
    auto statuses = must(transport_->push("origin", {{"refs/heads/fresh", "refs/heads/main"}}));
    EXPECT_FALSE(statuses[0].accepted);
    EXPECT_THAT(statuses[0].reason, AnyOf(HasSubstr("non-fast-forward"), HasSubstr("fetch first")));
    EXPECT_EQ(statuses[0].refusal, PushRefusal::behind);
    EXPECT_EQ(world_.hub_refs(), "refs/heads/main " + ann_.main + "\n");
    Oid theirs = commit_by_hand(world_.hub(), "refs/heads/main", {{"f", "1"}}, ann_.main);
    statuses = must(transport_->push("origin", {{"refs/heads/fresh", "refs/heads/main"}}));
    EXPECT_THAT(statuses[0].reason, HasSubstr("fetch first"));
    EXPECT_EQ(world_.hub_refs(), "refs/heads/main " + theirs + "\n");
}

TEST_P(OverServers, TellsThatARefIsMissing) {
    push({"refs/heads/main"});
    const Error error = trouble(transport_->fetch("origin", {"refs/heads/none:refs/remotes/origin/none"}));
    EXPECT_THAT(error.message, HasSubstr("couldn't find remote ref"));
    EXPECT_EQ(error.reason, Reason::ref_missing);
}

TEST_P(OverServers, TellsWhichFetchedRefsWentBackwardsAndTakesTheRest) {
    push({"refs/heads/main"});
    Oid one = commit_by_hand(world_.hub(), "refs/heads/journal/a", {{"f", "1"}});
    commit_by_hand(world_.hub(), "refs/heads/journal/a", {{"f", "2"}}, one);
    const std::vector<std::string> all = {"refs/heads/journal/*:refs/remotes/origin/journal/*"};
    EXPECT_THAT(must(transport_->fetch("origin", all)).refused, IsEmpty());
    Oid ahead = *must(ann_.repo.ref("refs/remotes/origin/journal/a"));
    git(world_.hub(), "update-ref refs/heads/journal/a " + one);
    Oid fresh = commit_by_hand(world_.hub(), "refs/heads/journal/b", {{"f", "3"}});
    auto report = must(transport_->fetch("origin", all));
    ASSERT_THAT(report.refused, SizeIs(1));
    EXPECT_EQ(report.refused[0], (RefusedRef{"origin/journal/a", "non-fast-forward", true}));
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/journal/a")), ahead);
    EXPECT_EQ(must(ann_.repo.ref("refs/remotes/origin/journal/b")), fresh);
}

TEST_P(OverServers, FetchesWhatIsNamedAndNoTags) {
    push({"refs/heads/main"});
    git(world_.hub(), "tag v1 main");
    must(transport_->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    EXPECT_THAT(git(world_.path("ann"), "for-each-ref"), Not(HasSubstr("refs/tags")));
    EXPECT_THAT(trouble(transport_->fetch("origin", {"refs/heads/none:refs/remotes/origin/none"})).message,
                HasSubstr("couldn't find remote ref refs/heads/none"));
}

TEST_P(OverServers, RunsNoHookOfTheLocalRepository) {
    const std::string hooks = world_.path("ann") + "/.git/hooks/";
    std::filesystem::create_directories(hooks);
    std::ofstream(hooks + "pre-push") << "#!/bin/sh\nexit 1\n";
    std::filesystem::permissions(hooks + "pre-push", std::filesystem::perms::owner_all);
    EXPECT_TRUE(push({"refs/heads/main"})[0].accepted);
}

TEST_P(OverServers, SaysThatARepositoryIsNotThere) {
    std::string url = git(world_.path("ann"), "config remote.origin.url");
    url.replace(url.find("hub.git"), std::string::npos, "nowhere.git");
    git(world_.path("ann"), "config remote.origin.url '" + url + "'");
    for (const Error& error : {trouble(transport_->fetch("origin", {"refs/heads/main"})),
                               trouble(transport_->push("origin", {{"refs/heads/main", "refs/heads/main"}})),
                               trouble(transport_->list("origin"))}) {
        EXPECT_EQ(error.code, Code::git);
        EXPECT_THAT(error.message, HasSubstr("cannot reach 'origin': "));
    }
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<Serve, By>>& info) {
    const char* servers[] = {"Path", "Daemon", "Http", "Ssh"};
    return std::string(servers[static_cast<int>(std::get<0>(info.param))]) +
           (std::get<1>(info.param) == By::program ? "ByGit" : "ByLibgit2");
}

INSTANTIATE_TEST_SUITE_P(Every, OverServers,
                         ::testing::Combine(::testing::Values(Serve::path, Serve::daemon, Serve::http, Serve::ssh),
                                            ::testing::Values(By::program, By::library)),
                         name_of);

}  // namespace
}  // namespace cultivar
