// Whatever is wrong ends in a clear error event and exit code, never in a crash or a silent number.
#include "tests/train/lm/worker_fixture.h"

namespace cultivar {
namespace {

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
    const std::string whole = bytes_of(specification_.artifact);
    for (const std::string& bytes : {std::string(), whole.substr(0, whole.size() / 2), "x" + whole}) {
        write_bytes(specification_.artifact, bytes);
        EXPECT_EQ(score_artifact().error_kind(), "artifact");
    }
    std::filesystem::remove(specification_.artifact);
    EXPECT_EQ(score_artifact().error_kind(), "artifact");
}

TEST_F(Worker, RefusesAnArtifactWithWeightsThatAreNotFinite) {
    ASSERT_EQ(run().exit_code, 0);
    Artifact artifact = unpack_artifact(bytes_of(specification_.artifact), 1 << 24).value();
    artifact.tensors.at("tok_emb.weight").bytes.replace(0, 2, std::string("\x00\x7e", 2));  // NaN as a half
    write_bytes(specification_.artifact, pack_artifact(artifact, Compressor::zstd).value());
    EXPECT_EQ(score_artifact().error_kind(), "artifact");
}

TEST_F(Worker, BlamesTheData) {
    write_bytes(specification_.train_shards[0], "not a shard");
    EXPECT_EQ(run().error_kind(), "data");
    ASSERT_TRUE(write_shard(specification_.train_shards[0], std::vector<std::uint16_t>(5000, 48)));
    EXPECT_EQ(run().error_kind(), "data");  // a token outside the vocabulary
    SetUp();
    write_bytes(specification_.byte_table, "not a byte table");
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
    write_bytes(folder_ + "/broken.json", "{");
    EXPECT_EQ(run_file(folder_ + "/broken.json").error_kind(), "usage");
    EXPECT_EQ(run_file(folder_ + "/missing.json").error_kind(), "usage");
}

}  // namespace
}  // namespace cultivar
