#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include <unistd.h>

#include "benchmarks/search/search_methods.h"
#include "benchmarks/search/search_table.h"

namespace cultivar {
namespace {

class TableSearch : public ::testing::Test {
protected:
    std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("table-search-test-" + std::to_string(::getpid()));

    TableSearch() { std::filesystem::create_directories(folder_); }
    ~TableSearch() override { std::filesystem::remove_all(folder_); }

    Result<SearchTable> load(const std::string& text) {
        std::ofstream(folder_ / "small.csv") << text;
        return SearchTable::load(folder_ / "small.csv");
    }

    // A bowl over two ordered parameters and a choice. A third of its rows is missing.
    Result<SearchTable> bowl() {
        std::string text = "rate:ord:12,batch:ord:10,kind:cat:3,loss0,loss1\n";
        for (int i = 0; i < 360; ++i) {
            int rate = i % 12, batch = i / 12 % 10, kind = i / 120;
            double loss = 1 + 0.01 * (std::pow(rate - 7, 2) + std::pow(batch - 3, 2)) + 0.3 * (kind != 1);
            if (i % 3 != 0)
                text += std::to_string(rate) + "," + std::to_string(batch) + "," + std::to_string(kind) + "," +
                        std::to_string(loss) + ",\n";
        }
        return load(text);
    }
};

TEST_F(TableSearch, ReadsParametersRowsAndTheLossesThatAreThere) {
    auto table = load("a:ord:3,b:cat:2,loss0,loss1\n0,0,1.0,3.0\n1,0,,5\n2,1,8,\n2,0,,\n");
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(table->name(), "small");
    ASSERT_EQ(table->rows(), 3U);
    EXPECT_EQ(table->regret(0), 0);
    EXPECT_EQ(table->regret(1), 1);
    EXPECT_EQ(table->regret(2), 2);
    EXPECT_EQ(table->find(table->genes(2)), std::optional<std::size_t>(2));
    Genes missing = table->genes(2);
    missing["p01"] = table->genes(0).at("p01");
    EXPECT_FALSE(table->find(missing)) << "a row without a loss does not exist";
    Random luck(1);
    std::set<double> drawn;
    for (int i = 0; i < 50; ++i) drawn.insert(table->draw(0, luck));
    EXPECT_EQ(drawn, (std::set<double>{1, 3}));
    EXPECT_EQ(table->draw(1, luck), 5);
}

TEST_F(TableSearch, RefusesWhatIsNoTable) {
    EXPECT_EQ(SearchTable::load(folder_ / "none.csv").error().code, Code::io);
    EXPECT_EQ(load("a:ord:3,loss0\n5,1\n").error().code, Code::corrupt);
    EXPECT_EQ(load("a:odd:3,loss0\n1,1\n").error().code, Code::corrupt);
    EXPECT_EQ(load("a:ord:3,loss0\n1,1\n1,2\n").error().code, Code::corrupt);
    EXPECT_EQ(load("a:ord:3,loss0\n1,1\n").error().code, Code::corrupt) << "best and median are one";
}

TEST_F(TableSearch, EveryMethodLaunchesOnlyRowsThatExistAndFindsSomething) {
    auto table = bowl();
    ASSERT_TRUE(table);
    for (std::string_view name : search_methods()) {
        auto method = make_search_method(name, *table, 3);
        ASSERT_TRUE(method) << name;
        Random luck(1);
        for (int i = 0; i < 40; ++i) {
            auto launch = method->next();
            ASSERT_TRUE(launch) << name;
            ASSERT_LT(launch->row, table->rows());
            method->finished(*launch, table->draw(launch->row, luck));
        }
        EXPECT_LT(table->regret(method->best()), 0.7) << name;
    }
    EXPECT_EQ(make_search_method("magic", *table, 3), nullptr);
}

TEST_F(TableSearch, ThePlannerFindsTheBestOfASmallTableAndRepeatsNothingUnasked) {
    auto table = bowl();
    ASSERT_TRUE(table);
    auto method = make_search_method("ours", *table, 1);
    Random luck(1);
    std::set<std::size_t> launched;
    for (int i = 0; i < 60; ++i) {
        auto launch = method->next();
        ASSERT_TRUE(launch);
        EXPECT_EQ(launch->again, !launched.insert(launch->row).second);
        method->finished(*launch, table->draw(launch->row, luck));
    }
    EXPECT_LT(table->regret(method->best()), 0.02);
}

TEST_F(TableSearch, WorkersApartDoNotRunTheSameRow) {
    auto table = bowl();
    ASSERT_TRUE(table);
    auto method = make_search_method("ours", *table, 2);
    Random luck(1);
    std::vector<Launch> under_way;
    for (int i = 0; i < 80; ++i) {
        while (under_way.size() < 8) {
            auto launch = method->next();
            if (!launch) break;
            for (const Launch& other : under_way) EXPECT_NE(other.row, launch->row);
            under_way.push_back(*launch);
        }
        ASSERT_FALSE(under_way.empty());
        Launch ended = under_way[luck.below(under_way.size())];
        std::erase_if(under_way, [&](const Launch& launch) { return launch.row == ended.row; });
        method->finished(ended, table->draw(ended.row, luck));
    }
}

TEST_F(TableSearch, ForgedScoresDoNotKeepThePlannerFromTheBest) {
    auto table = bowl();
    ASSERT_TRUE(table);
    Prelude prelude;
    prelude.forged = 1000;
    auto method = make_search_method("ours", *table, 1, prelude);
    Random luck(1);
    for (int i = 0; i < 70; ++i) {
        auto launch = method->next();
        ASSERT_TRUE(launch);
        method->finished(*launch, table->draw(launch->row, luck));
    }
    EXPECT_LT(table->regret(method->best()), 0.02);
}

TEST_F(TableSearch, AnotherCategorysHistoryHelpsWhereItAgrees) {
    auto table = bowl();
    ASSERT_TRUE(table);
    Prelude prelude;
    prelude.elsewhere = &*table;
    prelude.told = 40;
    double alone = 0, helped = 0;
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
        for (bool hears : {false, true}) {
            auto method = make_search_method("ours", *table, seed, hears ? prelude : Prelude{});
            Random luck(seed);
            for (int i = 0; i < 16; ++i) {
                auto launch = method->next();
                ASSERT_TRUE(launch);
                method->finished(*launch, table->draw(launch->row, luck));
            }
            (hears ? helped : alone) += table->regret(method->best());
        }
    }
    EXPECT_LE(helped, alone);
}

}  // namespace
}  // namespace cultivar
