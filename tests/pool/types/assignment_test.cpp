#include "pool/types/assignment.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(const Genes& genes) {
    std::vector<std::string> all;
    for (const auto& [name, value] : genes) all.push_back(name);
    return all;
}

TEST(Genes, StandInTheOrderOfTheirNamesWhateverTheOrderTheyCameIn) {
    Genes genes{{"b", 2.0}, {"a.c", 1.0}, {"a", 0.5}};
    genes["a_b"] = true;
    EXPECT_THAT(names(genes), ElementsAre("a", "a.c", "a_b", "b"));
    genes.erase("a.c");
    genes.erase("never there");
    EXPECT_THAT(names(genes), ElementsAre("a", "a_b", "b"));
}

TEST(Genes, HaveOneValueEach) {
    Genes genes{{"a", 1.0}, {"a", 2.0}};
    EXPECT_EQ(genes.at("a"), Value(1.0));
    EXPECT_FALSE(genes.emplace("a", 3.0).second);
    genes["a"] = 4.0;
    genes.insert_or_assign("b", 5.0);
    EXPECT_EQ(genes, (Genes{{"b", 5.0}, {"a", 4.0}}));
    EXPECT_NE(genes, (Genes{{"b", 5.0}}));
    EXPECT_THROW(genes.at("c"), std::out_of_range);
    EXPECT_FALSE(genes.contains("c"));
}

TEST(GeneName, OutlivesTheTextThatItWasMadeFromAndIsHeldOnce) {
    auto made_from_a_passing = [](std::string text) { return GeneName(text); };
    const GeneName one = made_from_a_passing("optim.a_rather_long_name"), two = made_from_a_passing(std::string(one));
    EXPECT_EQ(one, "optim.a_rather_long_name");
    EXPECT_EQ(one.data(), two.data());
}

TEST(GeneName, IsMadeByManyThreadsAtOnce) {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            for (int i = 0; i < 200; ++i) EXPECT_EQ(GeneName("name." + std::to_string(i)), "name." + std::to_string(i));
        });
    }
}

}  // namespace
}  // namespace cultivar
