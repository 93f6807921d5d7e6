#include "eval/formats/shard.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"

namespace cultivar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string little_endian(std::uint32_t number) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(number >> shift));
    return bytes;
}

// Builds a shard file by the letter of the format, without the code under test.
std::string shard_bytes(std::uint32_t magic, std::uint32_t version, std::uint32_t count, std::string_view tokens) {
    std::string bytes = little_endian(magic) + little_endian(version) + little_endian(count);
    bytes.resize(1024, '\0');
    return bytes.append(tokens);
}

Error error_of(const TempFolder& folder, std::string_view bytes) {
    const auto shard = Shard::open(folder.write("x.bin", bytes));
    EXPECT_FALSE(shard.has_value());
    return shard ? Error{} : shard.error();
}

TEST(Shard, ReadsParameterGolfsFormat) {
    const TempFolder folder;
    const std::string path =
        folder.write("x.bin", shard_bytes(20240520, 1, 3, std::string_view("\1\0\xff\x03\xff\xff", 6)));
    const auto shard = Shard::open(path);
    ASSERT_TRUE(shard);
    EXPECT_THAT(shard->tokens(), ElementsAre(1, 1023, 65535));
}

TEST(Shard, WritesParameterGolfsFormat) {
    const TempFolder folder;
    const std::vector<std::uint16_t> tokens = {1, 513};
    ASSERT_TRUE(write_shard(folder.file("y.bin"), tokens));
    EXPECT_EQ(folder.read("y.bin"), shard_bytes(20240520, 1, 2, std::string_view("\1\0\1\2", 4)));
}

TEST(Shard, MayBeEmpty) {
    const TempFolder folder;
    ASSERT_TRUE(write_shard(folder.file("y.bin"), {}));
    const auto shard = Shard::open(folder.file("y.bin"));
    ASSERT_TRUE(shard);
    EXPECT_TRUE(shard->tokens().empty());
}

TEST(Shard, LeavesNoTemporaryFileBehind) {
    const TempFolder folder;
    ASSERT_TRUE(write_shard(folder.file("y.bin"), {}));
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
    EXPECT_EQ(files, 1u);
}

TEST(Shard, RefusesAFileWhoseLengthDisagreesWithItsHeader) {
    const TempFolder folder;
    for (std::uint32_t count : {1u, 3u, 0x80000000u, 0xffffffffu, 0x7fffffffu}) {
        const Error error = error_of(folder, shard_bytes(20240520, 1, count, std::string_view("\1\0\1\0", 4)));
        EXPECT_EQ(error.code, Code::corrupt) << count;
        EXPECT_THAT(error.message, HasSubstr("x.bin"));
    }
}

TEST(Shard, RefusesAForeignMagicNumberAndVersion) {
    const TempFolder folder;
    EXPECT_THAT(error_of(folder, shard_bytes(20240521, 1, 0, "")).message, HasSubstr("20240521"));
    EXPECT_THAT(error_of(folder, shard_bytes(20240520, 2, 0, "")).message, HasSubstr("version 2"));
}

TEST(Shard, RefusesAFileShorterThanItsHeader) {
    const TempFolder folder;
    EXPECT_EQ(error_of(folder, "").code, Code::corrupt);
    EXPECT_EQ(error_of(folder, shard_bytes(20240520, 1, 0, "").substr(0, 1023)).code, Code::corrupt);
}

TEST(Shard, SaysWhatIsMissing) {
    const auto shard = Shard::open("/nonexistent/x.bin");
    ASSERT_FALSE(shard);
    EXPECT_EQ(shard.error().code, Code::not_found);
    EXPECT_EQ(Shard::open("/tmp").error().code, Code::io);
}

TEST(Shard, CannotBeWrittenWhereThereIsNoFolder) {
    EXPECT_EQ(write_shard("/nonexistent/x.bin", {}).error().code, Code::io);
}

TEST(ByteTable, HasTheBytesOfItsFormat) {
    const TempFolder folder;
    ASSERT_TRUE(write_byte_table(folder.file("t.bytes"), {{0, false, true}, {258, true, false}}));
    EXPECT_EQ(folder.read("t.bytes"), std::string("CVBYTES1\2\0\0\0\0\0\0\1\2\1\1\0", 20));
}

TEST(ByteTable, ReadsWhatItWrote) {
    const TempFolder folder;
    ASSERT_TRUE(write_byte_table(folder.file("t.bytes"), {{7, true, false}, {0, false, true}}));
    const auto table = read_byte_table(folder.file("t.bytes"));
    ASSERT_TRUE(table);
    ASSERT_EQ(table->size(), 2u);
    EXPECT_EQ(table->at(0).base_bytes, 7);
    EXPECT_TRUE(table->at(0).lead);
    EXPECT_FALSE(table->at(0).boundary);
    EXPECT_TRUE(table->at(1).boundary);
}

TEST(ByteTable, RefusesWhatIsNotOne) {
    const TempFolder folder;
    const std::string good("CVBYTES1\1\0\0\0\1\0\0\0", 16);
    ASSERT_TRUE(read_byte_table(folder.write("t.bytes", good)));
    for (const std::string& bad :
         {std::string(), good.substr(0, 11), good.substr(0, 15), good + "x", "X" + good.substr(1),
          good.substr(0, 14) + std::string("\2\0", 2), std::string("CVBYTES1\xff\xff\xff\xff", 12)}) {
        const auto table = read_byte_table(folder.write("t.bytes", bad));
        ASSERT_FALSE(table) << bad.size();
        EXPECT_EQ(table.error().code, Code::corrupt);
    }
}

}  // namespace
}  // namespace cultivar
