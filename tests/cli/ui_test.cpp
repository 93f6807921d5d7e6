#include "cli/ui.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

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

TEST(Clean, KeepsOtherTextAsItIs) {
    EXPECT_EQ(clean("matrix_lr 0.04 -> 0.05"), "matrix_lr 0.04 -> 0.05");
    EXPECT_EQ(clean("Grüße, 学习"), "Grüße, 学习");
}

TEST(Clean, CutsAtTheLimitAndSaysSo) {
    EXPECT_EQ(clean("abcdef", 6), "abcdef");
    EXPECT_EQ(clean("abcdefg", 6), "abcdef...");
}

TEST(Ui, PaintsOnlyWhenAsked) {
    Ui ui;
    ui.configure(false, 0, false, Ui::Color::never);
    EXPECT_EQ(ui.paint(Paint::good, "kept"), "kept");
    ui.configure(false, 0, false, Ui::Color::always);
    EXPECT_EQ(ui.paint(Paint::good, "kept"), "\x1b[32mkept\x1b[0m");
    EXPECT_EQ(ui.paint(Paint::none, "kept"), "kept");
    ui.configure(false, 0, true, Ui::Color::always);
    EXPECT_EQ(ui.paint(Paint::good, "kept"), "kept") << "JSON has no colour";
}

TEST(Text, SaysFiguresInTheirOwnUnits) {
    EXPECT_EQ(duration_text(7), "7 s");
    EXPECT_EQ(duration_text(75), "1 min 15 s");
    EXPECT_EQ(duration_text(7500), "2 h 5 min");
    EXPECT_EQ(bytes_text(512), "512 B");
    EXPECT_EQ(bytes_text(4.0 * 1024 * 1024), "4.0 MiB");
    EXPECT_EQ(joules_text(1200), "1.2 kJ");
    EXPECT_EQ(joules_text(950), "950 J");
}

}  // namespace
}  // namespace cultivar
