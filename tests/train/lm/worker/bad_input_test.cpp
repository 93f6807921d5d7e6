// Tests that every bad input gives a clear error event and exit code, never a crash or a silent number.
#include "tests/train/lm/worker/worker_fixture.h"

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

// The files to read are missing, and memory stays near that of the program itself.
TEST_F(Worker, RefusesHostileSizesBeforeItPaysForThem) {
    const Genes good = specification_.genes;
    specification_.train_shards = {folder_ + "/missing"};
    for (const Genes& hostile : std::vector<Genes>{
             {{"model.width", std::int64_t{65536}}, {"model.layers", std::int64_t{1024}}},
             {{"model.layers", std::int64_t{1024}}, {"model.width", std::int64_t{4096}}},
             {{"model.width", std::int64_t{65536}}, {"model.mlp_mult", std::int64_t{64}}},
             {{"model.bigram_buckets", std::int64_t{1 << 20}}, {"model.bigram_width", std::int64_t{65536}}}}) {
        specification_.genes = good;
        for (const auto& [name, value] : hostile) specification_.genes[name] = value;
        const Ending ending = run();
        EXPECT_EQ(ending.exit_code, 125);
        EXPECT_EQ(ending.error_kind(), "unfit");
        EXPECT_THAT(ending.error_message(), HasSubstr("memory"));
        EXPECT_LT(ending.peak_rss_bytes, 500e6);
    }
}

TEST_F(Worker, RefusesToScoreAModelOfHostileSize) {
    specification_.genes["model.width"] = std::int64_t{65536};
    specification_.genes["model.layers"] = std::int64_t{1024};
    write_bytes(specification_.artifact, "tiny");
    const Ending ending = score_artifact();
    EXPECT_EQ(ending.error_kind(), "unfit");
    EXPECT_LT(ending.peak_rss_bytes, 500e6);
}

