// The real program, spoken to by its protocol.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "eval/artifact.h"
#include "eval/bits_per_byte.h"
#include "eval/shard.h"
#include "train/lm/genes.h"
#include "train/protocol.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace cultivar {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kVocabulary = 48;

struct Ending {
    std::vector<Event> events;
    int exit_code = -1;

    template <typename T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const Event& event : events) {
            if (const T* one = std::get_if<T>(&event)) found.push_back(*one);
        }
        return found;
    }
    DoneEvent done() const { return all<DoneEvent>().empty() ? DoneEvent{} : all<DoneEvent>().front(); }
    std::string error_kind() const { return all<ErrorEvent>().empty() ? "" : all<ErrorEvent>().front().kind; }
    std::string error_message() const { return all<ErrorEvent>().empty() ? "" : all<ErrorEvent>().front().message; }
};

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

class Worker : public testing::Test {
protected:
    void SetUp() override {
        folder_ = testing::TempDir() + "lm_worker_" + testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_ + "/work");
        ASSERT_TRUE(write_shard(folder_ + "/train.bin", text(20000)));
        ASSERT_TRUE(write_shard(folder_ + "/val.bin", text(9000)));
        ASSERT_TRUE(write_byte_table(folder_ + "/tokens.bytes", ByteTable(kVocabulary, {2, true, false})));
        specification_.genes = tiny_genes();
        specification_.seed = 11;
        specification_.budget_s = 0.6;
        specification_.train_shards = {folder_ + "/train.bin"};
        specification_.val_shard = folder_ + "/val.bin";
        specification_.byte_table = folder_ + "/tokens.bytes";
        specification_.vocabulary = kVocabulary;
        specification_.artifact_cap_bytes = 16000000;
        specification_.work_dir = folder_ + "/work";
        specification_.artifact = folder_ + "/artifact";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    // A text that can be learnt: each token follows from the one before and the position's parity.
    static std::vector<std::uint16_t> text(std::size_t size) {
        std::vector<std::uint16_t> tokens(size, 1);
        for (std::size_t i = 1; i < size; ++i) {
            tokens[i] = static_cast<std::uint16_t>((5 * tokens[i - 1] + 7 + 3 * (i % 2)) % kVocabulary);
        }
        return tokens;
    }

    static Genes tiny_genes() {
        Genes genes;
        for (const Gene& gene : lm_genes()) genes[gene.name] = gene.default_value;
        genes["model.layers"] = std::int64_t{3};
        genes["model.width"] = std::int64_t{32};
        genes["model.heads"] = std::int64_t{2};
        genes["model.kv_heads"] = std::int64_t{1};
        genes["data.seq_len"] = std::int64_t{64};
        genes["data.tokens_per_step"] = std::int64_t{1024};
        return genes;
    }

    // Starts the worker and reads its events; sends `signal` after `signal_after` steps.
    Ending run(int signal = 0, std::size_t signal_after = 0) {
        const std::string path = folder_ + "/spec.json";
        write_file(path, to_json(specification_));
        return run_file(path, signal, signal_after);
    }

