// Tests a hostile worker in its sandbox: every attack is stopped and reported.
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"
#include "train/launch/confinement.h"
#include "train/launch/trainer_process.h"

namespace cultivar {
namespace {

using How = Outcome::How;
using testing::HasSubstr;

constexpr std::int64_t kMemory_bytes = 192 << 20, kFile_bytes = 8 << 20, kFolder_bytes = 64 << 20;

class SandboxTest : public testing::Test {
protected:
    SandboxTest() {
        program_ = folder_.file("cultivar-lm");
        std::filesystem::copy_file(CULTIVAR_HOSTILE_LM, program_);
        std::filesystem::create_directory(folder_.file("work"));
        std::filesystem::create_directory(folder_.file("home"));
        folder_.write("home/id_ed25519", "secret");
        options_.command = {program_};
        options_.spec_path = folder_.write("spec.json", "{}");
        options_.log_path = folder_.file("log");
        options_.hang_s = 60;
        options_.wall_limit_s = 60;
        options_.grace_s = 10;
        Specification specification;
        specification.work_dir = folder_.file("work");
        specification.threads = 1;
        confine(options_, specification);
        options_.limits = {kMemory_bytes, kFile_bytes, 30};
        options_.work_dir_bytes = kFolder_bytes;
    }

    Outcome attack(const std::string& name, const std::string& target = "") {
        ::setenv("CULTIVAR_ATTACK", name.c_str(), 1);
        ::setenv("CULTIVAR_TARGET", target.c_str(), 1);
        ::setenv("SOME_TOKEN", "secret", 1);
        std::filesystem::remove(options_.log_path);  // may belong to another user
        const auto outcome = run_trainer(
            options_, clock_, [](const Event&) { return Advice::go_on; }, [] { return false; });
        EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
        return outcome ? *outcome : Outcome{};
    }

    // The attack was stopped and named.
    void expect_reported(const std::string& name, const std::string& tried, const std::string& target = "") {
        const Outcome outcome = attack(name, target);
        EXPECT_EQ(outcome.how, How::died) << name;
        EXPECT_THAT(outcome.message, HasSubstr(tried)) << name;
        EXPECT_FALSE(outcome.done) << name;
    }
    // The system call failed with its own error.
    void expect_refused(const std::string& name, const std::string& target = "") {
        const Outcome outcome = attack(name, target);
        EXPECT_EQ(outcome.how, How::error_event) << name << ": " << outcome.message;
        EXPECT_THAT(outcome.message, testing::AnyOf(HasSubstr("not permitted"), HasSubstr("denied"),
                                                    HasSubstr("Bad file descriptor"), HasSubstr("Read-only")))
            << name;
    }
    void expect_possible(const std::string& name, const std::string& target = "") {
        const Outcome outcome = attack(name, target);
        EXPECT_EQ(outcome.how, How::done) << name << ": " << outcome.message;
    }
    std::string key() const { return folder_.file("home/id_ed25519"); }

    void expect_files_closed() {
        for (const char* way : {"read", "write", "delete", "move"}) expect_refused(way, key());
        expect_refused("write", folder_.file("home/new"));
        expect_refused("write", folder_.file("spec.json"));
        expect_refused("link", folder_.file("work/link"));
        EXPECT_EQ(folder_.read("home/id_ed25519"), "secret");
        EXPECT_FALSE(std::filesystem::exists(folder_.file("home/new")));
    }
    void expect_usable() {
        expect_possible("nothing");
        expect_possible("write", folder_.file("work/artifact"));
        expect_possible("read", folder_.file("work/artifact"));
        expect_possible("read", options_.spec_path);
    }

