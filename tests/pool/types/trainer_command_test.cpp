#include "pool/types/trainer_command.h"
#include "pool/types/task_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/rules/record_checks.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

constexpr const char* kOwner = "bob.box.01234567";
constexpr const char* kGene = "[gene.x]\ntype = \"real\"\ndefault = 0.0\nrange = [-10.0, 10.0]\n";

Result<Task> drafted(const std::string& toml) {
    Task draft;
    draft.name = "mine";
    draft.created = "2026-11-21T03:40:00Z";
    draft.kind = kCommandKind;
    draft.metric = "score";
    return parse_task(toml + kGene, "task.toml", &draft);
}

Task task_running(const std::string& words) { return must(drafted("[command]\nrun = " + words + "\n")); }
std::string complaint(const std::string& words) { return trouble(drafted("[command]\nrun = " + words + "\n")).message; }

Run scored_by_command(const Task& task) {
    Run run = scored_run(tiny_task(), kOwner, {}, 2.0);
    Candidate candidate = must(make_candidate(task.space, task.id(), {{"x", 2.5}}));
    run.task = task.id();
    run.candidate = candidate.id;
    run.toml = candidate.toml;
    run.seed = run_seed(candidate.id, 0);
    run.steps = 0;
    run.chunk_loss_sums.clear();
    run.artifact.clear();
    run.val_loss.reset();
    run.val_bpb = -0.25;
    return run;
}

TEST(PoolCommand, CompletesWhatAPersonWroteAndReadsItBack) {
    Task task = task_running(R"(["sh", "files/a/b.sh", "say \"x\"\n", "files/a/b.sh", "{specification}"])");
    EXPECT_EQ(task.name, "mine");
    EXPECT_EQ(task.command->run.size(), 5U);
    ASSERT_EQ(task.command->files.size(), 1U);
    EXPECT_EQ(task.command->files[0].path, "files/a/b.sh");
    Task again = must(parse_task(to_toml(task), "pool.toml"));
    EXPECT_EQ(to_toml(again), to_toml(task));
    EXPECT_EQ(again.id(), task.id());
    EXPECT_TRUE(task.settled());
}

TEST(PoolCommand, IsInTheTaskIdWithTheFilesThatItNames) {
    Task task = task_running(R"(["files/run", "{specification}"])");
    task.command->files[0].sha256 = std::string(64, 'a');
    EXPECT_THAT(task_id_text(task), HasSubstr("window_stride_tokens 0\ncommand \"files/run\"\ncommand "
                                              "\"{specification}\"\nfile files/run " +
                                              std::string(64, 'a') + "\ngene x 0.0\n"));
    Task other = task;
    other.command->files[0].sha256 = std::string(64, 'b');
    EXPECT_NE(other.id(), task.id());
    EXPECT_NE(command_digest(*other.command), command_digest(*task.command));
    EXPECT_NE(task_running(R"(["jq"])").id(), task_running(R"(["jq", ""])").id());
}

