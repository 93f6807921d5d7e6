#include "pool/clone/command_trust.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/task_parser.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Task task_with_command() {
    Task draft;
    draft.name = "mine";
    draft.created = "2026-11-21T03:40:00Z";
    draft.kind = kCommandKind;
    draft.metric = "score";
    return must(
        parse_task("[command]\nrun = [\"sh\", \"files/run.sh\", \"{specification}\"]\n[gene.x]\ntype = "
                   "\"boolean\"\ndefault = false\n",
                   "task.toml", &draft));
}

// A pool with `script` on main as files/run.sh, with its git mode.
class TrustTest : public ::testing::Test {
protected:
    TrustTest() { commit("echo one\n", "100644"); }

    void commit(const std::string& script, const std::string& mode) {
        const std::string repository = world_.path("pool");
        if (!made_) shell("git init -q -b main " + repository);
        made_ = true;
        commit_by_hand(repository, "refs/heads/main",
                       {{"pool.toml", to_toml(task_with_command())}, {"files/run.sh", script}}, "", mode);
    }
    Clone clone() const { return must(open_clone(world_.path("pool"))); }
    std::string copies() const { return world_.path("copies"); }

    World world_;
    bool made_ = false;
};

TEST_F(TrustTest, NothingRunsUntilItIsTrusted) {
    Error error = trouble(trusted_command(clone(), copies()));
    EXPECT_THAT(error.message, HasSubstr("not trusted on this machine"));
    EXPECT_EQ(error.hint, "cultivar trust");
    EXPECT_FALSE(must(is_command_trusted(clone())));
    struct stat facts {};
    EXPECT_NE(::stat(copies().c_str(), &facts), 0) << "a file of the pool was copied out before it was trusted";
}

