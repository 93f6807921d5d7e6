// `cultivar clone`, `init` and `data import` as a user of git meets them: a work tree, nothing left of what was stopped,
// -C and GIT_DIR, words about misspelt names.
#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands/apart.h"
#include "pool/process/child_process.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

const std::string kProgram = std::string(CULTIVAR_PROGRAMS) + "/cultivar";

class CloneCommand : public ::testing::Test {
protected:
    CloneCommand() : ann_(world_.found("ann")) { git(world_.path("ann"), "push -q origin main"); }

    // Its output, both streams, and its exit code.
    std::string say(const std::string& words, const std::string& before = "") {
        return shell(fmt::format("cd '{}' && {} PATH='{}':\"$PATH\" cultivar {} 2>&1 </dev/null; echo \"exit $?\"",
                                 world_.folder().path(), before, CULTIVAR_PROGRAMS, words));
    }
    bool is_gone(const std::string& name) {
        for (int tries = 0; fs::exists(world_.path(name)) && tries < 400; ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return !fs::exists(world_.path(name));
    }

    World world_;
    Clone ann_;
};

TEST_F(CloneCommand, GivesAWorkTreeInWhichGitWorksAsUsual) {
    EXPECT_THAT(say("clone hub.git bob"), HasSubstr("exit 0"));
    const std::string bob = world_.path("bob");
    EXPECT_EQ(git(bob, "status --porcelain"), "");
    EXPECT_THAT(git(bob, "status"), HasSubstr("up to date with 'origin/main'"));
    EXPECT_EQ(must(read_file(bob + "/pool.toml")), to_toml(ann_.task));
    shell("echo '# a line' >>'" + bob + "/allowed_signers'");
    git(bob, "-c user.name=b -c user.email=b@b commit -q -a -m line");
    EXPECT_THAT(git(bob, "merge origin/main"), HasSubstr("Already up to date"));
    EXPECT_THAT(say("-C bob status"), HasSubstr("exit 0"));
}

TEST_F(CloneCommand, FollowsMainWithAPullUnlessAnEditIsInTheWay) {
    say("clone hub.git bob");
    const std::string bob = world_.path("bob");
    must(ann_.commit_main({{"README", "one\n"}}, "one"));
    git(world_.path("ann"), "push -q origin main");
    EXPECT_THAT(say("-C bob pull"), HasSubstr("exit 0"));
    EXPECT_EQ(must(read_file(bob + "/README")), "one\n");
    EXPECT_EQ(git(bob, "status --porcelain"), "");
    must(write_file_atomically(bob + "/README", "mine\n"));
    must(ann_.commit_main({{"README", "two\n"}}, "two"));
    git(world_.path("ann"), "push -q origin main");
    EXPECT_THAT(say("-C bob pull"), HasSubstr("exit 0"));
    EXPECT_EQ(must(read_file(bob + "/README")), "mine\n");
    EXPECT_THAT(git(bob, "status"), HasSubstr("behind 'origin/main' by 1 commit"));
}

// A link that leads out of the clone would have the next file written through it.
TEST_F(CloneCommand, LaysOutLinksAsPlainFiles) {
    shell("cd '" + world_.path("ann") +
          "' && ln -s /etc seeds && git add seeds && git -c user.name=a -c user.email=a@a " +
          "commit -q -m link && git push -q origin main");
    EXPECT_THAT(say("clone hub.git bob"), HasSubstr("exit 0"));
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(world_.path("bob/seeds"))));
    EXPECT_EQ(git(world_.path("bob"), "status --porcelain"), "");
}

// One blob, named ten times by a tree, which is named ten times by another, and so on: a few hundred bytes.
TEST_F(CloneCommand, LaysOutNothingOfAMainWithoutEnd) {
    shell(
        "cd '" + world_.path("ann") +
        "' && t=$(git rev-parse main^{tree}) && for i in 1 2 3 4 5 6; do t=$(for n in 0 1 2 3 4 5 6 7 8 9; do printf "
        "'040000 tree %s\\tf%s\\n' $t $n; done | git mktree); done && p=$(git rev-parse main:pool.toml) && "
        "t=$(printf '040000 tree %s\\tbomb\\n100644 blob %s\\tpool.toml\\n' $t $p | git mktree) && "
        "git -c user.name=a -c user.email=a@a commit-tree -p main -m bomb $t | xargs git update-ref refs/heads/main && "
        "git push -q origin main");
    EXPECT_THAT(say("clone hub.git bob"),
                AllOf(HasSubstr("main holds more files than a pool has"), HasSubstr("exit 0")));
    EXPECT_FALSE(fs::exists(world_.path("bob/bomb")));
}