    TempFolder folder_;
    SystemClock clock_;
    LaunchOptions options_;
    std::string program_;
};

bool reports() { return kernel_parts().reports; }
bool landlocked() { return kernel_parts().landlock > 0; }

TEST_F(SandboxTest, LetsAWorkerDoItsWork) { expect_usable(); }

TEST_F(SandboxTest, StopsAWorkerThatTriesWhatNoHonestOneDoesAndSaysWhat) {
    if (!reports()) GTEST_SKIP() << "this kernel does not report";
    expect_reported("network", "tried to reach the network");
    expect_reported("fork", "tried to start another process");
    expect_reported("clone", "tried to start another process");
    expect_reported("program", "tried to start another program");
    expect_reported("itself", "tried to start another program");
    expect_reported("signal", "tried to signal another process");
    expect_reported("ptrace", "tried to look into another process");
    expect_reported("mount", "tried to change the system");
    expect_reported("namespace", "tried to change the system");
    expect_usable();
}

TEST_F(SandboxTest, RefusesTheSameWhereTheKernelCannotReport) {
    if (!kernel_parts().seccomp) GTEST_SKIP() << "this kernel has no seccomp";
    options_.parts.reports = false;
    for (const char* name : {"network", "fork", "clone", "program", "itself", "signal", "ptrace", "mount", "namespace"})
        expect_refused(name);
    expect_usable();
}

TEST_F(SandboxTest, RefusesWhatLibrariesMayAskForInInnocence) {
    if (!kernel_parts().seccomp) GTEST_SKIP() << "this kernel has no seccomp";
    for (const char* name :
         {"local socket", "more descriptors", "group", "signal by a file", "a chosen signal by a file"})
        expect_refused(name);
}

TEST_F(SandboxTest, LeavesPrioritiesAndProcessorsOfOthersAlone) {
    if (!kernel_parts().seccomp) GTEST_SKIP() << "this kernel has no seccomp";
    for (const char* name :
         {"renice", "renice group", "renice user", "pin", "batch", "disk priority", "disk priority of all", "hide"})
        expect_refused(name);
    for (const char* name : {"renice itself", "pin itself"}) expect_possible(name);
}

TEST_F(SandboxTest, CountsFilesThatNoFolderNamesAnyMore) {
    options_.limits = {std::int64_t{1} << 30, kFile_bytes, 30};
    for (const char* name : {"unseen files", "unseen mapped files"}) {
        const Outcome outcome = attack(name, folder_.file("work"));
        EXPECT_EQ(outcome.how, How::died) << name;
        EXPECT_THAT(outcome.message, HasSubstr("filled its folder")) << name;
    }
}

TEST_F(SandboxTest, ClosesEveryFileButTheWorkersOwn) {
    if (!landlocked()) GTEST_SKIP() << "this kernel has no Landlock";
    expect_files_closed();
    for (const char* way : {"mode", "empty"}) expect_refused(way, key());
    expect_usable();
}

// Debian 12's kernel has Landlock version 2, which does not cover truncating a file.
TEST_F(SandboxTest, ClosesFilesWithEveryOlderLandlockToo) {
    if (!landlocked()) GTEST_SKIP() << "this kernel has no Landlock";
    for (int version = 1; version < kernel_parts().landlock; ++version) {
        options_.parts.landlock = version;
        expect_files_closed();
        expect_refused("empty", key());
        EXPECT_EQ(folder_.read("home/id_ed25519"), "secret") << version;
        expect_usable();
    }
}

TEST_F(SandboxTest, HoldsTheOtherPartsWhereTheKernelLacksOne) {
    if (reports()) {
        options_.parts = {0, true, true};
        expect_reported("network", "tried to reach the network");
        expect_refused("mode", key());
        expect_usable();
    }
    if (!landlocked()) return;
    options_.parts = {kernel_parts().landlock, false, false};
    expect_files_closed();
    expect_usable();
}

TEST_F(SandboxTest, KeepsTokensOfTheEnvironmentFromAWorker) { EXPECT_EQ(attack("secret").how, How::error_event); }

TEST_F(SandboxTest, StopsAWorkerThatEatsMemory) {
    const Outcome by_limit = attack("memory");  // under sanitizers only the supervisor's check stops it
    EXPECT_THAT(by_limit.message,
                testing::AnyOf(HasSubstr("Cannot allocate memory"), HasSubstr("took over 201326592 bytes of memory")));
    EXPECT_FALSE(by_limit.done);
    expect_reported("shared memory", "took over 201326592 bytes of memory");
    expect_usable();
}

TEST_F(SandboxTest, StopsAWorkerThatSpinsForEver) {
    options_.limits.processor_s = 1;
    expect_reported("spin", "took over 1 s of processor time");
    options_.limits.processor_s = 0;
    options_.hang_s = 0.5;
    EXPECT_EQ(attack("spin").how, How::hung);
    options_.hang_s = 60;
    options_.wall_limit_s = 0.5;
    EXPECT_EQ(attack("spin").how, How::too_long);
}

TEST_F(SandboxTest, StopsAWorkerThatFillsTheDisk) {
    expect_reported("disk", "filled its folder with over 67108864 bytes", folder_.file("work"));
    expect_reported("file", "wrote a file of over 8388608 bytes", folder_.file("work"));
}

TEST_F(SandboxTest, LetsAScriptStartProgramsInTheSameSandbox) {
    if (!landlocked() || !reports()) GTEST_SKIP() << "this kernel lacks a part";
    const auto script = [&](const std::string& text) {
        options_.command = {folder_.write("worker.sh", "#!/bin/sh\n" + text)};
        std::filesystem::permissions(options_.command[0], std::filesystem::perms::owner_all);
        return attack("nothing");
    };
    const std::string done =
        "echo '{\"event\":\"done\",\"val_loss\":1,\"val_bpb\":2,\"val_tokens\":8,\"val_bytes\":9}'\n";
    EXPECT_EQ(script("ls / >/dev/null; cat /proc/self/status >/dev/null\n" + done).how, How::done);
    EXPECT_EQ(script("cat '" + key() + "' >/dev/null || exit 5\n" + done).exit_code, 5);
}

TEST_F(SandboxTest, SaysThatAProgramIsNotThere) {
    options_.command = {"/nonexistent/cultivar-lm"};
    const auto outcome = run_trainer(
        options_, clock_, [](const Event&) { return Advice::go_on; }, [] { return false; });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::not_found);
}

// Runs the check in another process after become(); true if become() is impossible here.
bool holds_for(const std::function<bool()>& become, const std::function<bool()>& check) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(become() ? check() ? 0 : 1 : 77);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return true;  // not possible here
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(SandboxTest, WorksForAUserAndInAContainerWithoutPrivileges) {
    if (!landlocked() || !reports()) GTEST_SKIP() << "this kernel lacks a part";
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    for (const char* inner : {"work", "home", "spec.json", "cultivar-lm", "home/id_ed25519"})
        std::filesystem::permissions(folder_.file(inner), std::filesystem::perms::all);
    const auto check = [&](const std::string& own_file) {
        return attack("nothing").how == How::done && attack("write", folder_.file(own_file)).how == How::done &&
               attack("network").message == "tried to reach the network" &&
               attack("read", key()).how == How::error_event;
    };
    constexpr unsigned kNobody = 65534;
    EXPECT_TRUE(holds_for([] { return ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0; },
                          [&] { return check("work/of a user"); }));
    EXPECT_TRUE(holds_for([] { return ::unshare(CLONE_NEWUSER) == 0; }, [&] { return check("work/in a container"); }));
}

TEST(SandboxGaps, SayWhatAMissingPartMeans) {
    EXPECT_TRUE(sandbox_gaps({7, true, true}).empty());
    EXPECT_THAT(sandbox_gaps({0, true, true}), testing::ElementsAre(HasSubstr("no Landlock")));
    EXPECT_THAT(sandbox_gaps({2, false, false}), testing::ElementsAre(HasSubstr("reach the network")));
    EXPECT_THAT(sandbox_gaps({4, false, false}), testing::ElementsAre(testing::Not(HasSubstr("network"))));
    EXPECT_THAT(sandbox_gaps({7, true, false}), testing::ElementsAre(HasSubstr("does not report")));
    EXPECT_EQ(sandbox_text({2, true, true}), "Landlock 2, seccomp");
    EXPECT_EQ(sandbox_text({0, false, false}), "no Landlock, no seccomp");
}

}  // namespace
}  // namespace cultivar
