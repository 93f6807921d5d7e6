#include "cli/app/global_options.h"

#include <gtest/gtest.h>

#include "cli/app/argument_parser.h"

namespace cultivar {
namespace {

struct GlobalWords {
    GlobalOptions global;
    std::string while_command, note, id;
    std::vector<std::string> rest;
};

// `words` as a command takes them.
Result<GlobalWords> parse(const std::vector<std::string>& words) {
    GlobalWords into;
    Parser parser("explore", "Improve candidates", "ID");
    parser.globals(into.global);
    parser.option("--while", into.while_command, "CMD", "asked before each run");
    parser.option("--note", into.note, "TEXT", "a note");
    parser.positional("ID", into.id, "a candidate");
    TRY(parser.parse(words));
    return into;
}

// `words` as the program takes them before it knows the command.
Result<GlobalWords> parse_front(const std::vector<std::string>& words) {
    GlobalWords into;
    Parser parser("", "", "");
    parser.globals(into.global);
    TRY_ASSIGN(into.rest, parser.parse_front(words));
    return into;
}

TEST(GlobalOptions, AreTakenAnywhereBeforeTwoDashes) {
    for (const auto& words : {std::vector<std::string>{"abcd", "--json", "-q", "-vv"},
                              std::vector<std::string>{"-q", "--json", "-v", "abcd", "-v"}}) {
        auto parsed = parse(words);
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_TRUE(parsed->global.json);
        EXPECT_TRUE(parsed->global.quiet);
        EXPECT_EQ(parsed->global.verbose, 2);
        EXPECT_EQ(parsed->id, "abcd");
    }
    auto parsed = parse({"--", "-q"});
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->global.quiet);
    EXPECT_EQ(parsed->id, "-q");
}

TEST(GlobalOptions, AreNotTakenFromAnotherOptionsValue) {
    auto parsed = parse({"abcd", "--while", "-q", "--note", "--json"});
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->while_command, "-q");
    EXPECT_EQ(parsed->note, "--json");
    EXPECT_FALSE(parsed->global.quiet);
    EXPECT_FALSE(parsed->global.json);
    parsed = parse({"--note", "-h", "abcd"});
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->global.help);
}

TEST(GlobalOptions, AskForHelpWithoutTheArguments) {
    for (const char* word : {"-h", "--help"}) {
        auto parsed = parse({"--json", word});
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_TRUE(parsed->global.help);
        EXPECT_TRUE(parsed->global.json);
    }
}

TEST(GlobalOptions, EndBeforeTheCommand) {
    auto parsed = parse_front({"-C", "top", "--color=never", "explore", "--while", "-q", "--", "--json"});
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->global.folder, "top");
    EXPECT_EQ(parsed->global.color, "never");
    EXPECT_FALSE(parsed->global.quiet);
    EXPECT_FALSE(parsed->global.json);
    EXPECT_EQ(parsed->rest, (std::vector<std::string>{"explore", "--while", "-q", "--", "--json"}));
    parsed = parse_front({"--help", "top"});
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->global.help);
    EXPECT_EQ(parsed->rest, std::vector<std::string>{"top"});
    EXPECT_TRUE(parse_front({}).value().rest.empty());
}

TEST(GlobalOptions, SuggestTheFlagThatWasMeant) {
    auto parsed = parse({"abcd", "--jsno"});
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message, "unknown flag '--jsno', did you mean '--json'?");
}

TEST(UiOptions, RefuseAnUnknownWordForColor) {
    EXPECT_EQ(ui_options({.color = "never"}).value().color, Color::never);
    EXPECT_EQ(ui_options({}).value().color, Color::automatic);
    EXPECT_FALSE(ui_options({.color = "sometimes"}));
}

TEST(LogOptions, AreOffByDefault) {
    const LogOptions log = log_options({}, "").value();
    EXPECT_EQ(log.console, LogLevel::off);
    EXPECT_EQ(log.file, "");
}

TEST(LogOptions, FollowFlagsThenTheEnvironment) {
    EXPECT_EQ(log_options({.verbose = 1}, "").value().console, LogLevel::debug);
    EXPECT_EQ(log_options({.verbose = 2}, "").value().console, LogLevel::trace);
    EXPECT_EQ(log_options({}, "info").value().console, LogLevel::info);
    EXPECT_EQ(log_options({.verbose = 1}, "warn").value().console, LogLevel::debug);
    EXPECT_FALSE(log_options({}, "loud"));
}

TEST(LogOptions, WriteAFileInSilence) {
    const LogOptions log = log_options({.quiet = true, .verbose = 2, .log_file = "log"}, "").value();
    EXPECT_EQ(log.console, LogLevel::off);
    EXPECT_EQ(log.file, "log");
    EXPECT_EQ(log.file_level, LogLevel::trace);
    EXPECT_EQ(log_options({.log_file = "log"}, "").value().file_level, LogLevel::debug);
    EXPECT_EQ(log_options({.log_file = "log"}, "warn").value().file_level, LogLevel::warn);
}

}  // namespace
}  // namespace cultivar
