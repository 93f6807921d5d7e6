#include "train/data/tokenizer.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include "tests/train/support/sample_text.h"
#include "train/data/documents.h"

namespace cultivar {
namespace {

using testing::ElementsAre;

class SentencePieceTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        texts_ = new std::vector<std::string>{sample_text(4000)};
        documents_ = new std::vector<std::string_view>(cut_documents(*texts_, "").ordered);
        const auto model = train_sentencepiece(*documents_);
        model_ = new std::string(model ? *model : "");
    }
    static void TearDownTestSuite() {
        delete texts_;
        delete documents_;
        delete model_;
    }
    void SetUp() override {
        auto tokenizer = Tokenizer::sentencepiece(*model_);
        ASSERT_TRUE(tokenizer);
        tokenizer_ = *tokenizer;
        ASSERT_TRUE(reference_.LoadFromSerializedProto(*model_).ok());
    }

    std::int64_t bytes_by_table(std::string_view document) const {
        const auto ids = tokenizer_.encode({document});
        EXPECT_TRUE(ids);
        std::int64_t bytes = 0;
        for (std::size_t at = 1; at < ids->size(); ++at) {
            const TokenBytes& token = tokenizer_.byte_table()[(*ids)[at]];
            const bool after_boundary = tokenizer_.byte_table()[(*ids)[at - 1]].boundary;
            bytes += token.base_bytes + (token.lead && !after_boundary ? 1 : 0);
        }
        return bytes;
    }

    static inline std::vector<std::string>* texts_ = nullptr;
    static inline std::vector<std::string_view>* documents_ = nullptr;
    static inline std::string* model_ = nullptr;
    Tokenizer tokenizer_ = Tokenizer::bytes();
    sentencepiece::SentencePieceProcessor reference_;
};

TEST_F(SentencePieceTest, HasParameterGolfsSpecialIds) {
    EXPECT_EQ(tokenizer_.vocabulary(), kTrainedPieces);
    EXPECT_EQ(reference_.pad_id(), 0);
    EXPECT_EQ(reference_.bos_id(), 1);
    EXPECT_EQ(reference_.eos_id(), 2);
    EXPECT_EQ(reference_.unk_id(), 3);
    for (int id = 0; id < 4; ++id) EXPECT_TRUE(tokenizer_.byte_table()[static_cast<std::size_t>(id)].boundary) << id;
    EXPECT_FALSE(tokenizer_.byte_table()[4].boundary);
}

TEST_F(SentencePieceTest, IsTrainedToTheSameBytesEachTime) { EXPECT_EQ(*train_sentencepiece(*documents_), *model_); }

// Compares the byte table with SentencePiece's own decoding of each piece.
TEST_F(SentencePieceTest, HasAByteTableThatAgreesWithDecoding) {
    int checked = 0;
    const int anchor = reference_.PieceToId("<0x41>");
    for (int id = 4; id < reference_.GetPieceSize(); ++id) {
        const TokenBytes token = tokenizer_.byte_table()[static_cast<std::size_t>(id)];
        if (reference_.IsByte(id)) {
            EXPECT_EQ(token.base_bytes, 1);
            EXPECT_FALSE(token.lead);
            continue;
        }
        std::string decoded;
        ASSERT_TRUE(reference_.Decode(std::vector<int>{anchor, id}, &decoded).ok());
        EXPECT_EQ(token.base_bytes + (token.lead ? 1 : 0), static_cast<int>(decoded.size()) - 1) << decoded;
        EXPECT_EQ(token.lead, decoded[1] == ' ') << decoded;
        ++checked;
    }
    EXPECT_GT(checked, 500);
}

TEST_F(SentencePieceTest, CountsEveryDocumentsBytesExactly) {
    std::int64_t wrong = 0;
    for (std::string_view document : *documents_) {
        wrong += bytes_by_table(document) != static_cast<std::int64_t>(document.size());
    }
    EXPECT_EQ(wrong, 0);
}

