#include "pool/util/toml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Toml, GivesEveryValueItsPathAndPosition) {
    auto entries =
        must(read_toml("a = 1\n\n[b.\"c d\"]\n  e = [true, 'x', 2.5]\n[[f]]\ng = -0.0\n[[f]]\ng = 1_000\n", "x"));
    ASSERT_EQ(entries.size(), 4u);
    EXPECT_THAT(entries[1].path, ElementsAre("b", "c d", "e"));
    EXPECT_EQ(std::pair(entries[1].line, entries[1].column), std::pair(4, 7));
    EXPECT_TRUE(entries[1].is_array);
    EXPECT_THAT(entries[1].values, ElementsAre(Value(true), word("x"), Value(2.5)));
    EXPECT_EQ(entries[2].dotted(), "f.0.g");
    EXPECT_EQ(entries[3].dotted(1), "1.g");
    EXPECT_EQ(entries[3].values.front(), whole(1000));
}

TEST(Toml, KeepsTheOrderOfTheFile) {
    auto entries = must(read_toml("z = 1\na = 2\nm.b = 3\nm.a = 4\n", "x"));
    std::vector<std::string> names;
    for (const TomlEntry& entry : entries) names.push_back(entry.dotted());
    EXPECT_THAT(names, ElementsAre("z", "a", "m.b", "m.a"));
}

TEST(Toml, SaysWhereAFileIsWrong) {
    EXPECT_THAT(trouble(read_toml("a = 1\nb = = 2\n", "pool.toml")).message, StartsWith("pool.toml:2:5: "));
    EXPECT_THAT(trouble(read_toml("a = 1\na = 2\n", "pool.toml")).message, StartsWith("pool.toml:2:"));
    for (const char* text : {"a = 1\nb = 1979-05-27\n", "a = 1\nb = [[1]]\n", "a = 1\nb = [{c = 1}, 2]\n"}) {
        Error error = trouble(read_toml(text, "pool.toml"));
        EXPECT_EQ(error.code, Code::usage);
        EXPECT_THAT(error.message, StartsWith("pool.toml:2:")) << text;
    }
}

TEST(Toml, RefusesTextOverTheLimit) {
    std::string text = "a = 1\n#" + std::string(100, 'x');
    EXPECT_TRUE(read_toml(text, "x", text.size()));
    EXPECT_THAT(trouble(read_toml(text, "x", text.size() - 1)).message, HasSubstr("107 bytes are more than the 106"));
}

// As large as a pool.toml may be, and as deep as its size allows.
TEST(Toml, RefusesWhatIsNestedTooDeepWithoutFallingOver) {
    std::string dotted = "a", table = "[a";
    for (int i = 0; i < 400'000; ++i) dotted += ".a", table += ".a";
    std::string arrays(400'000, '['), inline_tables;
    for (int i = 0; i < 100'000; ++i) inline_tables += "{a=";
    std::string many_headers;
    for (std::string header = "a"; many_headers.size() < 900'000; header += ".a") many_headers += "[" + header + "]\n";
    for (const std::string& text :
         {dotted + " = 1", table + "]\nb = 1", "a = " + arrays, "a = " + inline_tables, many_headers + "x = 1"})
        EXPECT_EQ(trouble(read_toml(text, "x")).code, Code::usage);
    EXPECT_TRUE(read_toml("a.b.c.d.e.f.g = 1", "x"));
}

TEST(Toml, RefusesBytesThatAreNotText) {
    EXPECT_FALSE(read_toml(std::string("a = \"\0\"\n", 8), "x"));
    EXPECT_FALSE(read_toml("a = \"\xff\xfe\"\n", "x"));
}

}  // namespace
}  // namespace cultivar