TEST_F(CloneCommand, KilledLeavesNothingBehind) {
    // Its git kills it in the middle, without a chance to clean up.
    const std::string bin = world_.path("bin");
    fs::create_directories(bin);
    must(write_file_atomically(bin + "/git", "#!/bin/sh\nkill -KILL $PPID\n", 0755));
    const std::string killed =
        shell(fmt::format("cd '{}' && (PATH='{}':\"$PATH\" '{}' clone hub.git a/b/bob) 2>&1; echo \"exit $?\"",
                          world_.folder().path(), bin, kProgram));
    EXPECT_THAT(killed, HasSubstr("exit 137"));
    EXPECT_TRUE(is_gone("a"));
    fs::create_directories(world_.path("empty"));  // was there before
    shell(fmt::format("cd '{}' && (PATH='{}':\"$PATH\" '{}' clone hub.git empty) 2>&1; true", world_.folder().path(),
                      bin, kProgram));
    for (int tries = 0; !fs::is_empty(world_.path("empty")) && tries < 400; ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(fs::is_empty(world_.path("empty")));
}

TEST_F(CloneCommand, WithoutRoomLeavesNothingBehind) {
    shell("head -c 3000000 /dev/urandom >'" + world_.path("ann/big") + "' && cd '" + world_.path("ann") +
          "' && git add big && git -c user.name=a -c user.email=a@a commit -q -m big && git push -q origin main");
    EXPECT_THAT(shell(fmt::format("cd '{}' && (ulimit -f 1000; '{}' clone hub.git bob) 2>&1; echo \"exit $?\"",
                                  world_.folder().path(), kProgram)),
                Not(HasSubstr("exit 0")));
    EXPECT_TRUE(is_gone("bob"));
}

TEST_F(CloneCommand, NeverTouchesAFolderThatIsNotEmpty) {
    fs::create_directories(world_.path("mine"));
    must(write_file_atomically(world_.path("mine/work"), "x"));
    for (const char* words : {"clone hub.git mine", "init mine", "clone nowhere.git mine", "clone hub.git mine/work"})
        EXPECT_THAT(say(words), HasSubstr("exit 129")) << words;
    EXPECT_EQ(must(read_file(world_.path("mine/work"))), "x");
}

TEST_F(CloneCommand, InitTakesTheCurrentFolder) {
    fs::create_directories(world_.path("here"));
    EXPECT_THAT(shell(fmt::format("cd '{}' && '{}' init . 2>&1; echo \"exit $?\"", world_.path("here"), kProgram)),
                AllOf(HasSubstr("created the pool 'here'"), HasSubstr("exit 0")));
    EXPECT_THAT(say("init there/"), HasSubstr("created the pool 'there'"));
}

TEST_F(CloneCommand, GoesWhereEachFolderOptionLeadsAsGitDoes) {
    fs::create_directories(world_.path("ann/deep"));
    must(write_file_atomically(world_.path("ann/deep/idea.toml"), "[optim]\nlr = 0.1\n"));
    EXPECT_THAT(say("-C ann -C deep import idea.toml"), HasSubstr("exit 0"));
    EXPECT_THAT(say("-C ann status -C deep"), HasSubstr("exit 0"));
    EXPECT_THAT(say("-C nowhere top"), AllOf(HasSubstr("cannot change to 'nowhere'"), HasSubstr("exit 128")));
}

TEST_F(CloneCommand, TakesTheRepositoryThatGitDirNames) {
    EXPECT_THAT(say("status", "GIT_DIR=ann/.git"), AllOf(HasSubstr("ann.machine."), HasSubstr("exit 0")));
    EXPECT_THAT(say("status", "GIT_DIR=nowhere"), HasSubstr("exit 128"));
}

TEST_F(CloneCommand, SaysWhenANameIsNoneOfItsSettings) {
    git(world_.path("ann"), "config cultivar.wats 20");
    EXPECT_THAT(say("-C ann top", "CULTIVAR_THREDS=3"),
                AllOf(HasSubstr("'cultivar.wats' in git's configuration is no setting and does nothing, did you mean "
                                "'cultivar.watts'?"),
                      HasSubstr("'CULTIVAR_THREDS' in the environment is no setting and does nothing, did you mean "
                                "'CULTIVAR_THREADS'?"),
                      HasSubstr("exit 0")));
    EXPECT_THAT(say("-C ann top", "CULTIVAR_FROBNICATE=3"),
                HasSubstr("'CULTIVAR_FROBNICATE' in the environment is no setting and does nothing\n"));
    EXPECT_THAT(say("-C ann top", "CULTIVAR_WATTS=abc"), HasSubstr("exit 129"));
    EXPECT_THAT(say("-C ann trust --show", "CULTIVAR_WATTS=abc"), HasSubstr("exit 129"));
    git(world_.path("ann"), "config --unset cultivar.wats");
    git(world_.path("ann"), "config cultivar.signingkey ''");
    EXPECT_THAT(say("-C ann top", "CULTIVAR_URL=x CULTIVAR_LOG=off"), Not(HasSubstr("no setting")));
}

// A clone on a medium, or of another user: nothing of it can be written.
TEST_F(CloneCommand, IsLookedAtWhereNothingCanBeWritten) {
    const std::string one = run_by(ann_, {}, 2.0).candidate, two = run_by(ann_, {{"optim.lr", 0.1}}, 1.5).candidate;
    const std::string run = spool(ann_, run_by(ann_, {}, 2.0));
    spool(ann_, run_by(ann_, {{"optim.lr", 0.1}}, 1.5));
    const std::string read_only =
        "unshare -rm sh -c 'mount --bind ann ann && mount -o remount,bind,ro ann && exec \"$@\"' sh env ";
    if (say("version", read_only).find("exit 0") == std::string::npos) GTEST_SKIP() << "no mounts here";
    const auto state = [&] {
        return shell("cd '" + world_.path("ann") + "' && find . -printf '%p %i %s %T@\\n' | sort");
    };
    for (const bool has_index : {false, true}) {
        if (has_index) say("-C ann top");
        const std::string before = state();
        const std::vector<std::string> looks = {"top",   "log",         "status", "show " + one, "explain " + run,
                                                "genes", "contributors"};
        for (const std::string& words : looks) {
            const std::string said = say("-C ann " + words, read_only);
            EXPECT_THAT(said, HasSubstr("exit 0")) << words;
        }
        EXPECT_THAT(say("-C ann diff " + one + " " + two, read_only), HasSubstr("exit 1"));
        EXPECT_THAT(say("-C ann top", read_only), HasSubstr(two.substr(0, 8)));
        EXPECT_EQ(state(), before);
    }
}

// The command that makes room must work where there is none.
TEST_F(CloneCommand, IsLookedAtAndClearedOnAFullDisk) {
    const cultivar::Run one = run_by(ann_, {{"optim.lr", 0.1}}, 1.5);
    spool(ann_, one);
    say("-C ann top");
    fs::create_directories(world_.path("full"));
    const std::string full =
        "unshare -rm sh -c 'mount -t tmpfs -o size=4m tmpfs full && cp -a ann full/ && "
        "{ dd if=/dev/zero of=full/ballast bs=4k 2>/dev/null; exec \"$@\"; }' sh env ";
    if (say("version", full).find("exit 0") == std::string::npos) GTEST_SKIP() << "no mounts here";
    for (const char* words : {"top", "log", "status", "fsck", "gc"})
        EXPECT_THAT(say(std::string("-C full/ann ") + words, full),
                    AllOf(HasSubstr("its disk is full"), HasSubstr("exit 0")));
    EXPECT_THAT(say("-C full/ann top", full), HasSubstr(one.candidate.substr(0, 8)));
    EXPECT_THAT(say("-C full/ann pull", full), AllOf(HasSubstr("No space left"), HasSubstr("hint: df -h")));
}

TEST_F(CloneCommand, TopSaysThatThereIsNoSuchCategory) {
    spool(ann_, run_by(ann_, {}, 2.0));
    EXPECT_THAT(say("-C ann top --category=nope"), HasSubstr("nothing was scored in a category 'nope'"));
}

TEST_F(CloneCommand, ImportsNoDeviceAndOneAtATimeAndChangesNothingWhenItFails) {
    EXPECT_THAT(say("init young"), HasSubstr("exit 0"));
    const std::string state = world_.path("young/.git/cultivar/");
    EXPECT_THAT(say("-C young data import /dev/zero"), AllOf(HasSubstr("no regular file"), HasSubstr("exit 129")));
    shell("mkfifo '" + world_.path("pipe") + "'");
    EXPECT_THAT(say("-C young data import ../pipe"), AllOf(HasSubstr("no regular file"), HasSubstr("exit 129")));
    {
        FileLock lock = must(FileLock::acquire(state + "import.lock", "the other", 0));
        EXPECT_THAT(say("-C young data import ../ann/pool.toml"), AllOf(HasSubstr("the other"), HasSubstr("exit 75")));
    }
    fs::create_directories(state + "data.new");
    must(write_file_atomically(state + "data.new/half", "of an import that was killed"));
    fs::create_directories(state + "data");
    must(write_file_atomically(state + "data/train_000000.bin", "of before"));
    EXPECT_THAT(say("-C young data import ../ann/pool.toml"), HasSubstr("exit 129"));  // too short
    EXPECT_FALSE(fs::exists(state + "data.new"));
    EXPECT_EQ(must(read_file(state + "data/train_000000.bin")), "of before");
}

// A user who took the wrong file stops it so.
TEST_F(CloneCommand, ImportsNothingWhenItIsInterrupted) {
    say("init young");
    const std::string state = world_.path("young") + "/.git/cultivar/";
    shell("yes 'some words of a text that is read for a while' | head -c 300000000 >'" + world_.path("big.txt") + "'");
    const std::string script = fmt::format(
        "bash -c 'set -m; {} -C \"{}\" data import \"{}\" >/dev/null 2>&1 & import=$!\n"
        "until [[ -e \"{}import.lock\" ]] || ! kill -0 $import 2>/dev/null; do sleep 0.02; done\n"
        "kill -INT $import; wait $import; echo \"exit $?\"'",
        kProgram, world_.path("young"), world_.path("big.txt"), state);
    EXPECT_THAT(shell(script), HasSubstr("exit 130\n"));
    EXPECT_FALSE(fs::exists(state + "data.new"));
    EXPECT_THAT(say("-C young status --json"), HasSubstr("\"data_here\": false"));
    EXPECT_THAT(git(world_.path("young"), "status --porcelain"), Not(HasSubstr("pool.toml")));
}

TEST(Apart, EndsItsWorkWhenASignalComesAndPassesResultsAndErrorsOn) {
    std::atomic<int> signal{0};
    Context context;
    context.signal = &signal;
    const Json done = must(run_apart(context, [](const ApartProgress& progress) -> Result<Json> {
        progress("working", 0.5);
        return Json{{"answer", 42}};
    }));
    EXPECT_EQ(done["answer"], 42);
    const Error error = trouble(run_apart(
        context, [](const ApartProgress&) -> Result<Json> { return fail(Code::unfit, "too short", "a hint"); }));
    EXPECT_EQ(error.code, Code::unfit);
    EXPECT_EQ(error.message, "too short");
    EXPECT_EQ(error.hint, "a hint");
    signal = SIGINT;
    const auto for_ever = [](const ApartProgress&) -> Result<Json> {
        for (;;) ::pause();
    };
    EXPECT_EQ(trouble(run_apart(context, for_ever)).code, Code::interrupted);
    signal = 0;
    const auto crash = [](const ApartProgress&) -> Result<Json> {
        ::raise(SIGKILL);
        return Json();
    };
    EXPECT_THAT(trouble(run_apart(context, crash)).message, HasSubstr("signal 9"));
}

}  // namespace
}  // namespace cultivar
