// Tests tokens, shards and byte counts against reference/make_score.py, an independent program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/formats/bits_per_byte.h"
#include "eval/formats/shard.h"
#include "pool/util/file.h"
#include "tests/eval/support/temp_folder.h"
#include "tests/train/lm/reference/golden_score.h"
#include "tests/train/support/sample_text.h"
#include "train/data/tokenizer.h"

namespace cultivar {
namespace {

class Reference : public testing::Test {
protected:
    static std::string path(const std::string& name) { return CULTIVAR_REFERENCE "/" + name; }

    TempFolder folder_;
    Tokenizer tokenizer_ = Tokenizer::sentencepiece(read_file(path("sp1024.model")).value()).value();
    Shard shard_ = Shard::open(path("sp1024_val.bin")).value();
};

TEST_F(Reference, EncodesDocumentsToTheSameTokens) {
    const std::string text = sample_text(kGoldenDocuments);
    std::vector<std::string_view> documents;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find("\n\n", at);
        documents.push_back(std::string_view(text).substr(at, end - at));
        at = end + 2;
    }
    ASSERT_EQ(documents.size(), static_cast<std::size_t>(kGoldenDocuments));
    std::vector<std::uint16_t> tokens = tokenizer_.encode(documents).value();
    tokens.resize(static_cast<std::size_t>(kGoldenTokens));
    EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(), shard_.tokens().begin(), shard_.tokens().end()));
}

TEST_F(Reference, WritesTheSameShardAndByteTable) {
    ASSERT_TRUE(write_shard(folder_.file("val.bin"), shard_.tokens()));
    EXPECT_EQ(folder_.read("val.bin"), read_file(path("sp1024_val.bin")).value());
    EXPECT_EQ(tokenizer_.vocabulary(), 1024);
    ASSERT_TRUE(write_byte_table(folder_.file("tokens.bytes"), tokenizer_.byte_table()));
    EXPECT_EQ(folder_.read("tokens.bytes"), read_file(path("sp1024.bytes")).value());
}

TEST_F(Reference, CountsTheSameTargetsAndBytes) {
    EXPECT_EQ(scored_targets(kGoldenTokens), kGoldenTargets);
    EXPECT_EQ(target_bytes(shard_.tokens(), tokenizer_.byte_table(), 0, kGoldenTargets), kGoldenBytes);
    EXPECT_NEAR(bits_per_byte(kGoldenValLoss, kGoldenTargets, kGoldenBytes), kGoldenValBpb, 1e-11);
}

}  // namespace
}  // namespace cultivar
