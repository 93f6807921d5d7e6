#include "cli/app/text_table.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

TEST(TextTable, MakesColumnsAsWideAsTheirContent) {
    Ui ui;
    ui.configure({.color = Color::never});
    TextTable table({{"#", true}, {"id"}, {"val_bpb", true}, {"change"}});
    table.row({"1", "1a2b3c4d", "2.1034", "model.width 32 -> 40"});
    table.row({"10", "5e6f", "12.5000", ""});
    EXPECT_EQ(table.text(ui),
              " #  id        val_bpb  change\n"
              " 1  1a2b3c4d   2.1034  model.width 32 -> 40\n"
              "10  5e6f      12.5000\n");
}

TEST(TextTable, AlignsCharactersAndNotBytes) {
    Ui ui;
    ui.configure({.color = Color::never});
    TextTable table({{"who"}, {"n", true}});
    table.row({"Jürgen", "1"});
    table.row({"Jurgen", "22"});
    EXPECT_EQ(table.text(ui), "who      n\nJürgen   1\nJurgen  22\n");
}

// What changed matters more than who did it.
TEST(TextTable, LeavesSpareColumnsOutWhereTheLastOneHasNoRoom) {
    Ui ui;
    ui.configure({.color = Color::never});
    TextTable table({{"id"}, {"parents", false, true}, {"contributor", false, true}, {"change"}});
    table.row({"1a2b3c4d", "5e6f7a8b", "jane.laptop.1a2b3c4d", "model.width 32 -> 40, optim.lr 0.1 -> 0.2"});
    EXPECT_EQ(table.text(ui, 100),
              "id        parents   contributor           change\n"
              "1a2b3c4d  5e6f7a8b  jane.laptop.1a2b3c4d  model.width 32 -> 40, optim.lr 0.1 -> 0.2\n");
    EXPECT_EQ(table.text(ui, 50),
              "id        parents   change\n"
              "1a2b3c4d  5e6f7a8b  model.width 32 -> 40, optim...\n");
    EXPECT_EQ(table.text(ui, 36),
              "id        change\n"
              "1a2b3c4d  model.width 32 -> 40, o...\n");
    EXPECT_EQ(table.text(ui, 0), table.text(ui, 1000));
}

TEST(TextTable, OfNoRowsIsItsTitles) {
    Ui ui;
    ui.configure({.color = Color::never});
    EXPECT_EQ(TextTable({{"gene"}, {"value"}}).text(ui), "gene  value\n");
}

}  // namespace
}  // namespace cultivar
