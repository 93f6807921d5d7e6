#include "train/data/text_cleaning.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "pool/util/text.h"
#include "tests/eval/support/temp_folder.h"

namespace cultivar {
namespace {

const std::string kFffd = "\xEF\xBF\xBD";

std::string cleaned(std::string_view bytes) {
    TextRepairs repairs;
    return clean_text(bytes, repairs);
}

std::string gzipped(std::string_view text) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string packed(text.size() + 100, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

TEST(Text, LeavesGoodTextAlone) {
    const std::string text = "a\tb\n\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8C\xB1\n";
    TextRepairs repairs;
    EXPECT_EQ(clean_text(text, repairs), text);
    EXPECT_EQ(repairs, TextRepairs{});
}

// The example of The Unicode Standard 15.0, section 3.9, table 3-8, and those of tables 3-9 to 3-11.
TEST(Text, ReplacesMaximalInvalidPartsAsTheUnicodeStandardShows) {
    EXPECT_EQ(cleaned("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
              "a" + kFffd + kFffd + kFffd + "b" + kFffd + "c" + kFffd + kFffd + "d");
    EXPECT_EQ(cleaned("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
              kFffd + kFffd + kFffd + kFffd + kFffd + kFffd + kFffd + kFffd + "A");
    EXPECT_EQ(cleaned("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
              kFffd + kFffd + kFffd + kFffd + kFffd + kFffd + kFffd + kFffd + "A");
    EXPECT_EQ(cleaned("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
              kFffd + kFffd + kFffd + kFffd + kFffd + "A" + kFffd + kFffd + "B");
    EXPECT_EQ(cleaned("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), kFffd + kFffd + kFffd + kFffd + "A");
    EXPECT_EQ(cleaned("x\xE2\x82"), "x" + kFffd);
}

TEST(Text, CountsWhatItRepairs) {
    TextRepairs repairs;
    EXPECT_EQ(clean_text(std::string("\xE2\x82z\x92\0\x1b\x7f\r\n\xE2\x96\x81", 12), repairs),
              kFffd + "z" + kFffd + "\n ");
    EXPECT_EQ(repairs.invalid_bytes, 3);
    EXPECT_EQ(repairs.replacements, 2);
    EXPECT_EQ(repairs.dropped_controls, 3);
    EXPECT_EQ(repairs.replaced_marks, 1);
}

TEST(Text, MakesEveryLineEndALineFeed) { EXPECT_EQ(cleaned("a\r\nb\rc\n\r\n\r"), "a\nb\nc\n\n\n"); }

TEST(Text, DropsAByteOrderMarkAtTheStartOnly) { EXPECT_EQ(cleaned("\xEF\xBB\xBFx\xEF\xBB\xBF"), "x\xEF\xBB\xBF"); }

TEST(Text, AgreesWithItselfOnValidity) {
    for (int lead = 0x80; lead < 0x100; ++lead) {
        for (int next = 0; next < 0x100; ++next) {
            const std::string bytes = {static_cast<char>(lead), static_cast<char>(next), '\x80', '\x80'};
            const std::string once = valid_utf8(bytes);
            EXPECT_EQ(valid_utf8(once), once);
        }
    }
}

TEST(Text, InflatesByContentAndNotByName) {
    const TempFolder folder;
    EXPECT_EQ(*read_text_bytes(folder.write("a.txt", gzipped("hello"))), "hello");
    EXPECT_EQ(*read_text_bytes(folder.write("b.gz", "plain")), "plain");
    EXPECT_EQ(*read_text_bytes(folder.write("c", "")), "");
}

TEST(Text, InflatesEveryMember) {
    const TempFolder folder;
    const std::string large(300'000, 'x');
    const std::string members = gzipped("one ") + gzipped("") + gzipped(large) + std::string(512, '\0');
    EXPECT_EQ(*read_text_bytes(folder.write("a.gz", members)), "one " + large);
}

TEST(Text, RefusesADamagedGzipFile) {
    const TempFolder folder;
    const std::string good = gzipped("hello, hello, hello");
    std::string flipped = good;
    flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);
    for (const std::string& bad :
         {good.substr(0, good.size() - 1), good.substr(0, 2), flipped, good + "garbage", good + good.substr(0, 9)}) {
        const auto text = read_text_bytes(folder.write("x.gz", bad));
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().code, Code::corrupt);
    }
}

TEST(Text, SaysWhatCannotBeRead) {
    EXPECT_EQ(read_text_bytes("/nonexistent").error().code, Code::not_found);
    EXPECT_EQ(read_text_bytes("/tmp").error().code, Code::usage);
}

}  // namespace
}  // namespace cultivar