TEST_F(SentencePieceTest, CountsTextItHasNeverSeenExactly) {
    for (std::string_view document :
         {"Zwölf Boxkämpfer", "a  b   c", "tab\there", "line\n\n  indented\n", "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
          "\xEF\xBF\xBD",
          "\xC2\xA0non\xC2\xA0"
          "breaking",
          "<0x41> <s> </s> <unk> <pad>", "\xEF\xAC\x81 ligature \xE2\x85\xA7", "x", "\xE2\x81\x87 x"}) {
        EXPECT_EQ(bytes_by_table(document), static_cast<std::int64_t>(document.size())) << document;
    }
}

// Documents are trimmed, so this happens only in text of other origin.
TEST_F(SentencePieceTest, DoesNotCountTheSpaceAtADocumentsStart) {
    EXPECT_EQ(bytes_by_table(" word"), 4);
    EXPECT_EQ(bytes_by_table("  word"), 5);
}

TEST_F(SentencePieceTest, EncodesAsSentencePieceDoes) {
    const std::string_view document = documents_->front();
    std::vector<int> expected;
    ASSERT_TRUE(reference_.Encode(document, &expected).ok());
    const auto ids = tokenizer_.encode({document});
    ASSERT_TRUE(ids);
    ASSERT_EQ(ids->size(), expected.size() + 1);
    EXPECT_EQ(ids->front(), kBos);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), ids->begin() + 1));
}

TEST_F(SentencePieceTest, CutsAHugeDocumentWithoutChangingIt) {
    std::string huge;
    while (huge.size() < 200'000) huge += std::string(documents_->at(huge.size() % documents_->size())) + "\n";
    EXPECT_EQ(bytes_by_table(huge), static_cast<std::int64_t>(huge.size()));
    std::vector<int> whole;
    ASSERT_TRUE(reference_.Encode(huge, &whole).ok());
    EXPECT_EQ(tokenizer_.encode({huge})->size(), whole.size() + 1);
    const std::string unbroken = std::string(65'535, 'x') + "\xE2\x82\xAC" + std::string(10, 'y');
    EXPECT_EQ(bytes_by_table(unbroken), static_cast<std::int64_t>(unbroken.size()));
}

TEST_F(SentencePieceTest, EncodesManyDocumentsAsOneByOne) {
    std::vector<std::uint16_t> one_by_one;
    for (std::string_view document : *documents_) {
        const auto ids = tokenizer_.encode({document});
        one_by_one.insert(one_by_one.end(), ids->begin(), ids->end());
    }
    EXPECT_EQ(*tokenizer_.encode(*documents_), one_by_one);
}

TEST_F(SentencePieceTest, IsRefusedWhenDamaged) {
    for (const std::string& bad : {std::string(), std::string("not a model"), model_->substr(0, model_->size() / 2)}) {
        const auto tokenizer = Tokenizer::sentencepiece(bad);
        ASSERT_FALSE(tokenizer) << bad.size();
        EXPECT_EQ(tokenizer.error().code, Code::corrupt);
    }
}

TEST_F(SentencePieceTest, SaysNothingOnTheTerminal) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    EXPECT_TRUE(train_sentencepiece(*documents_));
    EXPECT_FALSE(train_sentencepiece({}));
    EXPECT_FALSE(Tokenizer::sentencepiece("not a model"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(ByteTokenizer, GivesEveryByteItsId) {
    const Tokenizer tokenizer = Tokenizer::bytes();
    EXPECT_EQ(tokenizer.vocabulary(), 260);
    EXPECT_THAT(*tokenizer.encode({"a\xC3\xA9", "\n"}), ElementsAre(1, 4 + 'a', 4 + 0xC3, 4 + 0xA9, 1, 4 + '\n'));
}

TEST(ByteTokenizer, CountsOneByteAToken) {
    const ByteTable table = Tokenizer::bytes().byte_table();
    for (std::size_t id = 0; id < table.size(); ++id) {
        EXPECT_EQ(table[id].base_bytes, id < 4 ? 0 : 1) << id;
        EXPECT_EQ(table[id].boundary, id < 4) << id;
        EXPECT_FALSE(table[id].lead) << id;
    }
}

TEST(ByteTokenizer, EncodesNothingToNothing) { EXPECT_TRUE(Tokenizer::bytes().encode({})->empty()); }

}  // namespace
}  // namespace cultivar
