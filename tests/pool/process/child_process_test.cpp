#include "pool/process/child_process.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pool/process/keeper.h"
#include "pool/process/unless_finished.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

// Reads everything that a child writes until it closes the stream.
std::string all_of(int fd) {
    ::fcntl(fd, F_SETFL, 0);
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    return text;
}

Child sh(const std::string& script) { return must(Child::start({"sh", "-c", script}, 0)); }

TEST(Child, GivesItsOutputItsErrorsAndItsExitCode) {
    Child child = sh("echo out; echo err >&2; exit 7");
    EXPECT_EQ(all_of(child.output()), "out\n");
    EXPECT_EQ(all_of(child.error_output()), "err\n");
    while (!child.has_ended()) std::this_thread::yield();
    Child::End end = child.reap();
    EXPECT_EQ(end.exit_code, 7);
    EXPECT_EQ(end.signal, 0);
}

bool is_there(const std::string& path) { return std::filesystem::exists(path); }

template <typename Ready>
bool comes(const Ready& ready) {
    for (int tries = 0; tries < 400 && !ready(); ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return ready();
}

// A process that nobody has waited for yet has ended all the same.
bool is_running(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    return !text.empty() && text.find(") Z") == std::string::npos;
}

// Runs `body` in a process that then kills itself.
void in_a_process_that_is_killed(const std::function<void()>& body) {
    const pid_t process = ::fork();
    if (process == 0) {
        body();
        ::kill(::getpid(), SIGKILL);
    }
    ::waitpid(process, nullptr, 0);
}

// The signals that this process's only child ignores, as a mask; 0: it has none.
std::uint64_t ignored_by_child() {
    std::ifstream children("/proc/self/task/" + std::to_string(::gettid()) + "/children");
    int child = 0;
    if (!(children >> child)) return 0;
    std::ifstream status("/proc/" + std::to_string(child) + "/status");
    for (std::string word; status >> word;) {
        if (word == "SigIgn:" && status >> word) return std::stoull(word, nullptr, 16);
    }
    return 0;
}

// A scheduler signals every process of a job.
TEST(Keeper, PassesOverEverySignalToStop) {
    Keeper keeper = must(Keeper::start([] {}));
    const auto ignores = [](int signal) { return (ignored_by_child() >> (signal - 1) & 1) != 0; };
    ASSERT_TRUE(comes([&] { return ignores(SIGQUIT); }));  // the last
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) EXPECT_TRUE(ignores(signal)) << signal;
}

TEST(Keeper, DoesItsDutyWhenItsProcessIsKilledAndOnlyThen) {
    const TempFolder folder;
    const auto touch = [&](const char* name) {
        return [path = folder.file(name)] { ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); };
    };
    in_a_process_that_is_killed([&] {
        Keeper kept = must(Keeper::start(touch("killed")));
        ::kill(::getpid(), SIGKILL);
    });
    EXPECT_TRUE(comes([&] { return is_there(folder.file("killed")); }));
    must(Keeper::start(touch("called off"))).call_off();
    must(Keeper::start(touch("now"))).do_it_now();
    EXPECT_FALSE(is_there(folder.file("called off")));
    EXPECT_TRUE(is_there(folder.file("now")));
}

TEST(Child, NeverOutlivesItsKilledParentEvenIfItPassesOverEverySignalToStop) {
    const TempFolder folder;
    in_a_process_that_is_killed([&] {
        const std::string script =
            "trap '' TERM; echo $$ >'" + folder.file("pid") + "'; kill -KILL $PPID; while :; do sleep 1; done";
        const ChildPlace place{{}, {}, 0.2};
        Child child = must(Child::start({"sh", "-c", script}, 0, {}, nullptr, place));
        comes([&] { return child.has_ended(); });
    });
    const int stubborn = std::stoi(folder.read("pid"));
    EXPECT_TRUE(comes([&] { return !is_running(stubborn); }));
}

TEST(UnlessFinished, RemovesWhatItsProcessLeftHalfDone) {
    const TempFolder folder;
    in_a_process_that_is_killed([&] {
        UnlessFinished made = must(UnlessFinished::make(folder.file("a/b/c")));
        std::filesystem::create_directories(made.path() + "/d/e");
        ::kill(::getpid(), SIGKILL);
    });
    EXPECT_TRUE(comes([&] { return !is_there(folder.file("a")); }));
    for (const char* name : {"good", "empty"}) {
        if (name == std::string("empty")) std::filesystem::create_directory(folder.file(name));
        UnlessFinished made = must(UnlessFinished::make(folder.file(name)));
        for (const char* inner : {"/d", "/.git"}) std::filesystem::create_directories(made.path() + inner);
        must(made.finish());
    }
    EXPECT_EQ(shell("cd " + folder.path() + " && find . | sort"),
              ".\n./empty\n./empty/.git\n./empty/d\n./good\n./good/.git\n./good/d\n");
}

// While a clone is under way, its folder may be moved away, and another may come to lie there.
TEST(UnlessFinished, RemovesOnlyWhatItMade) {
    const TempFolder folder;
    std::filesystem::create_directory(folder.file("precious"));
    folder.write("precious/file", "kept");
    {
        const UnlessFinished made = must(UnlessFinished::make(folder.file("way/new")));
        std::filesystem::create_directory_symlink(folder.file("precious"), made.path() + "/link");
        std::filesystem::create_directory(folder.file("way/new"));
        folder.write("way/new/of another", "kept");
    }
    EXPECT_EQ(folder.read("way/new/of another"), "kept");
    EXPECT_EQ(folder.read("precious/file"), "kept");
    {
        const UnlessFinished made = must(UnlessFinished::make(folder.file("moved")));
        std::filesystem::rename(made.path(), folder.file("elsewhere"));
        std::filesystem::create_directory_symlink(folder.file("precious"), made.path());
    }
    {
        const UnlessFinished made = must(UnlessFinished::make(folder.file("gone/new")));
        std::filesystem::rename(folder.file("gone"), folder.file("kept"));
        std::filesystem::create_directory_symlink(folder.file("precious"), folder.file("gone"));
        std::filesystem::create_directory(folder.file("precious/new"));
    }
    EXPECT_TRUE(is_there(folder.file("precious/new")));
    EXPECT_EQ(folder.read("precious/file"), "kept");
    EXPECT_TRUE(is_there(folder.file("elsewhere")));
}