TEST_F(TrustTest, WhatIsTrustedRunsFromACopyOfTheFileOnMain) {
    must(pin_command(clone()));
    const std::string copy = copies() + "/files/run.sh";
    EXPECT_THAT(must(trusted_command(clone(), copies())), ElementsAre("sh", copy, "{specification}"));
    EXPECT_EQ(must(read_file(copy)), "echo one\n");
    struct stat facts {};
    ASSERT_EQ(::stat(copy.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0700U);
}

TEST_F(TrustTest, AFileThatChangedOnMainWaitsUntilItIsTrustedAgain) {
    must(pin_command(clone()));
    commit("echo two\n", "100644");
    EXPECT_THAT(trouble(trusted_command(clone(), copies())).message, HasSubstr("it changed"));
    must(pin_command(clone()));
    EXPECT_TRUE(must(is_command_trusted(clone())));
    must(trusted_command(clone(), copies()));
    EXPECT_EQ(must(read_file(copies() + "/files/run.sh")), "echo two\n");
}

// A path may be spelt in many ways, and a script may find its neighbours.
TEST_F(TrustTest, EveryFileThatThePathsOfTheCommandLeadToIsCovered) {
    const std::string pool = world_.path("pool");
    const auto main_with = [&](const std::string& word, const std::vector<std::pair<std::string, std::string>>& more) {
        std::vector<std::pair<std::string, std::string>> files = {{"files/run.sh", "echo one\n"},
                                                                  {"lib/a.sh", "echo a\n"}};
        Task task = task_with_command();
        task.command->run = {"sh", word};
        files.emplace_back("pool.toml", to_toml(task));
        for (const auto& file : more) {
            std::erase_if(files, [&](const auto& one) { return one.first == file.first; });
            files.push_back(file);
        }
        commit_by_hand(pool, "refs/heads/main", files);
    };
    for (const std::string& word : {std::string("./files/run.sh"), std::string(".//files//run.sh"),
                                    pool + "/files/run.sh", std::string("../pool/files/run.sh"),
                                    std::string("lib/../files/run.sh"), std::string("-cexec ./files/run.sh; true")}) {
        main_with(word, {});
        must(pin_command(clone()));
        EXPECT_TRUE(must(is_command_trusted(clone()))) << word;
        main_with(word, {{"README.md", "read me"}, {"files/run.sh", "echo one\n"}});
        EXPECT_TRUE(must(is_command_trusted(clone()))) << word << ": a file that it cannot reach";
        main_with(word, {{"files/run.sh", "echo two\n"}});
        EXPECT_FALSE(must(is_command_trusted(clone()))) << word;
        EXPECT_THAT(must(changes_since_trust(clone())), ElementsAre("files/run.sh changed"));
        EXPECT_FALSE(trusted_command(clone(), copies())) << word;
        main_with(word, {{"files/beside.sh", "echo"}});
        EXPECT_THAT(must(changes_since_trust(clone())), ElementsAre("files/beside.sh is new"));
    }
    for (const std::string& word : {std::string("lib/a.sh"), std::string("./lib"), std::string(". ./lib/a.sh && x")}) {
        main_with(word, {});
        must(pin_command(clone()));
        main_with(word, {{"lib/a.sh", "echo b\n"}});
        EXPECT_FALSE(must(is_command_trusted(clone()))) << word;
    }
}

TEST_F(TrustTest, AFileOfThePoolRunsFromItsCopyHoweverItIsSpelt) {
    Task task = task_with_command();
    task.command->run = {"sh", "./files//run.sh"};
    commit_by_hand(world_.path("pool"), "refs/heads/main",
                   {{"pool.toml", to_toml(task)}, {"files/run.sh", "echo one\n"}});
    must(pin_command(clone()));
    EXPECT_THAT(must(trusted_command(clone(), copies())), ElementsAre("sh", copies() + "/files/run.sh"));
}

// As versions before pinned it.
TEST_F(TrustTest, ACommandWithoutFurtherFilesKeepsItsDigest) {
    must(pin_command(clone()));
    const std::string pin = shell("head -1 " + world_.path("state") + "/cultivar/trust/*");
    EXPECT_EQ(pin, command_digest(*clone().task.command) + "\n");
    shell("sed -i 4,99d " + world_.path("state") + "/cultivar/trust/*");
    EXPECT_TRUE(must(is_command_trusted(clone())));
    EXPECT_THAT(must(changes_since_trust(clone())), ::testing::IsEmpty());
}

Task task_with_choices(const std::string& choices) {
    Task draft;
    draft.format = 2;
    draft.name = "mine";
    draft.created = "2026-11-21T03:40:00Z";
    draft.kind = kCommandKind;
    return must(
        parse_task("[command]\nrun = [\"g++\", \"{gene.flag}\"]\n[gene.flag]\ntype = \"choice\"\ndefault = "
                   "\"-O2\"\nchoices = [" +
                       choices + "]\n",
                   "task.toml", &draft));
}

// A pool may add choices, and the task stays the same; what runs does not.
TEST_F(TrustTest, AChoiceThatMayStandInTheCommandIsCovered) {
    const auto commit_choices = [&](const std::string& choices) {
        commit_by_hand(world_.path("pool"), "refs/heads/main", {{"pool.toml", to_toml(task_with_choices(choices))}}, "",
                       "100644");
    };
    commit_choices("\"-O2\"");
    const std::string task = clone().task_id;
    ASSERT_TRUE(pin_command(clone()));
    EXPECT_TRUE(must(is_command_trusted(clone())));
    commit_choices("\"-O2\", \"-fplugin=evil.so\"");
    EXPECT_EQ(clone().task_id, task);
    EXPECT_FALSE(must(is_command_trusted(clone())));
}

TEST_F(TrustTest, RevokedIsNotTrusted) {
    must(revoke_command_trust(clone()));
    must(pin_command(clone()));
    must(revoke_command_trust(clone()));
    EXPECT_FALSE(must(is_command_trusted(clone())));
}

TEST_F(TrustTest, AnExecutableFileIsTheSameCommandAndALinkIsNone) {
    const std::string id = clone().task_id;
    commit("echo one\n", "100755");
    EXPECT_THAT(trouble(open_clone(world_.path("pool"))).message, HasSubstr("pool.toml"));  // not an executable
    const std::string repository = world_.path("pool");
    const Oid blob = git(repository, "rev-parse main:files/run.sh").substr(0, 40);
    const Oid plain = commit_by_hand(repository, "refs/heads/main", {{"pool.toml", to_toml(task_with_command())}});
    for (const char* mode : {"100755", "120000"}) {
        const std::string index = "GIT_INDEX_FILE=" + world_.path("index") + " git -C " + repository + " ";
        shell(index + "read-tree " + plain + " && " + index + "update-index --add --cacheinfo " + mode + "," + blob +
              ",files/run.sh && git -C " + repository + " update-ref refs/heads/main $(git -C " + repository +
              " commit-tree -m x $(" + index + "write-tree))");
        auto opened = open_clone(repository);
        if (std::string(mode) == "100755")
            EXPECT_EQ(must(std::move(opened)).task_id, id);
        else
            EXPECT_THAT(trouble(opened).message, HasSubstr("not a plain file"));
    }
}

TEST_F(TrustTest, AFileThatMainDoesNotHaveIsSaid) {
    commit_by_hand(world_.path("pool"), "refs/heads/main", {{"pool.toml", to_toml(task_with_command())}});
    EXPECT_THAT(trouble(open_clone(world_.path("pool"))).message, HasSubstr("main has no 'files/run.sh'"));
}

TEST_F(TrustTest, DoesNotComeWithACopiedMovedOrRemadeFolder) {
    must(pin_command(clone()));
    EXPECT_TRUE(must(is_command_trusted(clone())));
    shell("cp -a " + world_.path("pool") + " " + world_.path("copy"));
    EXPECT_FALSE(must(is_command_trusted(must(open_clone(world_.path("copy"))))));
    shell("mv " + world_.path("pool") + " " + world_.path("moved"));
    EXPECT_FALSE(must(is_command_trusted(must(open_clone(world_.path("moved"))))));
    shell("mv " + world_.path("copy") + " " + world_.path("pool"));  // another folder at the path that was trusted
    EXPECT_FALSE(must(is_command_trusted(clone())));
    EXPECT_THAT(trouble(trusted_command(clone(), copies())).message, HasSubstr("does not count here"));
    must(pin_command(clone()));
    EXPECT_TRUE(must(is_command_trusted(clone())));
}

TEST_F(TrustTest, APinInTheCloneItselfCountsNotAndGoesWithTheNext) {
    const Clone pool = clone();
    const std::string pin = pool.state_dir + "trust";  // as versions before wrote it, and as a stranger may pack it
    must(write_file_atomically(pin, command_digest(*pool.task.command) + "\n"));
    EXPECT_FALSE(must(is_command_trusted(clone())));
    EXPECT_THAT(trouble(trusted_command(clone(), copies())).message, HasSubstr("by an earlier version"));
    must(pin_command(clone()));
    EXPECT_TRUE(must(is_command_trusted(clone())));
    EXPECT_FALSE(std::filesystem::exists(pin));
}

TEST_F(TrustTest, APinOfAnotherUserCountsNot) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    must(pin_command(clone()));
    shell("chown 65534 " + world_.path("state") + "/cultivar/trust/*");
    EXPECT_FALSE(must(is_command_trusted(clone())));
}

TEST_F(TrustTest, IsKeptInThePersonsHomeWithoutAStateFolderAndInPrivate) {
    ::unsetenv("XDG_STATE_HOME");
    const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
    ::setenv("HOME", world_.path("home").c_str(), 1);
    must(pin_command(clone()));
    EXPECT_TRUE(must(is_command_trusted(clone())));
    EXPECT_EQ(shell("stat -c %a " + world_.path("home") + "/.local/state/cultivar/trust"), "700\n");
    ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace cultivar
