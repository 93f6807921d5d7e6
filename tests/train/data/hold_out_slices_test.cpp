#include "train/data/hold_out_slices.h"

#include <sys/stat.h>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"
#include "tests/train/support/sample_text.h"
#include "train/data/import.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

// A pool with data of the first 3,000 documents and the byte tokenizer, and a verifier's text of all 6,000.
class HoldOutTest : public testing::Test {
protected:
    HoldOutTest() {
        const std::string text = sample_text(6000);
        std::size_t half = 0;
        for (int document = 0; document < 3000; ++document) half = text.find("\n\n", half) + 2;
        pool_.sources = {folder_.write("pool.txt", text.substr(0, half))};
        pool_.tokenizer = TokenizerKind::byte;
        pool_.slice_bytes = 20 * 1024;
        pool_.full_bytes = 40 * 1024;
        const auto manifest = import_text(pool_, folder_.file("data"));
        EXPECT_TRUE(manifest);
        request_.sources = {folder_.write("secret.txt", text)};
        request_.targets = manifest->slice_scored.tokens;
        for (const DataFile& file : {manifest->train[0], manifest->full})
            request_.known.push_back(data_path(folder_.file("data"), file));
    }
    std::vector<std::uint16_t> tokens(const std::string& name) {
        const auto shard = Shard::open(folder_.file("hold-out/" + name));
        EXPECT_TRUE(shard) << name;
        return {shard->tokens().begin(), shard->tokens().end()};
    }

    TempFolder folder_;
    ImportRequest pool_;
    HoldOutRequest request_;
};

TEST_F(HoldOutTest, DropsWhatThePoolHasAndNothingElse) {
    const auto made = make_hold_out(request_, folder_.file("hold-out"));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->known, 3000);
    EXPECT_EQ(made->documents, 3000);
    EXPECT_EQ(made->duplicates, 0);
}

TEST_F(HoldOutTest, CutsSlicesThatScoreAsManyTargetsAsThePools) {
    const auto made = make_hold_out(request_, folder_.file("hold-out"));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_GE(made->slices.size(), 5U);
    for (const HoldOutSlice& slice : made->slices) {
        EXPECT_EQ(slice.scored.tokens, request_.targets);
        EXPECT_GT(slice.scored.bytes, 0);
        EXPECT_EQ(tokens(slice.name).front(), 1) << "begins with a document";
        EXPECT_EQ(static_cast<std::int64_t>(tokens(slice.name).size()), request_.targets + 1);
    }
}

TEST_F(HoldOutTest, IsInAnOrderThatNobodyElseCanMake) {
    ASSERT_TRUE(make_hold_out(request_, folder_.file("hold-out")));
    const std::vector<std::uint16_t> first = tokens("slice_00.bin");
    ASSERT_TRUE(make_hold_out(request_, folder_.file("hold-out")));
    EXPECT_NE(tokens("slice_00.bin"), first);
}

TEST_F(HoldOutTest, IsItsOwnersAlone) {
    ASSERT_TRUE(make_hold_out(request_, folder_.file("hold-out")));
    struct stat folder {};
    ASSERT_EQ(::stat(folder_.file("hold-out").c_str(), &folder), 0);
    EXPECT_EQ(folder.st_mode & 0777U, 0700U);
}

TEST_F(HoldOutTest, NeedsTextThatIsNotThePools) {
    request_.sources = pool_.sources;
    const auto made = make_hold_out(request_, folder_.file("hold-out"));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::usage);
    EXPECT_THAT(made.error().message, HasSubstr("3000 are in the pool's data"));
    request_.sources = {};
    EXPECT_EQ(make_hold_out(request_, folder_.file("hold-out")).error().code, Code::usage);
    request_.sources = {folder_.file("missing")};
    EXPECT_EQ(make_hold_out(request_, folder_.file("hold-out")).error().code, Code::not_found);
}

}  // namespace
}  // namespace cultivar
