#include "train/launch/trainer_process.h"
#include "train/launch/confinement.h"

#include <csignal>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/file.h"
#include "tests/eval/support/temp_folder.h"

namespace cultivar {
namespace {

using How = Outcome::How;
using testing::HasSubstr;

const std::string kStep = R"({"event":"step","step":1,"elapsed_s":1,"before_s":0,"train_loss":2,"tokens":8})";
const std::string kDone = R"({"event":"done","val_loss":1,"val_bpb":2,"val_tokens":8,"val_bytes":9})";

std::string say(const std::string& line) { return "printf '%s\\n' '" + line + "'\n"; }

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

// Runs a trainer written in sh and keeps its outcome.
class LauncherTest : public testing::Test {
protected:
    LauncherTest() {
        options_.spec_path = folder_.file("spec.json");
        options_.log_path = folder_.file("log");
        options_.hang_s = 30;
        options_.wall_limit_s = 60;
        options_.grace_s = 10;
    }

    Outcome run(const std::string& script) {
        options_.command = {"/bin/sh", folder_.write("trainer.sh", script)};
        auto outcome = run_trainer(
            options_, clock_,
            [this](const Event& event) {
                events_.push_back(event);
                return advice_(event);
            },
            should_stop_);
        EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
        return outcome ? *outcome : Outcome{};
    }

    bool has(const std::string& name) const { return std::filesystem::exists(folder_.file(name)); }
    std::string mark(const std::string& name) const { return "'" + folder_.file(name) + "'"; }