TEST_F(Worker, SaysWhatMemoryItWillTake) {
    specification_.genes["model.layers"] = std::int64_t{8};
    specification_.genes["model.width"] = std::int64_t{256};
    specification_.genes["data.seq_len"] = std::int64_t{512};
    specification_.genes["data.tokens_per_step"] = std::int64_t{2048};
    specification_.threads = 2;
    specification_.mode = Specification::Mode::replay;
    specification_.clock = {0};
    const Ending ending = run();
    ASSERT_EQ(ending.exit_code, 0) << ending.error_message();
    const double expected_bytes = ending.all<StartEvent>().front().memory_bytes;
    EXPECT_NEAR(ending.peak_rss_bytes / expected_bytes, 1, 0.2) << expected_bytes;
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

TEST_F(Worker, RefusesAnOversizedArtifact) {
    ASSERT_EQ(run().exit_code, 0);
    const std::string whole = bytes_of(specification_.artifact);
    write_bytes(specification_.artifact, whole + std::string(8 << 20, 'x'));
    const Ending longer = score_artifact();
    EXPECT_EQ(longer.error_kind(), "artifact");
    EXPECT_THAT(longer.error_message(), HasSubstr("larger than its content may be"));
    // 32 MB of zeros in a few kilobytes.
    write_bytes(
        specification_.artifact,
        pack_artifact({{{"tok_emb.weight", {"I8", {1 << 25}, std::string(1 << 25, '\0')}}}, {}}, Compressor::zstd)
            .value());
    EXPECT_LT(std::filesystem::file_size(specification_.artifact), 1U << 17);
    const Ending bomb = score_artifact();
    EXPECT_EQ(bomb.error_kind(), "artifact");
}

TEST_F(Worker, RefusesAnArtifactWhoseTensorsAreNotTheModels) {
    ASSERT_EQ(run().exit_code, 0);
    const Artifact good = unpack_artifact(bytes_of(specification_.artifact), 1 << 24).value();
    const auto refused = [&](const std::function<void(std::map<std::string, Tensor>&)>& spoil) {
        Artifact artifact = good;
        spoil(artifact.tensors);
        write_bytes(specification_.artifact, pack_artifact(artifact, Compressor::zstd).value());
        const Ending ending = score_artifact();
        return ending.error_kind() == "artifact" && ending.exit_code == 128;
    };
    const std::string name = "tok_emb.weight";
    EXPECT_TRUE(refused([&](auto& tensors) { tensors.erase(name); }));
    EXPECT_TRUE(refused([&](auto& tensors) { tensors["one.too.many"] = tensors[name]; }));
    EXPECT_TRUE(refused([&](auto& tensors) { std::swap(tensors[name].shape[0], tensors[name].shape[1]); }));
    EXPECT_TRUE(refused([&](auto& tensors) {
        tensors[name].shape = {0, std::int64_t{1} << 40};
        tensors[name].bytes.clear();
    }));
    EXPECT_TRUE(
        refused([&](auto& tensors) { tensors[name].dtype = "F32", tensors[name].bytes += tensors[name].bytes; }));
}

TEST_F(Worker, RefusesAnArtifactWithWeightsThatAreNotFinite) {
    ASSERT_EQ(run().exit_code, 0);
    Artifact artifact = unpack_artifact(bytes_of(specification_.artifact), 1 << 24).value();
    artifact.tensors.at("tok_emb.weight").bytes.replace(0, 2, std::string("\x00\x7e", 2));  // NaN as a half
    write_bytes(specification_.artifact, pack_artifact(artifact, Compressor::zstd).value());
    EXPECT_EQ(score_artifact().error_kind(), "artifact");
}

TEST_F(Worker, RefusesShardsWithAWrongHeaderOrLength) {
    const std::string good = bytes_of(specification_.train_shards[0]);
    const auto with_int = [&](std::size_t index, std::int32_t value) {
        std::string bytes = good;
        return bytes.replace(4 * index, 4, reinterpret_cast<const char*>(&value), 4);
    };
    for (const std::string& bad : {std::string(), std::string("not a shard"), good.substr(0, 1000),
                                   good.substr(0, good.size() - 1), good + "xx", with_int(0, 20240521), with_int(1, 2),
                                   with_int(2, 19999), with_int(2, std::numeric_limits<std::int32_t>::max())}) {
        for (std::string* path : {&specification_.train_shards[0], &specification_.val_shard}) {
            const std::string kept = *path;
            *path = folder_ + "/bad.bin";
            write_bytes(*path, bad);
            const Ending ending = run();
            EXPECT_EQ(ending.error_kind(), "data");
            EXPECT_THAT(ending.error_message(), HasSubstr("bad.bin"));
            EXPECT_EQ(ending.exit_code, 128);
            EXPECT_TRUE(ending.all<StepEvent>().empty());
            *path = kept;
        }
    }
}

TEST_F(Worker, RefusesTheShardsAndTheByteTableOfAnotherTokenizer) {
    const std::string foreign = folder_ + "/foreign.bin";
    ASSERT_TRUE(write_shard(foreign, std::vector<std::uint16_t>(9000, kVocabulary)));
    const auto refused = [&](const char* part) {
        const Ending ending = run();
        EXPECT_EQ(ending.exit_code, 128);
        EXPECT_THAT(ending.error_message(), HasSubstr(part));
        return ending.error_kind() == "data" && ending.all<StepEvent>().empty();
    };
    const Specification good = specification_;
    specification_.train_shards = {foreign};
    EXPECT_TRUE(refused("has token 48, the vocabulary only 48"));
    specification_ = good;
    specification_.val_shard = foreign;
    EXPECT_TRUE(refused("has token 48, the vocabulary only 48"));
    specification_ = good;
    for (std::int64_t size : {kVocabulary - 1, kVocabulary + 1}) {
        ASSERT_TRUE(write_byte_table(specification_.byte_table, ByteTable(static_cast<std::size_t>(size))));
        EXPECT_TRUE(refused("ids, the vocabulary 48"));
    }
    write_bytes(specification_.byte_table, "not a byte table");
    EXPECT_TRUE(refused("tokens.bytes"));
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