TEST(PoolCommand, IsAProgramOnPathOrAFileOfThePoolAndSaysWhatItIs) {
    for (const char* program : {"./run", "/bin/sh", "bin/sh", "../x"})
        EXPECT_THAT(complaint("[\"" + std::string(program) + "\"]"), HasSubstr("neither a program's name")) << program;
    for (const char* path : {"files/", "files/../key.pem", "files//a", "files/.git/config", "files/a b", "files/a/"})
        EXPECT_THAT(complaint("[\"sh\", \"" + std::string(path) + "\"]"), HasSubstr("is no file's name")) << path;
    EXPECT_THAT(complaint(R"(["sh", "a\u0000b"])"), HasSubstr("control characters"));
    EXPECT_THAT(complaint(R"(["sh", "\u001b[2K"])"), HasSubstr("control characters"));
    for (const char* words : {"[]", "\"sh\"", "[1]", "[\"\"]"})
        EXPECT_THAT(complaint(words), HasSubstr("'run' takes")) << words;
}

TEST(PoolCommand, BelongsToItsKindAlone) {
    EXPECT_THAT(trouble(drafted("")).message, HasSubstr("'command.run' is missing"));
    EXPECT_THAT(trouble(drafted("[task]\nkind = \"lm\"\n[command]\nrun = [\"sh\"]\n")).message,
                HasSubstr("unknown key"));
    EXPECT_THAT(trouble(drafted("[task]\ndirection = \"maximize\"\n[command]\nrun = [\"sh\"]\n")).message,
                HasSubstr("negative"));
}

TEST(PoolCommand, ScoresByItsOwnWord) {
    const Task task = task_running(R"(["jq"])");
    auto run = scored_by_command(task);
    EXPECT_TRUE(check_run(task, task.id(), run, kOwner)) << trouble(check_run(task, task.id(), run, kOwner)).message;
    auto back = std::get<cultivar::Run>(must(parse_line(to_line(run))));
    EXPECT_EQ(back.val_bpb, -0.25);
    EXPECT_FALSE(back.val_loss);
}

TEST(PoolCommand, KeepsToTheBudgetAndTheArtifactCap) {
    const Task task = task_running(R"(["jq"])");
    auto late = scored_by_command(task);
    late.train_s = 30;
    EXPECT_THAT(trouble(check_run(task, task.id(), late, kOwner)).message, HasSubstr("on a budget of 20 s"));
    auto large = scored_by_command(task);
    large.artifact_bytes = task.artifact_cap_bytes + 1;
    EXPECT_THAT(trouble(check_run(task, task.id(), large, kOwner)).message, HasSubstr("over the cap"));
}

// --- Format 2 -------------------------------------------------------------------------------------------------------

Result<Task> drafted_2(const std::string& toml, const std::string& genes = kGene) {
    Task draft;
    draft.format = 2;
    draft.name = "mine";
    draft.created = "2026-11-21T03:40:00Z";
    draft.kind = kCommandKind;
    draft.metric = "score";
    return parse_task(toml + genes, "task.toml", &draft);
}

constexpr const char* kWhole = R"(
direction = "maximize"
metric = "accuracy"
[command]
run = ["python3", "files/fit.py", "--x", "{gene.x}"]
score = { regex = 'accuracy: ([0-9.]+)', take = "first" }
progress = { regex = 'step ([0-9]+) ([0-9.]+)', in = "stderr" }
checks = ["files/check"]
limit_s = 30
network = true
[command.env]
RUN_SEED = "{seed}"
A = "a"
[command.metrics]
bytes = { json = "result.json", key = "size.bytes" }
[command.templates]
"config/a.json" = "files/a.json.in"
[evaluate]
run = ["files/judge", "{artifact}", "{validation}"]
validation = "files/valid.csv"
tolerance = 0.01
limit_s = 60
)";

TEST(PoolCommandOfFormat2, ReadsBackWhatAPersonWrote) {
    const Task task = must(drafted_2(kWhole));
    EXPECT_EQ(task.format, 2);
    EXPECT_EQ(task.metric, "accuracy");
    EXPECT_EQ(task.loss_of(0.75), -0.75);
    EXPECT_EQ(task.command->environment.front().first, "A");
    EXPECT_TRUE(task.command->files.empty());
    EXPECT_EQ(task.command->evaluator->tolerance, 0.01);
    EXPECT_EQ(task.command->evaluator->score, task.command->score) << "it has no rule of its own";
    const Task again = must(parse_task(to_toml(task), "pool.toml"));
    EXPECT_EQ(to_toml(again), to_toml(task));
    EXPECT_EQ(again.id(), task.id());
    EXPECT_THAT(to_toml(task), HasSubstr("format = 2\n"));
}

TEST(PoolCommandOfFormat2, IsInTheTaskIdWithAllThatItRunsAndReads) {
    Task task = must(drafted_2(kWhole));
    task.command->files = {{"files/fit.py", std::string(64, 'a')}, {"files/helper.py", std::string(64, 'b')}};
    EXPECT_THAT(task_id_text(task),
                HasSubstr("command run = [\"python3\", \"files/fit.py\", \"--x\", \"{gene.x}\"]\n"
                          "command score = { regex = \"accuracy: ([0-9.]+)\", in = \"stdout\", take = \"first\" }\n"));
    EXPECT_THAT(task_id_text(task), HasSubstr("command \"RUN_SEED\" = \"{seed}\"\n"));
    EXPECT_THAT(task_id_text(task), HasSubstr("\nfile files/helper.py " + std::string(64, 'b') + "\n"));
    EXPECT_THAT(task_id_text(task),
                HasSubstr("command [evaluate]\ncommand run = [\"files/judge\", \"{artifact}\", \"{validation}\"]\n"));
    Task other = task;
    other.command->files[1].sha256 = std::string(64, 'c');
    EXPECT_NE(other.id(), task.id());
}