    TempFolder folder_;
    SystemClock clock_;
    LaunchOptions options_;
    std::vector<Event> events_;
    std::function<Advice(const Event&)> advice_ = [](const Event&) { return Advice::go_on; };
    std::function<bool()> should_stop_ = [] { return false; };
};

TEST_F(LauncherTest, PutsTheSpecificationWhereTheCommandAsksForIt) {
    for (auto words : {std::vector<std::string>{"{specification}", "last"}, std::vector<std::string>{}}) {
        options_.command = {"/bin/sh", folder_.write("trainer.sh", "echo \"$@\" >" + mark("words"))};
        options_.command.insert(options_.command.end(), words.begin(), words.end());
        ASSERT_TRUE(run_trainer(options_, clock_, advice_, should_stop_));
        const std::string expected = words.empty() ? "run " + options_.spec_path : options_.spec_path + " last";
        EXPECT_EQ(*read_file(folder_.file("words")), expected + "\n");
    }
}

TEST_F(LauncherTest, HearsATrainerOut) {
    const Outcome outcome = run(say(kStep) + say(R"({"event":"eval"})") + say(kDone));
    EXPECT_EQ(outcome.how, How::done);
    EXPECT_EQ(outcome.exit_code, 0);
    ASSERT_TRUE(outcome.done);
    EXPECT_EQ(outcome.done->val_bpb, 2);
    EXPECT_EQ(outcome.message, "");
    ASSERT_EQ(events_.size(), 3u);
    EXPECT_EQ(std::get<StepEvent>(events_[0]).tokens, 8);
}

TEST_F(LauncherTest, StartsTheTrainerAsTheProtocolSays) {
    run("echo \"$1 $2\" > " + mark("arguments") + "\ncat > " + mark("input") + "\ncut -d ' ' -f 5 /proc/$$/stat > " +
        mark("group") + "; echo $$ > " + mark("pid"));
    EXPECT_EQ(folder_.read("arguments"), "run " + options_.spec_path + "\n");
    EXPECT_EQ(folder_.read("input"), "");
    EXPECT_EQ(folder_.read("group"), folder_.read("pid"));
}

TEST_F(LauncherTest, PassesNoDescriptorOn) {
    const int leak = ::open("/dev/null", O_RDONLY);
    ASSERT_GE(leak, 3);
    const int high = ::fcntl(leak, F_DUPFD, 77);
    run("[ -e /proc/self/fd/77 ] && touch " + mark("leaked") + "; touch " + mark("ran"));
    ::close(leak);
    ::close(high);
    EXPECT_TRUE(has("ran"));
    EXPECT_FALSE(has("leaked"));
}

TEST_F(LauncherTest, TakesAnUnterminatedLastLineForNoEvent) {
    const Outcome outcome = run("printf '%s' '" + kDone + "'");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_FALSE(outcome.done);
}

TEST_F(LauncherTest, ReportsADeathWithItsLastWords) {
    const Outcome outcome = run(say(kStep) + "echo working >&2; echo 'out of memory' >&2; exit 7");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_EQ(outcome.exit_code, 7);
    EXPECT_THAT(outcome.message, HasSubstr("exit code 7"));
    EXPECT_THAT(outcome.message, HasSubstr("out of memory"));
    EXPECT_EQ(folder_.read("log"), "working\nout of memory\n");
}

TEST_F(LauncherTest, ReportsTheSignalThatKilledIt) {
    const Outcome outcome = run("kill -SEGV $$");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_EQ(outcome.exit_code, -1);
    EXPECT_EQ(outcome.signal, SIGSEGV);
    EXPECT_THAT(outcome.message, HasSubstr("signal 11"));
}

TEST_F(LauncherTest, TellsTheProgramsFaultFromTheMachines) {
    using Cause = Outcome::Cause;
    const auto error = [](const std::string& kind) {
        return say("{\"event\":\"error\",\"kind\":\"" + kind + "\",\"message\":\"x\"}") + "exit 1";
    };
    EXPECT_EQ(run("exit 7").cause, Cause::candidate);
    EXPECT_EQ(run("kill -KILL $$").cause, Cause::signal);
    EXPECT_EQ(run("exec /nonexistent/program").cause, Cause::cannot_start);
    EXPECT_EQ(run(error("diverged")).cause, Cause::candidate);
    EXPECT_EQ(run(error("machine")).cause, Cause::device);
    EXPECT_EQ(run(error("internal")).cause, Cause::unknown);
}

TEST_F(LauncherTest, MakesLastWordsFitForARecord) {
    const Outcome outcome = run(R"(printf 'bad \377 byte\033[1m' >&2; exit 1)");
    EXPECT_THAT(outcome.message, HasSubstr("bad \xEF\xBF\xBD byte [1m"));
}

TEST_F(LauncherTest, DoesNotBelieveADoneFollowedByAFailure) {
    const Outcome outcome = run(say(kDone) + "exit 3");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_TRUE(outcome.done);
}

TEST_F(LauncherTest, PassesOnWhatTheTrainerSaysIsWrong) {
    const Outcome outcome = run(say(R"({"event":"error","kind":"unfit","message":"a step takes\n40 s"})") + "exit 125");
    EXPECT_EQ(outcome.how, How::error_event);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind, "unfit");
    EXPECT_EQ(outcome.exit_code, 125);
}

TEST_F(LauncherTest, KillsATrainerThatHangs) {
    options_.hang_s = 1;
    const Outcome outcome = run(say(kStep) + "trap '' TERM; while :; do echo noise; sleep 0.05; done");
    EXPECT_EQ(outcome.how, How::hung);
    EXPECT_EQ(outcome.signal, SIGKILL);
    EXPECT_EQ(events_.size(), 1u);
}

TEST_F(LauncherTest, KillsATrainerThatStaysTooLong) {
    options_.wall_limit_s = 0.3;
    const Outcome outcome = run("while :; do echo '" + kStep + "'; sleep 0.02; done");
    EXPECT_EQ(outcome.how, How::too_long);
    EXPECT_EQ(outcome.signal, SIGKILL);
}

TEST_F(LauncherTest, KillsATrainerThatDoesNotLeaveAfterItsLastWord) {
    options_.grace_s = 0.2;
    const Outcome outcome = run(say(kDone) + "sleep 100");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_THAT(outcome.message, HasSubstr("did not leave"));
}

TEST_F(LauncherTest, StopsATrainerThatWantsToLeaveInOrder) {
    should_stop_ = [this] { return !events_.empty(); };
    const Outcome outcome =
        run("trap 'touch " + mark("checkpoint") + "; exit 143' TERM\n" + say(kStep) + "while :; do sleep 0.05; done");
    EXPECT_EQ(outcome.how, How::stopped);
    EXPECT_EQ(outcome.exit_code, 143);
    EXPECT_TRUE(has("checkpoint"));
}

// As a scheduler does it, which signals every process of a job.
TEST_F(LauncherTest, TakesATrainerThatASignalToStopEndedForStoppedWhereThisProcessIsToStopToo) {
    for (const std::string end : {"kill -USR1 $$", "kill -XCPU $$", "exit 143"}) {
        should_stop_ = [&] { return has(end); };
        EXPECT_EQ(run("touch " + mark(end) + "; " + end).how, How::stopped) << end;
    }
    should_stop_ = [] { return false; };
    EXPECT_EQ(run("kill -USR1 $$").how, How::died);
}

TEST_F(LauncherTest, KillsATrainerThatIgnoresSigtermAfterTheGrace) {
    options_.grace_s = 0.2;
    should_stop_ = [this] { return !events_.empty(); };
    const Outcome outcome = run("trap '' TERM\n" + say(kStep) + "while :; do sleep 0.05; done");
    EXPECT_EQ(outcome.how, How::stopped);
    EXPECT_EQ(outcome.signal, SIGKILL);
}

TEST_F(LauncherTest, StopsAHopelessRun) {
    advice_ = [](const Event&) { return Advice::stop_hopeless; };
    const Outcome outcome = run(say(kStep) + say(kStep) + "while :; do sleep 0.05; done");
    EXPECT_EQ(outcome.how, How::hopeless);
}

TEST_F(LauncherTest, CountsAResultThatCameInSpiteOfAStop) {
    should_stop_ = [this] { return !events_.empty(); };
    const Outcome outcome = run("trap \"echo '" + std::string(R"({\"event\":\"done\",\"val_loss\":1,\"val_bpb\":2,)") +
                                R"(\"val_tokens\":8,\"val_bytes\":9})" + "'; exit 0\" TERM\n" + say(kStep) +
                                "while :; do sleep 0.05; done");
    EXPECT_EQ(outcome.how, How::done) << outcome.message;
}

TEST_F(LauncherTest, IgnoresOutputThatIsNotOfTheProtocol) {
    const Outcome outcome = run(say("loading") + say("{'loss': 2.0}") + say(R"({"loss":2})") + say("") + say(kDone));
    EXPECT_EQ(outcome.how, How::done);
    EXPECT_EQ(events_.size(), 1u);
}

TEST_F(LauncherTest, KillsATrainerWhoseEventIsBroken) {
    const Outcome outcome =
        run(say(R"({"event":"step","step":1,"elapsed_s":1,"before_s":0,"train_loss":null,"tokens":8})") + say(kDone) +
            "sleep 100");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_THAT(outcome.message, HasSubstr("train_loss"));
    EXPECT_FALSE(outcome.done);
}

TEST_F(LauncherTest, KillsATrainerThatWritesAnOverlongLine) {
    const Outcome outcome = run("yes | tr -d '\\n'");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_THAT(outcome.message, HasSubstr("line of over 65536 bytes"));
}

TEST_F(LauncherTest, KillsATrainerThatFloodsItsOutput) {
    const Outcome outcome = run("yes \"$(printf '%04000d' 0)\"");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_THAT(outcome.message, HasSubstr("not events"));
}

TEST_F(LauncherTest, KeepsTheLogWithinItsLimit) {
    const Outcome outcome = run("yes x | head -c 3000000 >&2; echo last >&2; exit 1");
    EXPECT_EQ(std::filesystem::file_size(folder_.file("log")), static_cast<std::uintmax_t>(kMaxLogBytes));
    EXPECT_THAT(outcome.message, HasSubstr("last"));
}

TEST_F(LauncherTest, ClearsGrandchildrenAwayWhoHoldThePipe) {
    const Outcome outcome = run("sleep 100 & echo $! > " + mark("pid") + "\n" + say(kDone));
    EXPECT_EQ(outcome.how, How::done);
    const pid_t grandchild = std::stoi(folder_.read("pid"));
    for (int tries = 0; tries < 200 && is_alive(grandchild); ++tries) {  // until init has reaped it
        std::ifstream state("/proc/" + std::to_string(grandchild) + "/stat");
        const std::string line{std::istreambuf_iterator<char>(state), {}};
        if (line.find(") Z ") != std::string::npos) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_FALSE(is_alive(grandchild));
}

TEST_F(LauncherTest, LeavesNoZombie) {
    run("exit 0");
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(LauncherTest, SeesItsChildEndEvenWhereSuchSignalsAreIgnored) {
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    const Outcome outcome = run(say(kDone) + "exit 0");
    std::signal(SIGCHLD, before);
    EXPECT_EQ(outcome.how, How::done);
}

TEST_F(LauncherTest, CountsTheTrainersCpuTime) {
    const Outcome outcome = run("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    EXPECT_GT(outcome.cpu_s, 0);
    EXPECT_GT(outcome.wall_s, 0);
    EXPECT_GT(outcome.peak_rss_bytes, 100'000);
}

TEST_F(LauncherTest, SaysThatAProgramDoesNotExist) {
    options_.command = {"/nonexistent/trainer"};
    const auto outcome = run_trainer(options_, clock_, advice_, should_stop_);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::not_found);
    EXPECT_THAT(outcome.error().message, HasSubstr("'/nonexistent/trainer'"));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(LauncherTest, SaysThatItsLogCannotBeWritten) {
    options_.command = {"true"};
    options_.log_path = "/nonexistent/log";
    EXPECT_EQ(run_trainer(options_, clock_, advice_, should_stop_).error().code, Code::io);
}

TEST_F(LauncherTest, TakesATrainerAlongThatPassesOverTheSignalToStopWithItsDescendants) {
    options_.grace_s = 0.2;
    const pid_t parent = ::fork();
    if (parent == 0) {
        run("trap '' TERM\n(trap '' TERM; while :; do sleep 0.05; done) & echo $$ $! >" + mark("pids") + "\ntouch " +
            mark("ready") + "\nwhile :; do sleep 0.05; done");
        ::_exit(0);
    }
    for (int tries = 0; tries < 1000 && !has("ready"); ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    int leader = 0, descendant = 0;
    std::ifstream(folder_.file("pids")) >> leader >> descendant;
    ASSERT_GT(descendant, 1);
    // One that nobody has waited for yet has ended all the same.
    const auto is_running = [](int process) {
        std::string text;
        std::ifstream file("/proc/" + std::to_string(process) + "/stat");
        std::getline(file, text);
        return !text.empty() && text.find(") Z") == std::string::npos;
    };
    for (int tries = 0; tries < 1000 && (is_running(leader) || is_running(descendant)); ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_FALSE(is_running(leader));
    EXPECT_FALSE(is_running(descendant));
}

TEST(Device, IsTheOneThatAProgramSeesOfThoseThatThisProcessSees) {
    using ::testing::ElementsAre;
    Specification specification;
    EXPECT_TRUE(device_variables(specification, "4,5").empty());
    specification.device_number = "1";
    EXPECT_THAT(device_variables(specification, nullptr), ElementsAre("CUDA_VISIBLE_DEVICES=1"));
    EXPECT_THAT(device_variables(specification, "4,GPU-8a"), ElementsAre("CUDA_VISIBLE_DEVICES=GPU-8a"));
    EXPECT_THAT(device_variables(specification, "4"), ElementsAre("CUDA_VISIBLE_DEVICES=1"));
}

TEST(Device, IsThereWhereItsFileIs) {
    const TempFolder devices;
    EXPECT_TRUE(has_device("cpu", devices.path()));
    devices.write("nvidiactl", "");
    devices.write("null", "");
    EXPECT_FALSE(has_device("cuda", devices.path()));
    EXPECT_FALSE(has_device("mps", devices.path()));
    EXPECT_FALSE(has_device("cuda", devices.file("nowhere")));
    devices.write("nvidia0", "");
    EXPECT_TRUE(has_device("cuda", devices.path()));
}

TEST(Device, IsOneOfThoseThatThisProcessMaySee) {
    const TempFolder devices;
    devices.write("nvidia-uvm", "");
    EXPECT_TRUE(has_device_number("9", nullptr, devices.path())) << "nobody counts those of other makers";
    devices.write("nvidia0", "");
    devices.write("nvidia1", "");
    EXPECT_TRUE(has_device_number("", nullptr, devices.path()));
    EXPECT_TRUE(has_device_number("1", nullptr, devices.path()));
    EXPECT_FALSE(has_device_number("2", nullptr, devices.path()));
    EXPECT_TRUE(has_device_number("0", "1", devices.path()));
    EXPECT_FALSE(has_device_number("1", "1", devices.path()));
    EXPECT_FALSE(has_device_number("0", "", devices.path()));
}

TEST_F(LauncherTest, TakesTheTrainerAlongWhenItsOwnProcessDies) {
    const pid_t parent = ::fork();
    if (parent == 0) {
        run("trap 'touch " + mark("told") + "; exit 143' TERM\ntouch " + mark("ready") +
            "\nwhile :; do sleep 0.05; done");
        ::_exit(0);
    }
    for (int tries = 0; tries < 1000 && !has("ready"); ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    for (int tries = 0; tries < 1000 && !has("told"); ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(has("told"));
}

// --- A program with rules for its output -----------------------------------------------------------------------------

class RuleTest : public LauncherTest {
protected:
    RuleTest() {
        command_.format = 2;
        command_.score = {FigureRule::Kind::regex, FigureRule::Take::last, "loss: (\\S+)", "", false};
        options_.term_first = true;
        options_.work_dir = folder_.file("");
        options_.place.folder = folder_.file("");
    }
    Outcome run_by_rules(const std::string& script) {
        auto reader = FigureReader::make(command_);
        EXPECT_TRUE(reader);
        options_.figures = &*reader;
        return run(script);
    }
    PoolCommand command_;
};

TEST_F(RuleTest, IsDoneWithTheScoreThatTheyFind) {
    options_.place.variables = {"RUN_SEED=7"};
    const Outcome outcome = run_by_rules("pwd\necho \"loss: 0.$RUN_SEED\"; echo careful >&2");
    EXPECT_EQ(outcome.how, How::done);
    ASSERT_TRUE(outcome.done);
    EXPECT_EQ(outcome.done->score, 0.7);
    EXPECT_THAT(outcome.output,
                HasSubstr(std::filesystem::canonical(folder_.file("")).filename().string() + "\nloss: 0.7\n"));
    EXPECT_EQ(outcome.errors, "careful\n");
}

TEST_F(RuleTest, SpeaksNoProtocol) {
    const Outcome outcome = run_by_rules(say(R"({"event":"done","score":1})") + "echo loss: 2");
    ASSERT_TRUE(outcome.done);
    EXPECT_EQ(outcome.done->score, 2);
    EXPECT_TRUE(events_.empty());
}

TEST_F(RuleTest, OfJsonLinesSaysWhatIsMissingOrNoNumber) {
    command_.score = {};
    const Outcome silent = run_by_rules("echo loss: 0.36; echo careful >&2");
    EXPECT_EQ(silent.how, How::died);
    EXPECT_EQ(silent.failure, FailureCause::no_score);
    EXPECT_THAT(silent.message, HasSubstr("no rule 'score' of its task finds one elsewhere: careful"));
    const Outcome endless = run_by_rules(say(R"({"event":"done","score":NaN})"));
    EXPECT_EQ(endless.failure, FailureCause::not_finite);
    EXPECT_THAT(endless.message, HasSubstr("NaN and Infinity are no numbers in JSON"));
    EXPECT_EQ(run_by_rules(say(R"({"event":"done",)")).failure, FailureCause::unreadable);
}

TEST_F(RuleTest, TellsProgressAsSteps) {
    command_.progress =
        FigureRule{FigureRule::Kind::regex, FigureRule::Take::last, "step ([0-9]+) of .* ([0-9.]+)", "", true};
    run_by_rules("echo step 10 of 20: 0.5 >&2; echo loss: 1");
    ASSERT_EQ(events_.size(), 1U);
    const auto& step = std::get<StepEvent>(events_.front());
    EXPECT_EQ(step.step, 10);
    EXPECT_EQ(step.train_loss, 0.5);
}

TEST_F(RuleTest, FailsWithTheReasonAndItsCause) {
    const std::tuple<const char*, FailureCause, const char*> failures[] = {
        {"echo los: 1", FailureCause::no_score, "no line of its standard output matches"},
        {"echo loss: nan", FailureCause::not_finite, "score is nan"},
        {"echo loss: x", FailureCause::unreadable, "is no number"},
        {"echo loss: 1; exit 3", FailureCause::exit_code, "left with exit code 3"},
        {"echo loss: 1; echo sorry >&2; exit 3", FailureCause::exit_code, "sorry"},
        {"echo loss: 1; kill -SEGV $$", FailureCause::signal, "killed by signal 11"},
    };
    for (const auto& [script, cause, words] : failures) {
        const Outcome outcome = run_by_rules(script);
        EXPECT_EQ(outcome.how, How::died) << script;
        EXPECT_EQ(outcome.failure, cause) << script;
        EXPECT_THAT(outcome.message, HasSubstr(words)) << script;
        EXPECT_FALSE(outcome.done) << script;
    }
}

TEST_F(RuleTest, MayEndWithAScoreWhenItsTimeIsOver) {
    options_.wall_limit_s = 1;
    const Outcome anytime = run_by_rules("trap 'echo loss: 5; exit 0' TERM\nwhile :; do sleep 0.05; done");
    EXPECT_EQ(anytime.how, How::done);
    EXPECT_EQ(anytime.done->score, 5);
    const Outcome late = run_by_rules("echo loss: 5; exec sleep 60");
    EXPECT_EQ(late.how, How::too_long);
    EXPECT_EQ(late.failure, FailureCause::time);
    EXPECT_FALSE(late.done);
}

TEST_F(RuleTest, IsEndedWhenItWritesWithoutEnd) {
    const Outcome outcome = run_by_rules("yes 'a line of some length, over and over again' >&2");
    EXPECT_EQ(outcome.failure, FailureCause::output);
    EXPECT_THAT(outcome.message, HasSubstr("wrote over 64 MiB of output"));
    EXPECT_LT(outcome.errors.size(), 200'000U);
}

TEST_F(RuleTest, IsWithoutAScoreWhenItWasStopped) {
    should_stop_ = [] { return true; };
    const Outcome outcome = run_by_rules("echo loss: 1; trap 'exit 0' TERM; while :; do sleep 0.05; done");
    EXPECT_EQ(outcome.how, How::stopped);
    EXPECT_FALSE(outcome.done);
}

TEST_F(LauncherTest, AProgramThatNeedsNoResultIsDoneWithExitCode0) {
    options_.expects_result = false;
    EXPECT_EQ(run("exit 0").how, How::done);
    EXPECT_EQ(run("exit 1").how, How::died);
}

}  // namespace
}  // namespace cultivar
