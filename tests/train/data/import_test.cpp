#include "train/data/import.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/formats/bits_per_byte.h"
#include "eval/formats/shard.h"
#include "pool/util/sha256.h"
#include "tests/eval/support/temp_folder.h"
#include "tests/train/support/sample_text.h"
#include "train/data/shard_writer.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

class ImportTest : public testing::Test {
protected:
    ImportTest() {
        const std::string text = sample_text(4000);
        const std::size_t half = text.find("\n\n", text.size() / 2) + 2;
        request_.sources = {folder_.write("a.txt", text.substr(0, half)), folder_.write("b.txt", text.substr(half))};
        request_.slice_bytes = 24 * 1024;
        request_.full_bytes = 64 * 1024;
    }

    DataManifest import(const std::string& name) {
        auto manifest = import_text(request_, folder_.file(name));
        EXPECT_TRUE(manifest) << (manifest ? "" : manifest.error().message);
        return manifest ? *manifest : DataManifest{};
    }
    Result<DataManifest> import_again(const DataManifest& expected, const std::string& model) {
        return import_text_again(request_.sources, expected, model, folder_.file("again"));
    }

    TempFolder folder_;
    ImportRequest request_;
};

TEST_F(ImportTest, WritesShardsThatAreWhatTheManifestSays) {
    const DataManifest manifest = import("data");
    ASSERT_EQ(manifest.train.size(), 1u);
    EXPECT_EQ(manifest.train[0].name, "train_000000.bin");
    for (const DataFile& file : {manifest.train[0], manifest.slice, manifest.full}) {
        const auto shard = Shard::open(data_path(folder_.file("data"), file));
        ASSERT_TRUE(shard);
        EXPECT_EQ(static_cast<std::int64_t>(shard->tokens().size()), file.tokens);
        EXPECT_EQ(shard->tokens().front(), 1);
    }
    EXPECT_EQ(manifest.tokenizer.sha256, sha256_hex(folder_.read("data/tokenizer.model")));
    EXPECT_EQ(manifest.vocabulary, 1024);
    EXPECT_EQ(manifest.documents, 4000);
    EXPECT_TRUE(check_data(folder_.file("data"), manifest));
}

TEST_F(ImportTest, ScoresAWholeNumberOfTargetsAndTheBytesTheyStandFor) {
    const DataManifest manifest = import("data");
    const auto shard = Shard::open(folder_.file("data/val_full.bin"));
    const auto table = read_byte_table(folder_.file("data/tokens.bytes"));
    ASSERT_TRUE(shard && table);
    EXPECT_EQ(manifest.full_scored.tokens % 4096, 0);
    EXPECT_GT(manifest.full_scored.tokens, 0);
    EXPECT_EQ(manifest.full_scored.bytes, target_bytes(shard->tokens(), *table, 0, manifest.full_scored.tokens));
    EXPECT_GT(manifest.full_scored.tokens, manifest.slice_scored.tokens);
}

TEST_F(ImportTest, BeginsTheFullSetWithTheSlice) {
    import("data");
    const auto slice = Shard::open(folder_.file("data/val_slice.bin"));
    const auto full = Shard::open(folder_.file("data/val_full.bin"));
    ASSERT_TRUE(slice && full);
    EXPECT_TRUE(std::equal(slice->tokens().begin(), slice->tokens().end(), full->tokens().begin()));
}

TEST_F(ImportTest, CountsEachByteOfTheTextOnceWithBytes) {
    request_.tokenizer = TokenizerKind::byte;
    const DataManifest manifest = import("data");
    EXPECT_EQ(manifest.train[0].tokens + manifest.full.tokens, manifest.text_bytes + manifest.documents);
    EXPECT_EQ(manifest.tokenizer.name, "");
    EXPECT_EQ(manifest.vocabulary, 260);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("data/tokenizer.model")));
}

TEST_F(ImportTest, DoesNotDependOnTheOrderOfTheFiles) {
    const DataManifest first = import("data");
    std::swap(request_.sources[0], request_.sources[1]);
    EXPECT_EQ(import("other"), first);
}

TEST_F(ImportTest, ReportsWhatItRepaired) {
    request_.sources.push_back(
        folder_.write("c.txt", "caf\xE9 and \x01 more\n\n" + std::string("caf\xE9 and \x02 more")));
    const DataManifest manifest = import("data");
    EXPECT_EQ(manifest.repairs.invalid_bytes, 2);
    EXPECT_EQ(manifest.repairs.dropped_controls, 2);
    EXPECT_EQ(manifest.duplicates, 1);
}

TEST_F(ImportTest, ReportsItsProgressInOrder) {
    std::vector<std::string> phases;
    const auto manifest = import_text(request_, folder_.file("data"), [&](const std::string& phase, double fraction) {
        EXPECT_GE(fraction, 0);
        EXPECT_LE(fraction, 1);
        if (phases.empty() || phases.back() != phase) phases.push_back(phase);
    });
    ASSERT_TRUE(manifest);
    EXPECT_THAT(phases, testing::ElementsAre("reading", "cutting into documents", "training the tokenizer", "encoding",
                                             "writing"));
}

