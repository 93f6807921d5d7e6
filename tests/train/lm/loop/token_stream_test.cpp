#include "train/lm/loop/token_stream.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <numeric>

namespace cultivar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TokenStreamTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(write_shard(path("a"), std::vector<std::uint16_t>{1, 2, 3}));
        ASSERT_TRUE(write_shard(path("b"), std::vector<std::uint16_t>{}));
        ASSERT_TRUE(write_shard(path("c"), std::vector<std::uint16_t>{4, 5}));
    }
    static std::string path(const char* name) { return testing::TempDir() + "token_stream_" + name + ".bin"; }
    static TokenStream open() { return TokenStream::open({path("a"), path("b"), path("c")}, 6).value(); }
    static std::vector<std::int64_t> take(TokenStream& stream, std::size_t count) {
        std::vector<std::int64_t> tokens(count);
        EXPECT_TRUE(stream.take(tokens));
        return tokens;
    }
};

TEST_F(TokenStreamTest, CrossesShardsAndWrapsForEver) {
    TokenStream stream = open();
    EXPECT_THAT(take(stream, 4), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(take(stream, 9), ElementsAre(5, 1, 2, 3, 4, 5, 1, 2, 3));
    EXPECT_EQ(stream.position(), 13);
}

TEST_F(TokenStreamTest, GoesOnFromAnyPosition) {
    for (std::int64_t position = 0; position < 12; ++position) {
        TokenStream walked = open(), sought = open();
        take(walked, static_cast<std::size_t>(position));
        sought.seek(position);
        EXPECT_EQ(take(walked, 7), take(sought, 7)) << position;
        EXPECT_EQ(walked.position(), sought.position());
    }
}

TEST_F(TokenStreamTest, RefusesTokensOutsideTheVocabulary) {
    TokenStream stream = TokenStream::open({path("a"), path("c")}, 5).value();
    std::vector<std::int64_t> tokens(5);
    const auto taken = stream.take(tokens);
    ASSERT_FALSE(taken);
    EXPECT_THAT(taken.error().message, HasSubstr("token_stream_c.bin"));
}

TEST_F(TokenStreamTest, RefusesShardsWithoutTokens) {
    EXPECT_FALSE(TokenStream::open({path("b")}, 6));
    EXPECT_FALSE(TokenStream::open({}, 6));
    EXPECT_FALSE(TokenStream::open({path("missing")}, 6));
}

}  // namespace
}  // namespace cultivar
