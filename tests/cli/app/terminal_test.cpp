#include "cli/app/terminal.h"

#include <cstdio>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "cli/app/json.h"
#include "cli/format/messages.h"

namespace cultivar {
namespace {

TEST(ShellWord, IsOneWordToAShellAndNeverAnOption) {
    for (const std::string text :
         {"plain/path.txt", "two words", "it's", "$(touch PWNED)", "`id`", "a;b&c|d>e", "*?[x]", "", "\"", "\\", "~",
          "a\nb", "#", "!x", "x' ; touch PWNED #", "=(id)", "{a,b}"}) {
        std::FILE* shell = ::popen(("printf '%s|' " + shell_word(text)).c_str(), "r");
        char heard[256] = {};
        const std::size_t got = std::fread(heard, 1, sizeof heard - 1, shell);
        ::pclose(shell);
        EXPECT_EQ(std::string(heard, got), text + "|") << shell_word(text);
    }
    EXPECT_EQ(shell_word("plain-1.txt"), "plain-1.txt");
    EXPECT_EQ(shell_word("-rf"), "./-rf");
    EXPECT_EQ(shell_word("--x y"), "'./--x y'");
}

TEST(Clean, LeavesNoControlCharacterOfAnyKind) {
    EXPECT_EQ(clean("\x1b[31mred"), "?[31mred");
    EXPECT_EQ(clean("a\rb\nc\td\x7f"), "a?b?c?d?");
    EXPECT_EQ(clean("\xc2\x9b"
                    "31m"),
              "?31m");  // C1 control sequence introducer
    EXPECT_EQ(clean(std::string("a\0b", 3)), "a?b");
}

TEST(Clean, LeavesNoCharacterThatTurnsTheTextRound) {
    EXPECT_EQ(clean("a\xe2\x80\xae"
                    "b")
                  .find('\xae'),
              std::string::npos);  // right-to-left override
    EXPECT_EQ(clean("a\xe2\x81\xa6"
                    "b")
                  .find('\xa6'),
              std::string::npos);  // left-to-right isolate
}

TEST(Clean, LeavesNoByteThatIsNoText) {
    EXPECT_EQ(clean("\x9b"
                    "31m"),
              "?31m")
        << "a terminal of eight bits takes it for a control sequence";
    EXPECT_EQ(clean("a\xff\xc3"), "a??");
}

TEST(Clean, LeavesNoCharacterThatNobodySees) {
    for (const char* hidden : {"\u00ad", "\u061c", "\u180e", "\u200b",     "\u200c",     "\u200d",    "\u200e",
                               "\u2028", "\u2029", "\u202d", "\u2060",     "\u2066",     "\u206f",    "\u3164",
                               "\ufe0f", "\ufeff", "\ufff9", "\U000e0001", "\U000e0041", "\U000e0100"})
        EXPECT_EQ(clean(std::string("a") + hidden + "b"), "a?b");
}

TEST(Json, IsPrintedThoughItHoldsBytesThatAreNoText) {
    EXPECT_EQ(pretty(Json{{"ref", "refs/heads/\xff"}}), "{\n  \"ref\": \"refs/heads/\\ufffd\"\n}\n");
}

TEST(Cut, LeavesWholeCharacters) {
    const std::string text = "a学\U0001f600\xff\xe5";
    for (std::size_t limit = 0; limit <= text.size() + 1; ++limit) {
        const std::string_view part = cut(text, limit);
        EXPECT_LE(part.size(), limit);
        EXPECT_TRUE(text.starts_with(part));
        EXPECT_TRUE(part.size() == text.size() || next_sequence(text.substr(part.size())).length > limit - part.size());
    }
    EXPECT_EQ(cut(text, 3), "a");
    EXPECT_EQ(cut(text, 4), "a学");
}

TEST(Clean, KeepsOtherTextAsItIs) {
    EXPECT_EQ(clean("matrix_lr 0.04 -> 0.05"), "matrix_lr 0.04 -> 0.05");
    EXPECT_EQ(clean("Grüße, 学习"), "Grüße, 学习");
}

TEST(Clean, CutsAtTheLimitAndSaysSo) {
    EXPECT_EQ(clean("abcdef", 6), "abcdef");
    EXPECT_EQ(clean("abcdefg", 6), "abcdef...");
    EXPECT_EQ(clean("a学习", 5), "a学...") << "never inside a character";
    EXPECT_EQ(clean("\x80\x80\x80\x80\x80\x80", 5), "?????...") << "bytes that are no UTF-8 are cut as well";
}

// 2026-11-21T04:00:00Z
constexpr std::int64_t kNow_s = 1795233600;

TEST(Time, IsMarkedWhenItIsStillToCome) {
    EXPECT_EQ(time_text("2026-11-21T04:00:00Z", kNow_s), "2026-11-21T04:00:00Z");
    EXPECT_EQ(time_text("1999-01-01T00:00:00Z", kNow_s), "1999-01-01T00:00:00Z");
    EXPECT_EQ(time_text("2026-11-21T04:04:00Z", kNow_s), "2026-11-21T04:04:00Z");  // clocks differ a little
    EXPECT_EQ(time_text("2026-11-21T04:06:00Z", kNow_s), "2026-11-21T04:06:00Z ?");
    EXPECT_EQ(time_text("2999-01-01T00:00:00Z", kNow_s), "2999-01-01T00:00:00Z ?");
}

TEST(Clock, ThatIsBehindThePoolsCreationIsTold) {
    Task task;
    task.created = "2026-11-21T03:40:00Z";
    for (const auto& [now_s, words] : {std::pair{kNow_s, std::string()},
                                       std::pair{kNow_s - 365 * 86400, std::string("clock is wrong: it says 2025")}}) {
        Ui ui;
        ui.configure({.color = Color::never});
        ::testing::internal::CaptureStderr();
        tell_clock(ui, task, now_s);
        const std::string said = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(said.empty(), words.empty());
        EXPECT_NE(said.find(words), std::string::npos);
    }
}

// A remote's URL is part of many messages, and git repeats it in its own.
TEST(Ui, ShowsNoPasswordOnStandardError) {
    Ui ui;
    ui.configure({.color = Color::never});
    const std::string url = "https://me:hidden@host/pool";
    ::testing::internal::CaptureStderr();
    ui.note("from " + url);
    ui.warn("cannot reach " + url);
    ui.error({Code::git, "unable to access '" + url + "'", "git ls-remote " + url});
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("hidden"), std::string::npos) << said;
    EXPECT_NE(said.find("https://***@host/pool"), std::string::npos) << said;
}

TEST(Ui, PaintsOnlyWhenAsked) {
    Ui ui;
    ui.configure({.color = Color::never});
    EXPECT_EQ(ui.paint(Paint::good, "kept"), "kept");
    ui.configure({.color = Color::always});
    EXPECT_EQ(ui.paint(Paint::good, "kept"), "\x1b[32mkept\x1b[0m");
    EXPECT_EQ(ui.paint(Paint::none, "kept"), "kept");
    ui.configure({.format = Format::json, .color = Color::always});
    EXPECT_EQ(ui.paint(Paint::good, "kept"), "kept") << "JSON has no colour";
}

TEST(Text, IsCountedAndCutByCharacters) {
    EXPECT_EQ(characters("Grüße"), 5U);
    EXPECT_EQ(characters(""), 0U);
    EXPECT_EQ(first_characters("Grüße", 3), "Grü");
    EXPECT_EQ(first_characters("Grüße", 9), "Grüße");
    EXPECT_EQ(first_characters("a\xff", 2), "a\xff") << "a byte that is no UTF-8 counts as one";
}

TEST(Text, SaysFiguresInTheirOwnUnits) {
    EXPECT_EQ(duration_text(7), "7 s");
    EXPECT_EQ(duration_text(75), "1 min 15 s");
    EXPECT_EQ(duration_text(7500), "2 h 5 min");
    EXPECT_EQ(bytes_text(512), "512 B");
    EXPECT_EQ(bytes_text(4.0 * 1024 * 1024), "4.0 MiB");
    EXPECT_EQ(joules_text(1200, 0.05, "rapl"), "1.2 kJ (measured, within 5 %)");
    EXPECT_EQ(joules_text(950, 0.3, "declared"), "950 J (declared, within 30 %)");
    EXPECT_EQ(joules_text(4500, 1, "estimated"), "4.5 kJ (estimated, within a factor of 2)");
    EXPECT_EQ(joules_text(2e6, 0.5, "shared"), "2.0 MJ (shared, within a factor of 1.5)");
    EXPECT_EQ(joules_text(2e6, 0.4, "nvml"), "2.0 MJ (partly estimated, within 40 %)") << "one of its domains was";
    EXPECT_EQ(joules_text(2e6, 0.05), "2.0 MJ (measured, within 5 %)");
    EXPECT_EQ(joules_text(2e6, 0.6), "2.0 MJ (partly estimated, within a factor of 1.6)");
    EXPECT_EQ(joules_text(2e6, 1), "2.0 MJ (estimated, within a factor of 2)");
    EXPECT_EQ(joules_text(0, 0), "0 J") << "nothing was made yet";
}

}  // namespace
}  // namespace cultivar