TEST_F(ImportTest, IsTheSameOnAnotherMachine) {
    const DataManifest manifest = import("data");
    std::swap(request_.sources[0], request_.sources[1]);
    const auto again = import_again(manifest, folder_.read("data/tokenizer.model"));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, manifest);
    EXPECT_TRUE(check_data(folder_.file("again"), manifest));
}

TEST_F(ImportTest, NamesTheSourceThatDiffersOnAnotherMachine) {
    request_.tokenizer = TokenizerKind::byte;
    const DataManifest manifest = import("data");
    folder_.write("b.txt", "something else");
    const auto again = import_again(manifest, "");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::corrupt);
    EXPECT_THAT(again.error().message, HasSubstr("source file 'b.txt' is not the pool's"));
}

TEST_F(ImportTest, NamesTheSourceThatIsMissingOrOneTooMany) {
    request_.tokenizer = TokenizerKind::byte;
    const DataManifest manifest = import("data");
    const std::string extra = folder_.write("c.txt", "x");
    request_.sources.push_back(extra);
    EXPECT_THAT(import_again(manifest, "").error().message, HasSubstr("'c.txt' is none of the pool's"));
    request_.sources = {request_.sources[0]};
    EXPECT_THAT(import_again(manifest, "").error().message, HasSubstr("'b.txt' of the pool is missing"));
}

TEST_F(ImportTest, NamesTheFileThatCameOutDifferent) {
    request_.tokenizer = TokenizerKind::byte;
    DataManifest manifest = import("data");
    manifest.full.sha256 = std::string(64, '0');
    const auto again = import_again(manifest, "");
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("'val_full.bin' came out different"));
}

TEST_F(ImportTest, FindsAFileThatIsMissingOrDiffers) {
    request_.tokenizer = TokenizerKind::byte;
    const DataManifest manifest = import("data");
    std::string bytes = folder_.read("data/train_000000.bin");
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    folder_.write("data/train_000000.bin", bytes);
    const auto differs = check_data(folder_.file("data"), manifest);
    ASSERT_FALSE(differs);
    EXPECT_EQ(differs.error().code, Code::corrupt);
    EXPECT_THAT(differs.error().message, HasSubstr("train_000000.bin"));
    std::filesystem::remove(folder_.file("data/train_000000.bin"));
    const auto missing = check_data(folder_.file("data"), manifest);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
}

TEST_F(ImportTest, FindsAPoolThatMiscountsItsValidationSet) {
    request_.tokenizer = TokenizerKind::byte;
    const DataManifest good = import("data");
    for (ScoredPart DataManifest::*part : {&DataManifest::slice_scored, &DataManifest::full_scored}) {
        DataManifest wrong = good;
        (wrong.*part).bytes += 1;
        const auto checked = check_data(folder_.file("data"), wrong);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, Code::corrupt);
        EXPECT_THAT(checked.error().message, HasSubstr(std::to_string((wrong.*part).bytes)));
        EXPECT_EQ(import_again(wrong, "").error().code, Code::corrupt);
    }
}

TEST_F(ImportTest, RefusesTooLittleText) {
    request_.full_bytes = 1 << 20;
    EXPECT_EQ(import_text(request_, folder_.file("data")).error().code, Code::usage);
    request_.slice_bytes = request_.full_bytes = 100;
    const auto unscored = import_text(request_, folder_.file("data"));
    ASSERT_FALSE(unscored);
    EXPECT_THAT(unscored.error().message, HasSubstr("too few to be scored"));
}

TEST_F(ImportTest, SaysWhichSourceCannotBeRead) {
    request_.sources.push_back(folder_.file("none.txt"));
    const auto manifest = import_text(request_, folder_.file("data"));
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, Code::not_found);
    EXPECT_THAT(manifest.error().message, HasSubstr("none.txt"));
    request_.sources.clear();
    EXPECT_EQ(import_text(request_, folder_.file("data")).error().code, Code::usage);
}

TEST_F(ImportTest, CutsTrainingIntoShardsOfEqualLength) {
    const std::vector<std::uint16_t> tokens = {1, 2, 3, 4, 5, 6, 7};
    const auto files = save_training(folder_.path(), tokens, 3);
    ASSERT_TRUE(files);
    ASSERT_EQ(files->size(), 3u);
    EXPECT_EQ(files->at(2).name, "train_000002.bin");
    EXPECT_EQ(files->at(2).tokens, 1);
    EXPECT_EQ(Shard::open(folder_.file("train_000001.bin"))->tokens()[0], 4);
}

}  // namespace
}  // namespace cultivar