    Ending run_file(const std::string& path, int signal = 0, std::size_t signal_after = 0) {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        std::string program = CULTIVAR_LM_PROGRAM, verb = "run", argument = path;
        char* words[] = {program.data(), verb.data(), argument.data(), nullptr};
        pid_t child = 0;
        EXPECT_EQ(posix_spawn(&child, program.c_str(), &actions, nullptr, words, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        Ending ending;
        FILE* lines = fdopen(ends[0], "r");
        char* line = nullptr;
        std::size_t capacity = 0, steps = 0;
        for (ssize_t size; (size = getline(&line, &capacity, lines)) > 0;) {
            const auto event = parse_event({line, static_cast<std::size_t>(size)});
            EXPECT_TRUE(event) << line;
            if (event) ending.events.push_back(*event);
            if (event && std::holds_alternative<StepEvent>(*event) && ++steps == signal_after) kill(child, signal);
        }
        free(line);
        fclose(lines);
        int status = 0;
        waitpid(child, &status, 0);
        ending.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        return ending;
    }

    Ending score_artifact(std::vector<int> chunks = {}) {
        specification_.mode = Specification::Mode::score;
        specification_.chunks = std::move(chunks);
        return run();
    }

    std::string folder_;
    Specification specification_;
};

TEST_F(Worker, TrainsForItsBudgetAndScoresItsArtifact) {
    const Ending ending = run();
    ASSERT_EQ(ending.exit_code, 0) << ending.error_message();
    ASSERT_EQ(ending.all<StartEvent>().size(), 1U);
    EXPECT_EQ(ending.all<EvalEvent>().size(), 1U);
    const auto steps = ending.all<StepEvent>();
    ASSERT_GE(steps.size(), 2U);
    EXPECT_LT(steps.back().train_loss, steps.front().train_loss);
    EXPECT_NEAR(steps.front().train_loss, std::log(kVocabulary), 0.1);  // the output projections start at zero
    const DoneEvent done = ending.done();
    EXPECT_EQ(done.steps, static_cast<std::int64_t>(steps.size()));
    EXPECT_EQ(done.tokens, done.steps * 1024);
    EXPECT_EQ(done.train_s, steps.back().elapsed_s);
    EXPECT_EQ(done.parameters, ending.all<StartEvent>().front().parameters);
    EXPECT_EQ(done.artifact_bytes, static_cast<std::int64_t>(std::filesystem::file_size(done.artifact)));
    EXPECT_EQ(done.val_tokens, 8192);
    EXPECT_EQ(done.val_bytes, 3 * 8192);
    EXPECT_EQ(done.chunk_loss_sums.size(), 64U);
    EXPECT_DOUBLE_EQ(done.val_bpb, bits_per_byte(done.val_loss, done.val_tokens, done.val_bytes));
}

TEST_F(Worker, BeginsAStepOnlyIfItFitsTheBudgetAndComputesRatesFromTheClockBefore) {
    const auto steps = run().all<StepEvent>();
    ASSERT_GE(steps.size(), 2U);
    EXPECT_EQ(steps.front().before_s, 0);
    for (std::size_t i = 1; i < steps.size(); ++i) {
        EXPECT_EQ(steps[i].before_s, steps[i - 1].elapsed_s);
        EXPECT_LE(steps[i].before_s * static_cast<double>(i + 1) / static_cast<double>(i), specification_.budget_s);
        EXPECT_EQ(steps[i].step, static_cast<std::int64_t>(i) + 1);
    }
    const auto count = static_cast<double>(steps.size());
    EXPECT_GT(steps.back().elapsed_s * (count + 1) / count, specification_.budget_s);
}

TEST_F(Worker, ScoresItsOwnArtifactToTheSameBits) {
    const DoneEvent trained = run().done();
    const Ending again = score_artifact();
    ASSERT_EQ(again.exit_code, 0) << again.error_message();
    EXPECT_EQ(again.done().val_bpb, trained.val_bpb);
    EXPECT_EQ(again.done().chunk_loss_sums, trained.chunk_loss_sums);
    EXPECT_EQ(again.done().parameters, trained.parameters);
    EXPECT_TRUE(again.all<StepEvent>().empty());
}

TEST_F(Worker, ScoresAnArtifactOfThePrecisionAndCompressorOfItsGenes) {
    specification_.genes["model.layers"] = std::int64_t{1};
    specification_.genes["model.width"] = std::int64_t{256};  // matrices large enough to be quantised
    specification_.genes["artifact.mlp_bits"] = std::int64_t{5};
    specification_.genes["artifact.scale_floor"] = false;
    specification_.genes["artifact.compressor"] = std::string("zlib");
    specification_.budget_s = 2;
    const Ending trained = run();
    ASSERT_EQ(trained.exit_code, 0) << trained.error_message();
    EXPECT_EQ(read_file(specification_.artifact)[0], '\x78');
    EXPECT_EQ(score_artifact().done().chunk_loss_sums, trained.done().chunk_loss_sums);
    specification_.genes["artifact.mlp_bits"] = std::int64_t{4};
    EXPECT_EQ(score_artifact().error_kind(), "artifact");
}

TEST_F(Worker, ScoresTheSameWithAnyNumberOfThreads) {
    const DoneEvent trained = run().done();
    ASSERT_EQ(trained.chunk_loss_sums.size(), 64U);
    specification_.threads = 2;
    EXPECT_EQ(score_artifact().done().chunk_loss_sums, trained.chunk_loss_sums);
    EXPECT_EQ(score_artifact({40}).done().chunk_loss_sums, std::vector<double>{trained.chunk_loss_sums[40]});
}

TEST_F(Worker, RepeatsARunToTheLastBit) {
    specification_.threads = 2;
    specification_.genes["schedule.warmdown_steps"] = std::int64_t{0};  // rates that do not depend on the clock
    const auto one = run().all<StepEvent>();
    std::filesystem::remove(specification_.work_dir + "/checkpoint.bin");
    const auto two = run().all<StepEvent>();
    ASSERT_GE(std::min(one.size(), two.size()), 2U);
    for (std::size_t i = 0; i < std::min(one.size(), two.size()); ++i) {
        EXPECT_EQ(one[i].train_loss, two[i].train_loss) << "step " << i + 1;
    }
}

TEST_F(Worker, ScoresChunksAloneAsItScoresThemAmongTheOthers) {
    const DoneEvent trained = run().done();
    const DoneEvent part = score_artifact({63, 5, 31}).done();
    EXPECT_EQ(part.chunks, (std::vector<int>{5, 31, 63}));
    ASSERT_EQ(part.chunk_loss_sums.size(), 3U);
    EXPECT_EQ(part.chunk_loss_sums[0], trained.chunk_loss_sums.at(5));
    EXPECT_EQ(part.chunk_loss_sums[1], trained.chunk_loss_sums.at(31));
    EXPECT_EQ(part.chunk_loss_sums[2], trained.chunk_loss_sums.at(63));
    EXPECT_EQ(part.val_tokens, 3 * 8192 / 64);
}

TEST_F(Worker, LeavesACheckpointOnSigtermAndGoesOnFromIt) {
    specification_.budget_s = 1.5;
    const Ending first = run(SIGTERM, 3);
    EXPECT_EQ(first.exit_code, 143);
    EXPECT_TRUE(first.all<DoneEvent>().empty());
    const auto before = first.all<StepEvent>();
    const Ending second = run();
    ASSERT_EQ(second.exit_code, 0) << second.error_message();
    const auto after = second.all<StepEvent>();
    ASSERT_FALSE(after.empty());
    EXPECT_EQ(after.front().step, before.back().step + 1);
    EXPECT_EQ(after.front().before_s, before.back().elapsed_s);
    EXPECT_EQ(second.all<StartEvent>().front().resumed_s, before.back().elapsed_s);
    EXPECT_EQ(second.done().steps, after.back().step);
}

TEST_F(Worker, StartsAfreshWhenItsCheckpointIsDamaged) {
    specification_.budget_s = 1.5;
    ASSERT_EQ(run(SIGINT, 2).exit_code, 143);
    const std::string path = folder_ + "/work/checkpoint.bin";
    std::string bytes = read_file(path);
    ASSERT_GT(bytes.size(), 1000U);
    bytes[bytes.size() / 2] ^= 1;
    write_file(path, bytes);
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 0);
    EXPECT_EQ(ending.all<StartEvent>().front().resumed_s, 0);
    EXPECT_EQ(ending.all<StepEvent>().front().step, 1);
}

TEST_F(Worker, GoesStraightToScoringWhenTrainingWasOver) {
    const DoneEvent trained = run().done();
    const Ending again = run();
    EXPECT_TRUE(again.all<StepEvent>().empty());
    EXPECT_EQ(again.done().val_bpb, trained.val_bpb);
    EXPECT_EQ(again.done().train_s, trained.train_s);
}

TEST_F(Worker, FindsOutThatAStepDoesNotFitItsBudgetBeforePayingForIt) {
    specification_.genes["data.tokens_per_step"] = std::int64_t{524288};
    specification_.budget_s = 0.05;
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 125);
    EXPECT_EQ(ending.error_kind(), "unfit");
    EXPECT_THAT(ending.error_message(), HasSubstr("a step of 524288 tokens would take about"));
    EXPECT_TRUE(ending.all<StepEvent>().empty());
}