TEST(PoolCommandOfFormat2, TakesGenesWithTheNamesOfItsProgram) {
    EXPECT_TRUE(drafted_2("[command]\nrun = [\"sh\"]\nenv.MATRIX_LR = \"{gene.MATRIX_LR}\"\n",
                          "[gene.MATRIX_LR]\ntype = \"real\"\ndefault = 0.1\nrange = [0.0, 1.0]\n"));
    EXPECT_THAT(
        trouble(drafted_2("[command]\nrun = [\"sh\"]\n", "[gene.\"a b\"]\ntype = \"boolean\"\ndefault = true\n"))
            .message,
        HasSubstr("letters, digits, '_' and '.'"));
}

TEST(PoolCommandOfFormat2, SaysWhatIsWrongInIt) {
    const std::pair<const char*, const char*> wrong[] = {
        {"run = [\"sh\", \"{gene.y}\"]", "did you mean '{gene.x}'"},
        {"run = [\"{gene.x}\"]", "neither a program's name"},
        {"run = [\"sh\"]\nscore = { regex = \"a\", metric = \"b\" }", "has one source"},
        {"run = [\"sh\"]\nscore = { json = \"../x\", key = \"a\" }", "is no json"},
        {"run = [\"sh\"]\nscore = { json = \"x\" }", "'command.score.key' is missing"},
        {"run = [\"sh\"]\nscore = { metric = \"a\", take = \"best\" }", "'take' is last, first or only"},
        {"run = [\"sh\"]\nscore = { metric = \"a\", in = \"log\" }", "'in' is stdout or stderr"},
        {"run = [\"sh\"]\nenv.LD_PRELOAD = \"x\"", "is not one for [command.env]"},
        {"run = [\"sh\"]\nenv.PATH = \"x\"", "is not one for [command.env]"},
        {"run = [\"sh\"]\ntemplates.\"../a\" = \"files/a\"", "is not one for [command.templates]"},
        {"run = [\"sh\"]\ntemplates.a = \"b\"", "is not one for [command.templates]"},
        {"run = [\"sh\"]\nmetrics.a = { take = \"last\" }", "metric"},
        {"run = [\"sh\"]\nlimit_s = 0", "out of range"},
        {"run = [\"sh\"]\nprogress = { metric = \"a\" }", "takes a regex"},
        {"run = [\"sh\", \"{validation}\"]", "is no placeholder"},
        {"run = [\"sh\"]\n[evaluate]\nrun = [\"sh\", \"{validation}\"]", "'evaluate.validation' is missing"},
        {"run = [\"sh\", \"{hold_out}\"]", "is no placeholder"},
        {"run = [\"sh\"]\n[evaluate]\nrun = [\"sh\", \"{hold_out}\"]", "'evaluate.validation' is missing"},
        {"run = [\"sh\"]\n[evaluate]\nrun = [\"/bin/sh\"]", "neither a program's name"},
        {"run = [\"sh\"]\n[evaluate]\nrun = [\"sh\"]\nvalidation = \"/etc/passwd\"", "a file of the pool"},
        {"run = [\"sh\"]\n[evaluate]\nrun = [\"sh\"]\ntolerance = -1.0", "out of range"},
        {"run = [\"sh\"]\n[evaluate]\nrun = [\"sh\"]\nlimit_s = 0", "out of range"},
        {"run = [\"sh\"]\n[evaluate]\ntolerance = 1.0", "unknown key"},
    };
    for (const auto& [command, words] : wrong)
        EXPECT_THAT(trouble(drafted_2("[command]\n" + std::string(command) + "\n")).message, HasSubstr(words))
            << command;
}

