// Tests training and scoring by the real program.
#include "tests/train/lm/worker/worker_fixture.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace cultivar {
namespace {

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
    EXPECT_EQ(bytes_of(specification_.artifact)[0], '\x78');
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

TEST_F(Worker, MeasuresTheMachine) {
    specification_.mode = Specification::Mode::bench;
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 0);
    EXPECT_GT(ending.done().flops_per_s, 1e8);
}

std::string printed_by(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << command;
    return text;
}

TEST(Bench, PrintsTheSameSignatureEachTime) {
    const std::string command = fmt::format("OMP_NUM_THREADS=2 '{}' bench --json", CULTIVAR_LM_PROGRAM);
    const auto first = nlohmann::json::parse(printed_by(command)), second = nlohmann::json::parse(printed_by(command));
    EXPECT_EQ(first.at("signature"), second.at("signature"));
    EXPECT_EQ(first.at("signature").get<std::string>().size(), 16U);
    EXPECT_EQ(first.at("losses"), second.at("losses"));
    EXPECT_EQ(first.at("losses").size(), 8U);
    EXPECT_LT(first.at("losses").back().get<double>(), first.at("losses").front().get<double>());
    EXPECT_EQ(first.at("threads").get<int>(), 2);
    EXPECT_GT(first.at("flops_per_s").get<double>(), 1e8);
    EXPECT_FALSE(first.at("instruction_set").get<std::string>().empty());
}

}  // namespace
}  // namespace cultivar
