// Tests servers that hang, lie, flood or break off: each gives an error of kind `git`, with git and with libgit2, and
// no ref moves.
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/transport/retrying_transport.h"
#include "tests/pool/support/servers.h"

namespace cultivar {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Then = FakeServer::Then;

constexpr std::string_view kAbilities = "side-band-64k ofs-delta report-status";

class Hostile : public ::testing::TestWithParam<By> {
protected:
    Hostile() : home_(world_.folder()), ann_(world_.found("ann")) {
        commit_by_hand(world_.hub(), "refs/heads/main", {{"f", "1"}, {"g", "2"}});
        tip_ = git(world_.hub(), "rev-parse main").substr(0, 40);
        shell(fmt::format("git -C {0} rev-list --objects main | git -C {0} pack-objects -q --stdout >{1}", world_.hub(),
                          world_.path("pack")));
        pack_ = world_.folder().read("pack");
    }

    Error meet(const FakeServer::Behaviour& behaviour, const std::string& scheme = "git") {
        FakeServer server(behaviour);
        return meet_at(fmt::format("{}://127.0.0.1:{}/pool.git", scheme, server.port()));
    }
    Error meet_at(const std::string& url) {
        git(world_.path("ann"), "config remote.origin.url " + url);
        Error error = trouble(transport(GetParam(), ann_.repo.git_dir(), limits_)
                                  ->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
        EXPECT_EQ(error.code, Code::git);
        EXPECT_FALSE(must(ann_.repo.ref("refs/remotes/origin/main")));
        return error;
    }

    std::string advertisement(const std::string& oid) const {
        return pkt_line(fmt::format("{} refs/heads/main{}{}\n", oid, '\0', kAbilities)) + "0000";
    }
    static std::string band(char number, const std::string& bytes) { return pkt_line(std::string(1, number) + bytes); }

    World world_;
    Home home_;
    Clone ann_;
    TransportLimits limits_;
    std::string tip_, pack_;
};

class Impatient : public Hostile {
protected:
    Impatient() { limits_.silence_s = 0.3; }
};

TEST_P(Impatient, SaysNothing) { EXPECT_THAT(meet({{}, Then::stay}).message, HasSubstr("no progress for 0.3 s")); }

TEST_P(Impatient, SaysNothingOverSsh) {
    EXPECT_THAT(meet({{}, Then::stay}, "ssh").message, HasSubstr("no progress for 0.3 s"));
}

TEST_P(Impatient, SaysNothingOverHttp) {
    EXPECT_THAT(meet({{}, Then::stay}, "http").message, HasSubstr("no progress for 0.3 s"));
}

TEST_P(Impatient, FallsSilentInItsListOfRefs) {
    const std::string half = advertisement(tip_);
    EXPECT_THAT(meet({{half.substr(0, half.size() - 20)}, Then::stay}).message, HasSubstr("no progress"));
}

TEST_P(Impatient, FallsSilentInItsPack) {
    const std::string half = band(1, pack_.substr(0, pack_.size() / 2));
    EXPECT_THAT(meet({{advertisement(tip_), pkt_line("NAK\n") + half}, Then::stay}).message, HasSubstr("no progress"));
}

TEST_P(Hostile, HangsUpAtOnce) { EXPECT_TRUE(may_pass(meet({{""}, Then::close}))); }

TEST_P(Hostile, HangsUpInItsListOfRefs) {
    const std::string half = advertisement(tip_);
    meet({{half.substr(0, half.size() - 20)}, Then::close});
}

TEST_P(Hostile, HangsUpInItsPack) {
    const std::string half = band(1, pack_.substr(0, pack_.size() / 2));
    EXPECT_THAT(meet({{advertisement(tip_), pkt_line("NAK\n") + half}, Then::close}).message, HasSubstr("early EOF"));
}

TEST_P(Hostile, SaysRubbish) {
    std::string rubbish;
    for (unsigned i = 1; rubbish.size() < 100'000; i = i * 1664525U + 1013904223U)
        rubbish.push_back(static_cast<char>(i >> 24));
    meet({{rubbish}, Then::close});
    meet({{rubbish}, Then::close}, "http");
    meet({{advertisement(tip_), pkt_line("NAK\n") + band(1, rubbish.substr(0, 60'000)) + "0000"}, Then::close});
}

TEST_P(Hostile, NamesACommitThatItDoesNotSend) {
    const std::string sent = pkt_line("NAK\n") + band(1, pack_) + "0000";
    EXPECT_THAT(meet({{advertisement(std::string(40, '5')), sent}, Then::close}).message,
                AnyOf(HasSubstr("bad object"), HasSubstr("did not send all necessary objects")));
}

TEST_P(Hostile, SendsACommitWithoutItsFiles) {
    shell(fmt::format("git -C {0} rev-parse main | git -C {0} pack-objects -q --stdout >{1}", world_.hub(),
                      world_.path("bare-commit")));
    const std::string sent = band(1, world_.folder().read("bare-commit")) + "0000";
    EXPECT_THAT(meet({{advertisement(tip_), pkt_line("NAK\n") + sent}, Then::close}).message,
                AnyOf(HasSubstr("did not receive expected object"), HasSubstr("did not send all necessary objects")));
}

TEST_P(Hostile, FloodsRefs) {
#if defined(CULTIVAR_SANITIZED)
    GTEST_SKIP() << "a sanitized process has no limit of memory";
#endif
    limits_.memory_bytes = 64 << 20;
    const std::string first = pkt_line(fmt::format("{} refs/heads/main{}{}\n", tip_, '\0', kAbilities));
    auto more = [this, number = 0]() mutable {
        std::string refs;
        for (int i = 0; i < 2000; ++i) refs += pkt_line(fmt::format("{} refs/heads/x{:09}\n", tip_, number++));
        return refs;
    };
    const Error error = meet({{first}, Then::flood, more});
    EXPECT_THAT(error.message, HasSubstr("does not fit into 67108864 bytes of memory"));
    EXPECT_EQ(error.reason, Reason::too_large);
}

TEST_P(Hostile, FloodsMessages) {
    limits_.message_bytes = 1 << 20;
    const std::string message = band(2, std::string(999, 'x') + "\n");
    auto more = [&] { return message; };
    const Error error = meet({{advertisement(tip_), pkt_line("NAK\n")}, Then::flood, more});
    EXPECT_THAT(error.message, AnyOf(HasSubstr("said more than 1048576 bytes"),
                                     HasSubstr("sent more than 1048576 bytes of messages")));
    EXPECT_EQ(error.reason, Reason::too_large);
}

TEST_P(Hostile, DripsForEver) {
    limits_.total_s = 1;
    auto more = [&] {
        ::usleep(50'000);
        return band(2, "wait\n");
    };
    EXPECT_THAT(meet({{advertisement(tip_), pkt_line("NAK\n")}, Then::flood, more}).message,
                HasSubstr("not done after 1 s"));
}

TEST_P(Hostile, SendsMoreThanIsWanted) {
    std::string lines;
    for (int i = 0; i < 100'000; ++i) lines += fmt::format("{:x}\n", i * 2654435761U);
    commit_by_hand(world_.hub(), "refs/heads/main", {{"f", lines}}, tip_);
    limits_.fetch_bytes = 100'000;
    auto server = serve(Serve::daemon, world_.folder(), home_);
    const Error error = meet_at(server->url(world_.hub()));
    EXPECT_THAT(error.message, HasSubstr("sent more than 100000 bytes"));
    EXPECT_EQ(error.reason, Reason::too_large);
}

TEST_P(Hostile, IsBrokenForNow) {
    const Error error = meet({{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"}, Then::close}, "http");
    EXPECT_THAT(error.message, HasSubstr("503"));
    EXPECT_TRUE(may_pass(error));
}

TEST_P(Impatient, SaysNothingToAPush) {
    FakeServer server({{advertisement(tip_)}, Then::stay});
    git(world_.path("ann"), fmt::format("config remote.origin.url git://127.0.0.1:{}/pool.git", server.port()));
    auto pushed =
        transport(GetParam(), ann_.repo.git_dir(), limits_)->push("origin", {{"refs/heads/main", "refs/heads/x"}});
    EXPECT_THAT(trouble(pushed).message, HasSubstr("no progress"));
}

TEST_P(Hostile, BreaksOffAPush) {
    FakeServer server({{advertisement(tip_)}, Then::close});
    git(world_.path("ann"), fmt::format("config remote.origin.url git://127.0.0.1:{}/pool.git", server.port()));
    auto pushed =
        transport(GetParam(), ann_.repo.git_dir(), limits_)->push("origin", {{"refs/heads/main", "refs/heads/x"}});
    EXPECT_TRUE(pushed ? may_pass((*pushed)[0]) : may_pass(pushed.error()));
}

class Redirect : public ::testing::Test {
protected:
    static Error sent_to(const std::string& place) {
        World world;
        Home home(world.folder());
        FakeServer server(
            {{fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", place)}, Then::close});
        return trouble(libgit2_transport("")->list(fmt::format("http://127.0.0.1:{}/pool.git", server.port())));
    }
};

TEST_F(Redirect, ToAnotherHostIsNotFollowedByLibgit2) {
    EXPECT_THAT(sent_to("http://localhost:1/pool.git/info/refs?service=git-upload-pack").message,
                HasSubstr("cannot redirect"));
}

// libgit2 1.5 crashes on this one.
TEST_F(Redirect, ThatMakesNoSenseIsAnErrorAndNoMore) {
    EXPECT_EQ(sent_to("http://127.0.0.1:1/pool.git/info/refs").code, Code::git);
}

std::string name_of(const ::testing::TestParamInfo<By>& by) { return by.param == By::program ? "ByGit" : "ByLibgit2"; }
INSTANTIATE_TEST_SUITE_P(Every, Impatient, ::testing::Values(By::program, By::library), name_of);
INSTANTIATE_TEST_SUITE_P(Every, Hostile, ::testing::Values(By::program, By::library), name_of);

}  // namespace
}  // namespace cultivar
