#include "cli/app/argument_parser.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

struct Words {
    std::optional<std::int64_t> runs;
    std::string while_command, id;
    std::vector<std::string> more;
    bool propose = false;
};

Result<void> parse(Words& into, const std::vector<std::string>& words) {
    Parser parser("explore", "Improve candidates", "ID [MORE...]");
    parser.option("-n,--runs", into.runs, "N", "end after N runs");
    parser.option("--while", into.while_command, "CMD", "asked before each run");
    parser.flag("--propose", into.propose, "push at the end");
    parser.positional("ID", into.id, "a candidate");
    parser.positionals("MORE", into.more, "others");
    return parser.parse(words);
}

std::string complaint(const std::vector<std::string>& words) {
    Words into;
    auto parsed = parse(into, words);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().code, Code::usage);
    EXPECT_EQ(parsed.error().hint, "cultivar explore --help");
    return parsed.error().message;
}

TEST(Parser, TakesFlagsAndArgumentsInAnyOrder) {
    for (const auto& words : {std::vector<std::string>{"--runs", "3", "--propose", "abcd", "ef01"},
                              std::vector<std::string>{"abcd", "ef01", "--propose", "--runs=3"},
                              std::vector<std::string>{"abcd", "-n", "3", "ef01", "--propose"}}) {
        Words into;
        auto parsed = parse(into, words);
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(into.runs, 3);
        EXPECT_TRUE(into.propose);
        EXPECT_EQ(into.id, "abcd");
        EXPECT_EQ(into.more, std::vector<std::string>{"ef01"});
    }
}

TEST(Parser, TakesWhatFollowsTwoDashesAsArguments) {
    Words into;
    ASSERT_TRUE(parse(into, {"--", "--runs"}));
    EXPECT_EQ(into.id, "--runs");
    EXPECT_FALSE(into.runs);
}

TEST(Parser, SuggestsTheFlagThatWasMeant) {
    EXPECT_EQ(complaint({"abcd", "--rnus"}), "unknown flag '--rnus', did you mean '--runs'?");
    EXPECT_EQ(complaint({"abcd", "--porpose"}), "unknown flag '--porpose', did you mean '--propose'?");
    EXPECT_EQ(complaint({"abcd", "--xylophone"}), "unknown flag '--xylophone'");
}

TEST(Parser, RefusesAMissingArgumentAndAnIllTypedValue) {
    EXPECT_EQ(complaint({}), "ID is missing: cultivar explore ID [MORE...]");
    EXPECT_EQ(complaint({"abcd", "--runs", "many"}), "--runs = many: it takes a whole number");
    EXPECT_NE(complaint({"abcd", "--runs"}), "");
    EXPECT_EQ(complaint({"abcd", "--runs", "1.5"}), "--runs = 1.5: it takes a whole number");
}

TEST(Duration, ReadsSecondsMinutesHoursAndDays) {
    EXPECT_EQ(parse_duration("90").value(), 90);
    EXPECT_EQ(parse_duration("1.5s").value(), 1.5);
    EXPECT_EQ(parse_duration("20m").value(), 1200);
    EXPECT_EQ(parse_duration("8h").value(), 28800);
    EXPECT_EQ(parse_duration("1d").value(), 86400);
}

TEST(Duration, RefusesWhatIsNotAPositiveTime) {
    for (const char* text : {"", "0", "0s", "-5", "-1m", "5x", "m", "1e400", "nan", "inf", "5 s", "1h30m", "0x10"}) {
        auto parsed = parse_duration(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Code::usage);
        EXPECT_NE(parsed.error().message.find("is not a duration"), std::string::npos);
    }
}

TEST(Size, KnowsBinaryAndDecimalUnits) {
    EXPECT_EQ(parse_size("65536").value(), 65536);
    EXPECT_EQ(parse_size("64KiB").value(), 65536);
    EXPECT_EQ(parse_size("4MiB").value(), 4194304);
    EXPECT_EQ(parse_size("1GB").value(), 1000000000);
    EXPECT_EQ(parse_size("1.5KiB").value(), 1536);
}

TEST(Size, RefusesWhatIsNotAPositiveNumberOfBytes) {
    for (const char* text : {"", "0", "-1", "64kib", "64 KiB", "huge", "1e30GB", "0.5"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

}  // namespace
}  // namespace cultivar
