#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/formats/shard.h"
#include "tests/eval/support/temp_folder.h"
#include "tests/train/support/sample_text.h"
#include "train/data/documents.h"
#include "train/data/import.h"
#include "train/data/tokenizer.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

// A folder like those of Parameter Golf's scripts: two training shards, and a validation set cut in the middle of a
// document.
class ShardsTest : public testing::Test {
protected:
    ShardsTest() {
        const std::vector<std::string> texts = {sample_text(2000)};
        const auto documents = cut_documents(texts, "").ordered;
        model_ = folder_.write("sp.model", *train_sentencepiece(documents));
        tokens_ = *Tokenizer::sentencepiece(folder_.read("sp.model"))->encode(documents);
        std::filesystem::create_directory(folder_.file("shards"));
        const std::span<const std::uint16_t> all = tokens_;
        save("fineweb_val_000000.bin", all.first(10'001));
        save("fineweb_val_000001.bin", all.subspan(10'001, 9'999));
        save("fineweb_train_000000.bin", all.subspan(20'000, 20'000));
        save("fineweb_train_000001.bin", all.subspan(40'000));
    }

    void save(const std::string& name, std::span<const std::uint16_t> tokens) {
        ASSERT_TRUE(write_shard(folder_.file("shards/" + name), tokens));
    }
    Result<DataManifest> import() {
        return import_shards(folder_.file("shards"), model_, 20'000, folder_.file("data"));
    }

    TempFolder folder_;
    std::string model_;
    std::vector<std::uint16_t> tokens_;
};

TEST_F(ShardsTest, AreTakenAsTheyAre) {
    const auto manifest = import();
    ASSERT_TRUE(manifest) << manifest.error().message;
    ASSERT_EQ(manifest->train.size(), 2u);
    EXPECT_EQ(manifest->train[1].name, "fineweb_train_000001.bin");
    EXPECT_EQ(std::filesystem::read_symlink(folder_.file("data/fineweb_train_000000.bin")),
              folder_.file("shards/fineweb_train_000000.bin"));
    EXPECT_EQ(folder_.read("data/tokenizer.model"), folder_.read("sp.model"));
    EXPECT_TRUE(check_data(folder_.file("data"), *manifest));
    EXPECT_TRUE(manifest->sources.empty());
}

TEST_F(ShardsTest, AreJoinedForValidation) {
    const auto manifest = import();
    ASSERT_TRUE(manifest);
    const auto full = Shard::open(folder_.file("data/val_full.bin"));
    EXPECT_TRUE(std::equal(full->tokens().begin(), full->tokens().end(), tokens_.begin(), tokens_.begin() + 20'000));
    EXPECT_EQ(manifest->full_scored.tokens, 16'384);
}

TEST_F(ShardsTest, GiveASliceOfWholeDocuments) {
    const auto manifest = import();
    ASSERT_TRUE(manifest);
    const auto slice = Shard::open(folder_.file("data/val_slice.bin"));
    const std::size_t size = slice->tokens().size();
    ASSERT_LT(size, 20'000u);
    EXPECT_EQ(tokens_[size], kBos);
    EXPECT_TRUE(std::equal(slice->tokens().begin(), slice->tokens().end(), tokens_.begin()));
    const auto table = read_byte_table(folder_.file("data/tokens.bytes"));
    std::int64_t bytes = 0;
    for (std::uint16_t id : slice->tokens()) bytes += table->at(id).base_bytes + (table->at(id).lead ? 1 : 0);
    EXPECT_GE(bytes, 20'000);
    EXPECT_LT(bytes, 20'000 + 300);
}

TEST_F(ShardsTest, MayBeImportedTwice) {
    const auto first = import();
    const auto second = import();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first, *second);
    EXPECT_TRUE(require_same(*second, *first));
}

TEST_F(ShardsTest, OfAnotherMachineMustBeThePools) {
    const auto first = import();
    save("fineweb_train_000001.bin", std::span<const std::uint16_t>(tokens_).first(5'000));
    const auto second = import();
    ASSERT_TRUE(first && second);
    const auto same = require_same(*second, *first);
    ASSERT_FALSE(same);
    EXPECT_THAT(same.error().message, HasSubstr("'fineweb_train_000001.bin'"));
}

TEST_F(ShardsTest, WithTokensBeyondTheTokenizerAreRefused) {
    save("fineweb_train_000001.bin", std::vector<std::uint16_t>{1, 1024});
    const auto manifest = import();
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, Code::corrupt);
    EXPECT_THAT(manifest.error().message, HasSubstr("token 1024"));
}

TEST_F(ShardsTest, MustBeThere) {
    for (const char* name : {"fineweb_val_000000.bin", "fineweb_val_000001.bin"}) {
        std::filesystem::remove(folder_.file("shards/" + std::string(name)));
    }
    const auto manifest = import();
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, Code::not_found);
    EXPECT_THAT(manifest.error().message, HasSubstr("fineweb_val_"));
    EXPECT_EQ(import_shards("/nonexistent", model_, 1, folder_.file("data")).error().code, Code::not_found);
    EXPECT_EQ(
        import_shards(folder_.file("shards"), folder_.file("shards/fineweb_train_000000.bin"), 1, folder_.file("data"))
            .error()
            .code,
        Code::corrupt);
}

}  // namespace
}  // namespace cultivar
