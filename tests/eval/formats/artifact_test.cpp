#include "eval/formats/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

namespace cultivar {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kLimit = 1 << 20;
const std::string kMetadata = R"("__metadata__":{"format":"cultivar-artifact-1"})";

std::string compressed(const std::string& content) {
    std::string packed(ZSTD_compressBound(content.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1));
    return packed;
}

// Builds a safetensors file by the letter of the format, without the code under test.
std::string content_of(const std::string& header, const std::string& tensors) {
    std::string content;
    for (int shift = 0; shift < 64; shift += 8) content.push_back(static_cast<char>(header.size() >> shift));
    return content + header + tensors;
}

Result<Artifact> unpack(const std::string& header, const std::string& tensors) {
    return unpack_artifact(compressed(content_of(header, tensors)), kLimit);
}

std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

Artifact example() {
    Artifact artifact;
    artifact.tensors["w"] = {"I8", {2, 3}, "abcdef"};
    artifact.tensors["w.scale"] = {"F16", {2}, "wxyz"};
    artifact.tensors["gain"] = {"F32", {}, "1234"};
    artifact.metadata["seed"] = "7";
    return artifact;
}

TEST(Artifact, ComesBackAsItWasPackedWithEitherCompressor) {
    for (Compressor compressor : {Compressor::zstd, Compressor::zlib}) {
        const auto packed = pack_artifact(example(), compressor);
        ASSERT_TRUE(packed);
        const auto artifact = unpack_artifact(*packed, kLimit);
        ASSERT_TRUE(artifact) << artifact.error().message;
        EXPECT_EQ(artifact->metadata, example().metadata);
        ASSERT_EQ(artifact->tensors.size(), 3u);
        for (const auto& [name, tensor] : example().tensors) {
            EXPECT_EQ(artifact->tensors.at(name).dtype, tensor.dtype);
            EXPECT_EQ(artifact->tensors.at(name).shape, tensor.shape);
            EXPECT_EQ(artifact->tensors.at(name).bytes, tensor.bytes);
        }
    }
}

TEST(Artifact, HasTheSameBytesEachTime) {
    EXPECT_EQ(*pack_artifact(example(), Compressor::zstd), *pack_artifact(example(), Compressor::zstd));
}

TEST(Artifact, IsASafetensorsFileInsideOneFrame) {
    const std::string packed = *pack_artifact(example(), Compressor::zstd);
    std::string content(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
    ASSERT_EQ(ZSTD_decompress(content.data(), content.size(), packed.data(), packed.size()), content.size());
    const std::string header =
        R"({"__metadata__":{"format":"cultivar-artifact-1","seed":"7"},)"
        R"("gain":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"w":{"dtype":"I8","shape":[2,3],"data_offsets":[4,10]},)"
        R"("w.scale":{"dtype":"F16","shape":[2],"data_offsets":[10,14]}})";
    const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
    EXPECT_EQ(content, content_of(padded, "1234abcdefwxyz"));
}

TEST(Artifact, ReadsTensorsInAnyOrderOfTheHeader) {
    const auto artifact =
        unpack("{" + tensor("b", "I8", "[2]", "[1,3]") + "," + kMetadata + "," + tensor("a", "I8", "[1]", "[0,1]") +
                   "," + tensor("none", "F32", "[0,5]", "[3,3]") + "}",
               "xyz");
    ASSERT_TRUE(artifact) << artifact.error().message;
    EXPECT_EQ(artifact->tensors.at("a").bytes, "x");
    EXPECT_EQ(artifact->tensors.at("b").bytes, "yz");
    EXPECT_EQ(artifact->tensors.at("none").bytes, "");
}

struct Malformed {
    const char* what;
    std::string header;
    std::string tensors;
};

TEST(Artifact, RefusesEveryMalformedHeader) {
    const std::string good = tensor("a", "I8", "[4]", "[0,4]");
    const auto with = [&](const std::string& rest) { return "{" + kMetadata + "," + rest + "}"; };
    ASSERT_TRUE(unpack(with(good), "1234"));
    const std::vector<Malformed> cases = {
        {"empty", "", "1234"},
        {"no JSON", "{\"a\":", "1234"},
        {"not an object", "[1,2]", ""},
        {"leading space", " " + with(good), "1234"},
        {"trailing words", with(good) + "x", "1234"},
        {"invalid UTF-8", with(tensor("\xff", "I8", "[4]", "[0,4]")), "1234"},
        {"no metadata", "{" + good + "}", "1234"},
        {"metadata not of strings", R"({"__metadata__":{"format":"cultivar-artifact-1","n":1}})", ""},
        {"no format", R"({"__metadata__":{}})", ""},
        {"another format", R"({"__metadata__":{"format":"pt"}})", ""},
        {"a tensor twice", with(good + "," + good), "1234"},
        {"a field twice", with(R"("a":{"dtype":"I8","dtype":"I8","shape":[4],"data_offsets":[0,4]})"), "1234"},
        {"an unknown dtype", with(tensor("a", "F64", "[1]", "[0,8]")), "12345678"},
        {"a dtype that is no string", with(R"("a":{"dtype":1,"shape":[4],"data_offsets":[0,4]})"), "1234"},
        {"a missing field", with(R"("a":{"dtype":"I8","shape":[4]})"), "1234"},
        {"a further field", with(R"("a":{"dtype":"I8","shape":[4],"data_offsets":[0,4],"x":1})"), "1234"},
        {"a tensor that is no object", with(R"("a":7)"), "1234"},
        {"a negative side", with(tensor("a", "I8", "[-4]", "[0,4]")), "1234"},
        {"a broken side", with(tensor("a", "I8", "[4.0]", "[0,4]")), "1234"},
        {"a shape that is no list", with(tensor("a", "I8", "4", "[0,4]")), "1234"},
        {"a shape of lists", with(tensor("a", "I8", "[[4]]", "[0,4]")), "1234"},
        {"an overflowing shape", with(tensor("a", "F32", "[4294967296,4294967296]", "[0,0]")), ""},
        {"an overflow by the type's size", with(tensor("a", "F32", "[4611686018427387904]", "[0,0]")), ""},
        {"a side over 63 bits", with(tensor("a", "I8", "[18446744073709551615]", "[0,4]")), "1234"},
        {"a shape smaller than the offsets", with(tensor("a", "I8", "[3]", "[0,4]")), "1234"},
        {"negative offsets", with(tensor("a", "I8", "[4]", "[-4,0]")), "1234"},
        {"offsets backwards", with(tensor("a", "I8", "[4]", "[4,0]")), "1234"},
        {"three offsets", with(tensor("a", "I8", "[4]", "[0,4,4]")), "1234"},
        {"offsets beyond the content", with(tensor("a", "I8", "[5]", "[0,5]")), "1234"},
        {"huge offsets", with(tensor("a", "I8", "[4]", "[18446744073709551612,18446744073709551616]")), "1234"},
        {"a hole", with(tensor("a", "I8", "[1]", "[0,1]") + "," + tensor("b", "I8", "[2]", "[2,4]")), "1234"},
        {"an overlap", with(tensor("a", "I8", "[3]", "[0,3]") + "," + tensor("b", "I8", "[2]", "[2,4]")), "1234"},
        {"a beginning after 0", with(tensor("a", "I8", "[3]", "[1,4]")), "1234"},
        {"bytes of no tensor", with(tensor("a", "I8", "[3]", "[0,3]")), "1234"},
        {"a byte order mark", "\xEF\xBB\xBF" + with(good), "1234"},
        {"a name twice, once by an escape", with(good + "," + tensor("\\u0061", "I8", "[0]", "[4,4]")), "1234"},
        {"metadata twice", "{" + kMetadata + "," + kMetadata + "," + good + "}", "1234"},
        {"a metadata key twice", R"({"__metadata__":{"format":"cultivar-artifact-1","a":"1","a":"2"}})", ""},
        {"metadata of metadata", R"({"__metadata__":{"format":"cultivar-artifact-1","a":{"b":"c"}}})", ""},
        {"an overflow that a zero would hide", with(tensor("a", "I8", "[4294967296,4294967296,0]", "[0,0]")), ""},
        {"more sides than a tensor needs", with(tensor("a", "I8", "[1,1,1,1,1,1,1,1,4]", "[0,4]")), "1234"},
        {"a name without end", with(tensor(std::string(257, 'a'), "I8", "[4]", "[0,4]")), "1234"},
        {"needless depth", with("\"a\":" + std::string(100'000, '[')), ""},
    };
    for (const Malformed& bad : cases) {
        const auto artifact = unpack(bad.header, bad.tensors);
        ASSERT_FALSE(artifact) << bad.what;
        EXPECT_EQ(artifact.error().code, Code::corrupt) << bad.what;
    }
}

TEST(Artifact, RefusesAHeaderBeyondItsLimitsOrItsContent) {
    const std::string huge = std::string(1 << 20, ' ') + "}";
    const auto beyond = unpack_artifact(compressed(content_of("{" + huge, "")), 4 * kLimit);
    ASSERT_FALSE(beyond);
    EXPECT_THAT(beyond.error().message, HasSubstr("1 MiB"));
    for (const std::string& content : {std::string(), std::string("\1\0\0\0\0\0\0", 7),
                                       std::string("\2\0\0\0\0\0\0\0{", 9), std::string(8, '\xff') + "{}"}) {
        EXPECT_FALSE(unpack_artifact(compressed(content), kLimit)) << content.size();
    }
}

TEST(Artifact, RefusesMoreTensorsThanAnyModelHas) {
    std::string header = "{" + kMetadata;
    for (int i = 0; i < 16385; ++i) header += "," + tensor(std::to_string(i), "I8", "[0]", "[0,0]");
    const auto artifact = unpack(header + "}", "");
    ASSERT_FALSE(artifact);
    EXPECT_THAT(artifact.error().message, HasSubstr("over 16384 tensors"));
}

// A polyglot file is also a zip archive, or another format that is read from its end.
TEST(Artifact, RefusesWhatIsSomethingElseToo) {
    const std::string header = "{" + kMetadata + "," + tensor("a", "I8", "[4]", "[0,4]") + "}";
    const std::string content = content_of(header, "1234"), tail = "PK\5\6" + std::string(18, '\0');
    ASSERT_TRUE(unpack_artifact(compressed(content), kLimit));
    EXPECT_FALSE(unpack_artifact(compressed(content) + tail, kLimit));
    EXPECT_FALSE(unpack_artifact(compressed(content + tail), kLimit));
    EXPECT_FALSE(unpack_artifact(tail + compressed(content), kLimit));
    EXPECT_FALSE(unpack_artifact(compressed(content) + compressed(content), kLimit));
    const std::string skippable("\x50\x2a\x4d\x18\4\0\0\0xxxx", 12);
    EXPECT_FALSE(unpack_artifact(skippable + compressed(content), kLimit));
    EXPECT_FALSE(unpack_artifact(compressed(content) + skippable, kLimit));
}

TEST(Artifact, SurvivesEveryFlippedBit) {
    const std::string packed = *pack_artifact(example(), Compressor::zstd);
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        std::string flipped = packed;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        const auto artifact = unpack_artifact(flipped, kLimit);
        EXPECT_TRUE(artifact || artifact.error().code == Code::corrupt) << bit;
    }
}

TEST(Artifact, IsNotPackedWithTensorsThatContradictThemselves) {
    Artifact artifact = example();
    artifact.tensors["w"].shape = {2, 2};
    EXPECT_FALSE(pack_artifact(artifact, Compressor::zstd));
    artifact = example();
    artifact.tensors["w"].dtype = "F64";
    EXPECT_FALSE(pack_artifact(artifact, Compressor::zstd));
    artifact = example();
    artifact.tensors["__metadata__"] = {"I8", {0}, ""};
    EXPECT_FALSE(pack_artifact(artifact, Compressor::zstd));
    artifact = example();
    artifact.metadata["\xff"] = "x";
    EXPECT_FALSE(pack_artifact(artifact, Compressor::zstd));
}

}  // namespace
}  // namespace cultivar
