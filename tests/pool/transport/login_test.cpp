// Tests authentication of users and hosts, by passwords and keys, with git and with libgit2.
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "tests/pool/support/servers.h"

namespace cultivar {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Login : public ::testing::TestWithParam<By> {
protected:
    Login() : home_(world_.folder()), ann_(world_.found("ann")) { git(world_.hub(), "fetch -q ../ann main:main"); }

    bool start(Serve how) {
        if (!missing_for(how).empty()) return false;
        server_ = serve(how, world_.folder(), home_);
        url_ = server_->url(world_.hub());
        return true;
    }
    Result<RemoteRefs> list(const std::string& url) { return transport(GetParam(), ann_.repo.git_dir())->list(url); }
    // Git and libgit2 both read it from the home folder, so it is no setting of this process alone.
    void configure(const std::string& lines) {
        home_.append(".gitconfig", lines);
        if (!global_) global_ = std::make_unique<ServerSetting>("GIT_CONFIG_GLOBAL", home_.path(".gitconfig"));
    }
    void use_key(const std::string& file) {
        home_.append(".ssh/config", fmt::format("Host *\n  IdentityFile {}\n  UserKnownHostsFile {}\n", file,
                                                home_.path(".ssh/known_hosts")));
    }
    void allow(const std::string& name) {
        home_.append("authorized_keys", world_.folder().read("home/" + name + ".pub"));
    }

    World world_;
    Home home_;
    Clone ann_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<ServerSetting> global_;
    std::string url_;
};

#define START(how) \
    if (!start(how)) GTEST_SKIP() << missing_for(how)

TEST_P(Login, GivesThePasswordOfTheUrl) {
    START(Serve::http);
    EXPECT_TRUE(list(http_url_with(url_, "ann:s3cret%20pass")));
    const Error error = trouble(list(http_url_with(url_, "ann:wrong")));
    EXPECT_EQ(error.code, Code::git);
    EXPECT_THAT(error.message, HasSubstr("uthentication failed"));
}

TEST_P(Login, AsksTheUsersCredentialHelpers) {
    START(Serve::http);
    EXPECT_THAT(trouble(list(url_)).message,
                AnyOf(HasSubstr("uthentication failed"), HasSubstr("could not read Username")));
    const std::string helper = world_.folder().write("helper",
                                                     "#!/bin/sh\nall=$(cat)\ncase $1/$all in get/*host=127.0.0.1*) "
                                                     "echo username=ann; echo 'password=s3cret pass';; esac\n");
    std::filesystem::permissions(helper, std::filesystem::perms::owner_all);
    configure(fmt::format("[credential]\n\thelper = !false\n\thelper = {}\n", helper));
    EXPECT_TRUE(list(url_));
}

TEST_P(Login, AsksAHelperOnlyAboutTheHostThatItIsFor) {
    START(Serve::http);
    const std::string helper = "\"!cat >/dev/null; echo username=ann; echo password='s3cret pass'; true\"";
    configure(fmt::format("[credential \"http://example.org\"]\n\thelper = {}\n", helper));
    EXPECT_FALSE(list(url_));
    configure(fmt::format("[credential \"{}\"]\n\thelper = {}\n", url_.substr(0, url_.find("/git/")), helper));
    EXPECT_TRUE(list(url_));
}

TEST_P(Login, GivesUpWhenTheHelpersPasswordIsWrong) {
    START(Serve::http);
    configure("[credential]\n\thelper = \"!cat >/dev/null; echo username=ann; echo password=wrong; true\"\n");
    EXPECT_THAT(trouble(list(url_)).message, HasSubstr("uthentication failed"));
}

TEST_P(Login, TakesAnEd25519KeyFile) {
    START(Serve::ssh);
    use_key(home_.make_key("key", "ed25519"));
    EXPECT_THAT(trouble(list(url_)).message, AnyOf(HasSubstr("ermission denied"), HasSubstr("rejected all SSH keys")));
    allow("key");
    EXPECT_TRUE(list(url_));
}

TEST_P(Login, TakesAnRsaKeyFileOrSaysWhatToDo) {
    START(Serve::ssh);
    use_key(home_.make_key("key", "rsa"));
    allow("key");
    auto listed = list(url_);
    if (GetParam() == By::program) {
        EXPECT_TRUE(listed);
    }
    if (listed) return;
    EXPECT_THAT(listed.error().message, HasSubstr("an RSA key needs the git program"));
    EXPECT_EQ(listed.error().hint, "ssh-keygen -t ed25519");
}

TEST_P(Login, TakesAKeyOfTheAgentAndThenTheFiles) {
    START(Serve::ssh);
    const std::string socket = home_.path("agent");
    Child agent = must(Child::start({"ssh-agent", "-D", "-a", socket}, 0));
    while (!std::filesystem::exists(socket)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ServerSetting there("SSH_AUTH_SOCK", socket);
    home_.make_key("held", "ed25519");
    use_key(home_.make_key("file", "ed25519"));
    allow("file");
    EXPECT_TRUE(list(url_)) << "an agent without keys";
    shell("ssh-add -q " + home_.make_key("other", "ed25519"));
    EXPECT_TRUE(list(url_)) << "an agent with another key";
    std::filesystem::remove(home_.path("authorized_keys"));
    allow("held");
    EXPECT_FALSE(list(url_));
    shell("ssh-add -q " + home_.path("held"));
    EXPECT_TRUE(list(url_));
}

TEST_P(Login, KnowsTheAliasesOfTheUsersSshConfiguration) {
    START(Serve::ssh);
    use_key(home_.make_key("key", "ed25519"));
    allow("key");
    EXPECT_TRUE(list("hub:" + world_.hub()));
    EXPECT_TRUE(list("ssh://hub" + world_.hub()));
    // Relative to the home folder that sshd knows.
    EXPECT_TRUE(list("hub:" + std::filesystem::relative(world_.hub(), ::getpwuid(::geteuid())->pw_dir).string()));
    home_.append(".ssh/config", "Host far\n  HostName 127.0.0.1\n  ProxyCommand false\n");
    EXPECT_FALSE(list("far:" + world_.hub()));
}

TEST_P(Login, TrustsNoHostThatIsNotKnown) {
    START(Serve::ssh);
    use_key(home_.make_key("key", "ed25519"));
    allow("key");
    const std::string known = world_.folder().read("home/.ssh/known_hosts");
    std::filesystem::remove(home_.path(".ssh/known_hosts"));
    EXPECT_THAT(trouble(list(url_)).message,
                AnyOf(HasSubstr("Host key verification failed"), HasSubstr("host key of")));
    home_.make_key("stranger", "ed25519");
    home_.append(".ssh/known_hosts", known.substr(0, known.find(' ') + 1) + world_.folder().read("home/stranger.pub"));
    EXPECT_THAT(trouble(list(url_)).message,
                AnyOf(HasSubstr("Host key verification failed"), HasSubstr("host key of")));
    std::filesystem::remove(home_.path(".ssh/known_hosts"));
    home_.append(".ssh/known_hosts", known);
    EXPECT_TRUE(list(url_));
}

INSTANTIATE_TEST_SUITE_P(Every, Login, ::testing::Values(By::program, By::library),
                         [](const auto& by) { return by.param == By::program ? "ByGit" : "ByLibgit2"; });

}  // namespace
}  // namespace cultivar