TEST(UnlessFinished, ReplacesNothingThatCameMeanwhile) {
    const TempFolder folder;
    UnlessFinished made = must(UnlessFinished::make(folder.file("new")));
    std::filesystem::create_directory(folder.file("new"));
    folder.write("new/file", "kept");
    EXPECT_EQ(trouble(made.finish()).code, Code::io);
    std::filesystem::create_directory(folder.file("empty"));
    UnlessFinished filled = must(UnlessFinished::make(folder.file("empty")));
    for (const char* name : {"/a", "/b", "/.git"}) std::filesystem::create_directory(filled.path() + name);
    folder.write("empty/b", "kept");
    EXPECT_EQ(trouble(filled.finish()).code, Code::io);
    EXPECT_FALSE(is_there(folder.file("empty/a")));
    EXPECT_EQ(folder.read("empty/b"), "kept");
    EXPECT_EQ(folder.read("new/file"), "kept");
}

TEST(Child, ThatCannotBeStartedIsAnErrorAtOnce) {
    EXPECT_EQ(trouble(Child::start({"no-such-program-anywhere"}, 0)).code, Code::not_found);
    EXPECT_EQ(trouble(Child::start({"/"}, 0)).code, Code::io);
    EXPECT_EQ(trouble(Child::start({}, 0)).code, Code::usage);
}

TEST(Child, InheritsNoDescriptorAndNoBlockedSignal) {
    int leak = ::open("/dev/null", O_RDONLY);
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Child child = sh("ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status | cut -f2");
    ::sigemptyset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    EXPECT_EQ(all_of(child.output()), "4\n0000000000000000\n");  // 0, 1, 2 and the folder that ls reads
    ::close(leak);
}

bool writes(const std::string& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    return file >= 0 && ::write(file, "x", 1) == 1;
}

TEST(Child, CopyInASandboxWritesOnlyWhereItMay) {
    if (kernel_parts().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
    const TempFolder folder;
    std::filesystem::create_directory(folder.file("own"));
    folder.write("file", "");
    SandboxRules rules;
    rules.read = {folder.path()};
    rules.write = {folder.file("own"), folder.file("file"), folder.file("absent")};
    const Sandbox sandbox = must(Sandbox::prepare(rules));
    Child child = must(Child::copy(
        [&] {
            const bool may = writes(folder.file("own/new")) && writes(folder.file("file"));
            return may && !writes(folder.file("new")) && !writes(folder.file("absent")) ? 0 : 1;
        },
        {}, &sandbox));
    while (!child.has_ended()) std::this_thread::yield();
    EXPECT_EQ(child.reap().exit_code, 0);
}

TEST(Child, CopyInASandboxReportsWhatItTries) {
    if (!kernel_parts().reports) GTEST_SKIP() << "this kernel does not report";
    const Sandbox sandbox = must(Sandbox::prepare({}));
    Child child = must(Child::copy([] { return ::fork() < 0 ? 0 : 1; }, {}, &sandbox));
    std::optional<Attempt> attempt;
    while (!child.has_ended() && !attempt) attempt = child.attempt();
    ASSERT_TRUE(attempt);
    EXPECT_EQ(text_of(*attempt), "tried to start another process");
    while (!child.has_ended()) std::this_thread::yield();
    EXPECT_EQ(child.reap().exit_code, 0);
}

TEST(Child, ThatLeftItsGroupIsReapedAllTheSame) {
    Child child = must(Child::copy(
        [] {
            const bool left = ::setpgid(0, ::getpgid(::getppid())) == 0;
            if (::write(STDOUT_FILENO, left ? "y" : "n", 1) == 1) ::pause();
            return 1;
        },
        {}));
    pollfd stream{child.output(), POLLIN, 0};
    ASSERT_EQ(::poll(&stream, 1, 60'000), 1);
    char said = 0;
    ASSERT_EQ(::read(child.output(), &said, 1), 1);
    EXPECT_EQ(said, 'y');
    EXPECT_EQ(child.reap().signal, SIGKILL);
}

TEST(Child, IsEndedWhenItTakesMoreProcessorTimeThanItMay) {
    Child child = must(Child::start({"sh", "-c", "while :; do :; done"}, 0, {0, 0, 1}));
    while (!child.has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(child.reap().signal, SIGXCPU);
}

TEST(Child, TakesItsWholeGroupAlongWhenItIsReaped) {
    Child child = sh("trap '' TERM; sleep 600 & echo up; wait");
    pollfd stream{child.output(), POLLIN, 0};
    ASSERT_EQ(::poll(&stream, 1, 60'000), 1);
    char buffer[16];
    ASSERT_EQ(::read(child.output(), buffer, sizeof buffer), 3);
    EXPECT_FALSE(child.has_ended());
    EXPECT_EQ(child.reap().signal, SIGKILL);
    // The sleeper held the stream too: it ends only when both are gone.
    ASSERT_EQ(::poll(&stream, 1, 60'000), 1);
    EXPECT_EQ(::read(child.output(), buffer, sizeof buffer), 0);
}

}  // namespace
}  // namespace cultivar
