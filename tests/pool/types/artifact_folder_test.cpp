// A folder as an artifact: the same bytes for the same files, and nothing that leads out of the folder it is laid out in.
#include "pool/types/artifact_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;
using ::testing::HasSubstr;

// A header with another name than a packer would write, its checksum put right.
std::string renamed(std::string archive, const std::string& name) {
    constexpr std::size_t kSecond = 512, kSumAt = 148;
    archive.replace(kSecond, 100, name + std::string(100 - name.size(), '\0'));
    archive.replace(kSecond + kSumAt, 8, "        ");
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[kSecond + i]);
    return archive.replace(kSecond + kSumAt, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
}

TEST(ArtifactFolder, HasTheSameBytesForEver) {
    const Files files = {{"model/weights.bin", std::string(600, 'w')}, {"config.json", "{}"}, {"empty", ""}};
    const std::string bytes = must(pack_artifact_folder(files));
    EXPECT_EQ(bytes.size(), 512U * (1 + 2 + 1 + 3 + 2));
    EXPECT_EQ(sha256_hex(bytes), "0a0a1b8a27f9550d81f0015923aa2b1ab38a827f44b0408818b66142881aadbf");
    EXPECT_EQ(must(pack_artifact_folder({files[2], files[0], files[1]})), bytes) << "in whatever order";
}

TEST(ArtifactFolder, GivesItsFilesBack) {
    const std::string bytes = must(pack_artifact_folder({{"b/c", std::string(512, 'x')}, {"b.c", "y"}, {"a", ""}}));
    EXPECT_TRUE(is_artifact_folder(bytes));
    const PackedFiles files = must(unpack_artifact_folder(bytes));
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].first, "a");
    EXPECT_EQ(files[1].first, "b.c");
    EXPECT_EQ(files[2].second, std::string(512, 'x'));
    EXPECT_FALSE(is_artifact_folder("a model"));
    EXPECT_FALSE(is_artifact_folder(""));
}

TEST(ArtifactFolder, TakesNoNameThatLeadsOutOrThatAMachineTakesForAnother) {
    const std::string deep = "a/b/c/d/e/f/g/h/i", longest = std::string(100, 'n');
    for (const std::string& path :
         {std::string("../x"), std::string("/x"), std::string("a/../x"), std::string("."), std::string("a//b"),
          std::string("a/"), std::string(""), std::string(".ssh/key"), std::string("-rf"), std::string("a b"),
          std::string("a\nb"), std::string("$(x)"), deep, longest + "n"})
        EXPECT_EQ(trouble(pack_artifact_folder({{path, ""}})).code, Code::corrupt) << path;
    for (const Files& files :
         {Files{{"A", ""}, {"a", ""}}, Files{{"a", ""}, {"a/b", ""}}, Files{{"D/a", ""}, {"d/b", ""}}})
        EXPECT_EQ(trouble(pack_artifact_folder(files)).code, Code::corrupt) << files[1].first;
    EXPECT_TRUE(pack_artifact_folder({{longest, ""}, {"run=1/epoch=3,step=100@x+y%.ckpt", ""}, {"_a/b-c", ""}}));
}

TEST(ArtifactFolder, HoldsSoManyFilesAndAtLeastOne) {
    Files files;
    for (std::size_t i = 0; i < kMaxArtifactFiles; ++i) files.emplace_back(fmt::format("f{}", i), "");
    EXPECT_TRUE(pack_artifact_folder(files));
    files.emplace_back("one_more", "");
    EXPECT_THAT(trouble(pack_artifact_folder(files)).message, HasSubstr("more than 1000 files"));
    EXPECT_THAT(trouble(pack_artifact_folder({})).message, HasSubstr("without files"));
}

// Whoever makes an archive by hand makes no second archive of the same files, and no file elsewhere.
TEST(ArtifactFolder, TakesNoOtherArchiveOfTheSameFiles) {
    const std::string bytes = must(pack_artifact_folder({{"aa", "xyz"}, {"bb", ""}}));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        const auto files = unpack_artifact_folder(changed);
        const bool content = at >= 1024 && at < 1027;
        EXPECT_EQ(files.has_value(), content) << at;
    }
    for (std::size_t size = 0; size < bytes.size(); size += 256)
        EXPECT_FALSE(unpack_artifact_folder(bytes.substr(0, size))) << size;
    EXPECT_FALSE(unpack_artifact_folder(bytes + std::string(512, '\0')));
    const std::string one = must(pack_artifact_folder({{"aa", "xyz"}}));
    EXPECT_TRUE(unpack_artifact_folder(renamed(one, "zz")));
    for (const char* name : {"../escape", "/etc/passwd", "a/../../b", ".hidden", ""})
        EXPECT_FALSE(unpack_artifact_folder(renamed(one, name))) << name;
    EXPECT_FALSE(unpack_artifact_folder(renamed(bytes, "bb"))) << "twice the same";
    EXPECT_FALSE(unpack_artifact_folder(renamed(bytes, "cc"))) << "not sorted";
    EXPECT_FALSE(unpack_artifact_folder(renamed(bytes, "BB"))) << "one but for its case";
}

}  // namespace
}  // namespace cultivar