TEST_F(Worker, RefusesAModelThatDoesNotFitInMemory) {
    specification_.genes["model.width"] = std::int64_t{65536};
    specification_.genes["model.layers"] = std::int64_t{1000};
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 125);
    EXPECT_EQ(ending.error_kind(), "unfit");
    EXPECT_THAT(ending.error_message(), HasSubstr("memory"));
}

TEST_F(Worker, CallsAnArtifactOverTheCapUnfit) {
    specification_.artifact_cap_bytes = 1000;
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 125);
    EXPECT_EQ(ending.error_kind(), "unfit");
    EXPECT_THAT(ending.error_message(), HasSubstr("over the cap of 1000"));
    EXPECT_FALSE(std::filesystem::exists(specification_.artifact));
}

TEST_F(Worker, SaysWhenTheLossDiverges) {
    specification_.genes["model.layers"] = std::int64_t{32};
    specification_.genes["optim.scalar_lr"] = 1e3;
    specification_.genes["schedule.warmdown_steps"] = std::int64_t{0};
    specification_.budget_s = 20;
    const Ending ending = run();
    EXPECT_EQ(ending.error_kind(), "diverged") << ending.error_message();
    EXPECT_THAT(ending.error_message(), HasSubstr("the loss of step"));
    EXPECT_EQ(ending.exit_code, 128);
}