TEST(PoolCommandOfFormat2, KnowsItsDataByTheirDigests) {
    const std::string command =
        "[command]\nrun = [\"fit\", \"{data}/a.csv\"]\nscore = { metric = \"a\" }\n[evaluate]\nrun = [\"judge\", "
        "\"{artifact}\", \"{validation}\"]\nvalidation = \"data/b/valid.csv\"\n";
    const auto file = [](const std::string& name, char digit, const char* bytes = "5") {
        return "[[data.file]]\nname = \"" + name + "\"\nsha256 = \"" + std::string(64, digit) + "\"\nbytes = " + bytes +
               "\n";
    };
    const Task bare = must(drafted_2(command));
    EXPECT_TRUE(needs_data(*bare.command));
    EXPECT_FALSE(bare.settled()) << "no run can begin without them";
    const Task task = must(drafted_2(command + file("b/valid.csv", 'b') + file("a.csv", 'a')));
    EXPECT_TRUE(task.settled());
    EXPECT_EQ(task.command->data[0].name, "a.csv");
    EXPECT_THAT(task_id_text(task), HasSubstr("\ndata a.csv " + std::string(64, 'a') + "\ndata b/valid.csv " +
                                              std::string(64, 'b') + "\ngene x 0.0\n"));
    const Task again = must(parse_task(to_toml(task), "pool.toml"));
    EXPECT_EQ(to_toml(again), to_toml(task));
    EXPECT_EQ(again.id(), task.id());
    EXPECT_NE(command_digest(*bare.command), command_digest(*task.command));
    for (const std::string& wrong :
         {file("a.csv", 'a'), file("b/valid.csv", 'b') + file("b/valid.csv", 'a'),
          file("b/valid.csv", 'b') + file("B/c", 'a'), file("b/valid.csv", 'b') + file("b", 'a'), file("../b", 'b'),
          file("b/valid.csv", 'g'), file("b/valid.csv", 'b', "-1")})
        EXPECT_EQ(trouble(drafted_2(command + wrong)).code, Code::usage) << wrong;
    EXPECT_FALSE(needs_data(*must(drafted_2("[command]\nrun = [\"fit\"]\n")).command));
}

TEST(PoolCommandOfFormat2, RefusesChoicesThatLeadOutOfAFolder) {
    for (const char* choice : {"../x", "/etc/passwd", "a/b", "..", "a\\nb"}) {
        const std::string genes =
            "[gene.c]\ntype = \"choice\"\ndefault = \"a\"\nchoices = [\"a\", \"" + std::string(choice) + "\"]\n";
        EXPECT_THAT(trouble(drafted_2("[command]\nrun = [\"cat\", \"files/{gene.c}\"]\n", genes)).message,
                    HasSubstr("cannot stand in the command"))
            << choice;
        EXPECT_TRUE(drafted_2("[command]\nrun = [\"cat\"]\n", genes)) << choice;  // it stands nowhere
    }
}

TEST(PoolCommandOfFormat2, LearnsOfTheDeviceByAPlaceholder) {
    const auto told = [](const std::string& toml) {
        return is_told_device(must(drafted_2("[command]\nscore = { metric = \"a\" }\n" + toml)).command.value());
    };
    EXPECT_FALSE(told("run = [\"sh\", \"-c\", \"device\", \"{gene.x}\"]\n"));
    EXPECT_TRUE(told("run = [\"sh\", \"--on={device}\"]\n"));
    EXPECT_TRUE(told("run = [\"sh\", \"{specification}\"]\n"));
    EXPECT_TRUE(told("run = [\"sh\"]\n[command.env]\nDEVICE = \"{device}\"\n"));
    EXPECT_TRUE(told("run = [\"sh\"]\n[command.templates]\n\"a.json\" = \"files/a.json\"\n"));
    EXPECT_TRUE(is_told_device(PoolCommand())) << "format 1 has a specification";
}

TEST(PoolCommandOfFormat2, BelongsToPoolsOfThatFormat) {
    EXPECT_THAT(trouble(drafted("[command]\nrun = [\"sh\"]\nscore = { metric = \"a\" }\n")).message,
                HasSubstr("unknown key"));
    Task task = must(drafted_2(kWhole));
    task.format = 3;
    EXPECT_EQ(trouble(parse_task(to_toml(task), "pool.toml")).code, Code::newer);
}

TEST(PoolCommandOfFormat2, MayRunAsLongAsItsLimitAllows) {
    const Task task = must(drafted_2("[command]\nrun = [\"sh\"]\n"));
    EXPECT_EQ(limit_s(*task.command, 20), 50);
    auto run = scored_by_command(task);
    run.train_s = 55;
    EXPECT_TRUE(check_run(task, task.id(), run, kOwner));
    run.train_s = 100;
    EXPECT_FALSE(check_run(task, task.id(), run, kOwner));
}

}  // namespace
}  // namespace cultivar
