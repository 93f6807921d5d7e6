#include "eval/formats/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>

namespace cultivar {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kContentLimit = 1 << 20;

// Text of a header's size, then weights on levels -levels..levels: bell-shaped sums of twelve uniform numbers.
struct Content {
    std::string bytes;
    std::size_t text_bytes = 0;
    double entropy_bytes = 0;  // of the weights, taken one by one
};

Content example(int levels, std::size_t weights) {
    Content content;
    for (int i = 0; i < 40; ++i) content.bytes += "\"blocks." + std::to_string(i) + ".attn.proj.weight\",";
    content.text_bytes = content.bytes.size();
    std::mt19937 random(7);
    std::map<int, double> counts;
    for (std::size_t i = 0; i < weights; ++i) {
        double bell = -6;
        for (int k = 0; k < 12; ++k) bell += static_cast<double>(random()) / 4294967296.0;
        const int level = std::clamp(static_cast<int>(std::lround(bell / 3 * levels)), -levels, levels);
        content.bytes.push_back(static_cast<char>(level));
        ++counts[level];
    }
    for (const auto& [level, count] : counts) {
        content.entropy_bytes -= count * std::log2(count / static_cast<double>(weights)) / 8;
    }
    return content;
}

class Compressing : public testing::TestWithParam<Compressor> {
protected:
    static std::string packed(const Content& content) {
        return compress(GetParam(), content.bytes, content.text_bytes).value();
    }
    static void expect_corrupt(const Result<std::string>& content, const std::string& what) {
        ASSERT_FALSE(content) << what;
        EXPECT_EQ(content.error().code, Code::corrupt) << what;
    }
};

INSTANTIATE_TEST_SUITE_P(With, Compressing, testing::Values(Compressor::zstd, Compressor::zlib),
                         [](const auto& test) { return test.param == Compressor::zstd ? "zstd" : "zlib"; });

TEST_P(Compressing, GivesBackEveryLengthOfTextAndNumbers) {
    for (std::size_t weights : {0, 1, 1000, 65535, 65536, 300'000}) {
        Content content = example(31, weights);
        EXPECT_EQ(decompress(packed(content), kContentLimit).value(), content.bytes) << weights;
        content.text_bytes = 0;
        EXPECT_EQ(decompress(packed(content), kContentLimit).value(), content.bytes) << weights;
        content.text_bytes = content.bytes.size();
        EXPECT_EQ(decompress(packed(content), kContentLimit).value(), content.bytes) << weights;
    }
}

TEST_P(Compressing, HasTheSameBytesEachTime) { EXPECT_EQ(packed(example(31, 1000)), packed(example(31, 1000))); }

TEST_P(Compressing, GivesBackWhatCannotBeCompressed) {
    Content content;
    std::mt19937 random(1);
    for (int i = 0; i < 200'000; ++i) content.bytes.push_back(static_cast<char>(random()));
    EXPECT_EQ(decompress(packed(content), kContentLimit).value(), content.bytes);
}

TEST_P(Compressing, ComesCloseToTheEntropyOfTheLevels) {
    for (int levels : {127, 31, 15, 7}) {
        const Content content = example(levels, 500'000);
        const auto size_bytes = static_cast<double>(packed(content).size());
        EXPECT_LT(size_bytes, 1.08 * content.entropy_bytes) << levels;  // zstd 1.5.4: 1.016 at most; 1.5.7: 1.066
        EXPECT_GT(size_bytes, 0.99 * content.entropy_bytes) << levels;
    }
}

TEST_P(Compressing, RefusesContentOverTheLimit) {
    const Content content = example(31, 100'000);
    const auto exact = static_cast<std::int64_t>(content.bytes.size());
    EXPECT_TRUE(decompress(packed(content), exact));
    for (std::int64_t limit_bytes : {exact - 1, exact / 2, std::int64_t{0}, std::int64_t{-1}}) {
        const auto over = decompress(packed(content), limit_bytes);
        ASSERT_FALSE(over);
        EXPECT_THAT(over.error().message, HasSubstr("over the limit"));
    }
    Content bomb;
    bomb.bytes.resize(100 << 20);
    expect_corrupt(decompress(packed(bomb), kContentLimit), "a bomb");
}

TEST_P(Compressing, RefusesEveryTruncation) {
    const std::string whole = packed(example(31, 300));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        expect_corrupt(decompress(std::string_view(whole).substr(0, size), kContentLimit), std::to_string(size));
    }
}

TEST_P(Compressing, RefusesWhatComesAfterTheEnd) {
    const std::string whole = packed(example(31, 300));
    expect_corrupt(decompress(whole + "x", kContentLimit), "a byte");
    expect_corrupt(decompress(whole + whole, kContentLimit), "twice");
    expect_corrupt(decompress(whole + std::string(1 << 20, '\0'), kContentLimit), "zeros");
}

TEST_P(Compressing, SurvivesEveryFlippedBit) {
    const std::string whole = packed(example(31, 300));
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        const auto content = decompress(flipped, kContentLimit);
        EXPECT_TRUE(content || content.error().code == Code::corrupt) << bit;
    }
}

TEST(Decompress, RefusesWhatIsNeitherZstdNorZlib) {
    for (const std::string& bytes : {std::string(), std::string("PK\3\4"), std::string("not compressed at all"),
                                     std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00", 8)}) {
        const auto content = decompress(bytes, kContentLimit);
        ASSERT_FALSE(content);
        EXPECT_THAT(content.error().message, HasSubstr("neither"));
    }
}

TEST(Decompress, RefusesAZstdFrameThatHidesItsSizeOrIsSkipped) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    std::string frame(ZSTD_compressBound(100), '\0');
    const std::string content(100, 'a');
    frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), content.data(), content.size()));
    ZSTD_freeCCtx(context);
    EXPECT_THAT(decompress(frame, kContentLimit).error().message, HasSubstr("does not tell the size"));
    EXPECT_FALSE(decompress(std::string("\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9), kContentLimit));
}

TEST(Decompress, ReadsAnyZlibStreamAndChecksItsSum) {
    const std::string content = "weights, weights, weights";
    std::array<Bytef, 200> stream{};
    uLongf size_bytes = stream.size();
    ASSERT_EQ(compress2(stream.data(), &size_bytes, reinterpret_cast<const Bytef*>(content.data()), content.size(), 1),
              Z_OK);
    std::string bytes(reinterpret_cast<const char*>(stream.data()), size_bytes);
    EXPECT_EQ(decompress(bytes, kContentLimit).value(), content);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);  // the last byte of the Adler-32
    EXPECT_THAT(decompress(bytes, kContentLimit).error().message, HasSubstr("does not decompress"));
}

TEST(Decompress, RefusesAZlibStreamThatAsksForADictionary) {
    const auto content = decompress(std::string("\x78\xbb\x00\x00\x00\x01\x4b\x04\x00", 9), kContentLimit);
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, Code::corrupt);
}

TEST(Compress, WritesZlibThatAnyoneReads) {
    const Content content = example(7, 1000);
    const std::string packed = compress(Compressor::zlib, content.bytes, content.text_bytes).value();
    std::string read(content.bytes.size(), '\0');
    uLongf size_bytes = read.size();
    ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(read.data()), &size_bytes,
                         reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
              Z_OK);
    EXPECT_EQ(read, content.bytes);
    EXPECT_EQ(packed[0], '\x78');
}

}  // namespace
}  // namespace cultivar