TEST_F(Worker, RefusesTheArtifactOfAnotherModel) {
    ASSERT_EQ(run().exit_code, 0);
    specification_.genes["model.layers"] = std::int64_t{4};
    const Ending ending = score_artifact();
    EXPECT_EQ(ending.error_kind(), "artifact");
    EXPECT_EQ(ending.exit_code, 128);
}

TEST_F(Worker, RefusesADamagedArtifact) {
    ASSERT_EQ(run().exit_code, 0);
    const std::string whole = read_file(specification_.artifact);
    for (const std::string& bytes : {std::string(), whole.substr(0, whole.size() / 2), "x" + whole}) {
        write_file(specification_.artifact, bytes);
        EXPECT_EQ(score_artifact().error_kind(), "artifact");
    }
    std::filesystem::remove(specification_.artifact);
    EXPECT_EQ(score_artifact().error_kind(), "artifact");
}

TEST_F(Worker, RefusesAnArtifactWithWeightsThatAreNotFinite) {
    ASSERT_EQ(run().exit_code, 0);
    Artifact artifact = unpack_artifact(read_file(specification_.artifact), 1 << 24).value();
    artifact.tensors.at("tok_emb.weight").bytes.replace(0, 2, std::string("\x00\x7e", 2));  // NaN as a half
    write_file(specification_.artifact, pack_artifact(artifact, Compressor::zstd).value());
    EXPECT_EQ(score_artifact().error_kind(), "artifact");
}

TEST_F(Worker, BlamesTheData) {
    write_file(specification_.train_shards[0], "not a shard");
    EXPECT_EQ(run().error_kind(), "data");
    ASSERT_TRUE(write_shard(specification_.train_shards[0], std::vector<std::uint16_t>(5000, 48)));
    EXPECT_EQ(run().error_kind(), "data");  // a token outside the vocabulary
    SetUp();
    write_file(specification_.byte_table, "not a byte table");
    const Ending late = run();
    EXPECT_EQ(late.error_kind(), "data");
    EXPECT_TRUE(late.all<StepEvent>().empty()) << "found out only after training";
}

TEST_F(Worker, RefusesASpecificationThatItCannotHonour) {
    specification_.genes["model.unheard_of"] = true;
    const Ending unknown = run();
    EXPECT_EQ(unknown.error_kind(), "usage");
    EXPECT_EQ(unknown.exit_code, 129);
    specification_.genes = tiny_genes();
    specification_.device = "abacus";
    EXPECT_EQ(run().error_kind(), "usage");
    write_file(folder_ + "/broken.json", "{");
    EXPECT_EQ(run_file(folder_ + "/broken.json").error_kind(), "usage");
    EXPECT_EQ(run_file(folder_ + "/missing.json").error_kind(), "usage");
}

TEST_F(Worker, MeasuresTheMachine) {
    specification_.mode = Specification::Mode::bench;
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 0);
    EXPECT_GT(ending.done().flops_per_s, 1e8);
}

}  // namespace
}  // namespace cultivar
