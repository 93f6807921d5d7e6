#include "bandit/model/surrogate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bandit/space/coordinates.h"
#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

Space rate_and_kind() {
    return *Space::make({testing::real("rate", 0.5, 0, 1), testing::choice("kind", {"a", "b", "c"})}, {});
}

Genes at(double rate, const char* kind) { return {{"rate", rate}, {"kind", std::string(kind)}}; }

class SurrogateOfRates : public ::testing::Test {
protected:
    Space space_ = rate_and_kind();
    std::vector<Genes> tried_;
    std::vector<Observation> seen_;

    SurrogateOfRates() { tried_.reserve(1000); }
    void see(const Genes& genes, double score, double runs = 1) {
        seen_.push_back({&tried_.emplace_back(genes), score, 1, runs});
    }
};

TEST_F(SurrogateOfRates, PromisesMostNearTheBestAndLittleWhereItWasBad) {
    for (int i = 0; i <= 20; ++i) see(at(i / 20.0, "a"), std::abs(i / 20.0 - 0.7));
    Surrogate model(space_, seen_, {});
    EXPECT_GT(model.acquisition(at(0.72, "a")), model.acquisition(at(0.1, "a")));
    EXPECT_GT(model.acquisition(at(0.7, "b")), model.acquisition(at(0.1, "b")));
}

TEST_F(SurrogateOfRates, IsTheSameForAnyScaleOfTheScores) {
    for (int i = 0; i <= 20; ++i) see(at(i / 20.0, "a"), std::abs(i / 20.0 - 0.7));
    Surrogate plain(space_, seen_, {});
    for (Observation& one : seen_) one.score = std::exp(30 * one.score);
    Surrogate wild(space_, seen_, {});
    EXPECT_EQ(plain.acquisition(at(0.6, "b")), wild.acquisition(at(0.6, "b")));
}

TEST_F(SurrogateOfRates, AvoidsWhatCouldNotBeJudged) {
    for (int i = 0; i <= 20; ++i)
        see(at(i / 20.0, "a"), i > 12 ? std::numeric_limits<double>::infinity() : 1 + 0.01 * (i % 3));
    Surrogate model(space_, seen_, {});
    EXPECT_GT(model.acquisition(at(0.31, "a")), model.acquisition(at(0.91, "a")));
    EXPECT_TRUE(std::isfinite(model.expected(at(1, "a"))));
}

TEST_F(SurrogateOfRates, ExpectsOfALuckyRunWhatItsLikeScored) {
    Random random(3);
    for (int i = 0; i < 60; ++i) see(at(i / 60.0, "a"), 2 + std::abs(i / 60.0 - 0.5) + 0.05 * random.normal());
    see(at(0.05, "a"), 1.9);
    Surrogate model(space_, seen_, {});
    EXPECT_GT(model.expected(at(0.05, "a")), 2.1);
    EXPECT_LT(model.expected(at(0.5, "a")), model.expected(at(0.05, "a")));
}

TEST_F(SurrogateOfRates, SendsTheNextWorkerElsewhereThanTheOneUnderWay) {
    for (int i = 0; i < 10; ++i) see(at(i / 20.0, "a"), 1 - i / 20.0);
    Genes next = at(0.8, "a");
    EXPECT_LT(Surrogate(space_, seen_, {&next}).acquisition(next), Surrogate(space_, seen_, {}).acquisition(next));
}

TEST(Surrogate, PromisesMoreOfAnotherSizeThanOfAnotherShareWhereThereAreManyGenes) {
    Gene tokens = testing::whole("tokens", 8192, 1024, 65536);
    tokens.log_scale = true;
    std::vector<Gene> genes = {tokens};
    for (int i = 0; i < 20; ++i) genes.push_back(testing::real(fmt::format("share{:02}", i), 0.5, 0, 1));
    const Space space = *Space::make(genes, {});
    const Genes base = testing::candidate_of(space, {}).genes;
    std::vector<Genes> tried(5, base);
    std::vector<Observation> seen;
    for (int i = 0; i < 5; ++i) {
        tried[static_cast<std::size_t>(i)].at("share07") = 0.3 + 0.1 * i;
        seen.push_back({&tried[static_cast<std::size_t>(i)], 2 + 0.1 * i, 1, 1});
    }
    Genes larger = tried[0], other = tried[0];
    larger.at("tokens") = std::int64_t{32768};
    other.at("share11") = 0.5 + to_unit(tokens, std::int64_t{32768}) - to_unit(tokens, std::int64_t{8192});
    const Surrogate model(space, seen, {});
    EXPECT_GT(model.acquisition(larger), model.acquisition(other) + 0.1);
}

TEST_F(SurrogateOfRates, ImaginesNoMoreRunsUnderWayThanItCanAfford) {
    for (int i = 0; i < 10; ++i) see(at(i / 20.0, "a"), 1 - i / 20.0);
    std::vector<Genes> leased;
    for (int i = 0; i < 1000; ++i) leased.push_back(at(i / 1000.0, i < 900 ? "b" : "c"));
    std::vector<const Genes*> all, last;
    for (const Genes& genes : leased) all.push_back(&genes);
    last.assign(all.end() - 64, all.end());
    EXPECT_EQ(Surrogate(space_, seen_, all).acquisition(at(0.7, "a")),
              Surrogate(space_, seen_, last).acquisition(at(0.7, "a")));
}

// The results of another category for 41 rates; the best one is at `best`.
class Transfer : public SurrogateOfRates {
protected:
    std::vector<Genes> told_;
    HintSource source_{"there", "", true, {}, 0, 0};

    Transfer() { told_.reserve(100); }
    std::vector<HintSource> source(double best) {
        for (int i = 0; i <= 40; ++i)
            source_.results.push_back({&told_.emplace_back(at(i / 40.0, "a")), 7 + std::abs(i / 40.0 - best)});
        return {source_};
    }
};

TEST_F(Transfer, LooksWhereAnotherCategoryFoundTheBest) {
    for (double rate : {0.1, 0.3, 0.5}) see(at(rate, "a"), std::abs(rate - 0.8));
    Surrogate alone(space_, seen_, {}), hinted(space_, seen_, {}, source(0.8));
    EXPECT_GT(hinted.source_weights()[0], 0.5);
    EXPECT_GT(hinted.acquisition(at(0.8, "a")), hinted.acquisition(at(1.0, "a")) + 0.5);
    EXPECT_GT(hinted.acquisition(at(0.8, "a")) - hinted.acquisition(at(0.55, "a")),
              alone.acquisition(at(0.8, "a")) - alone.acquisition(at(0.55, "a")));
}

TEST_F(Transfer, ForgetsACategoryThatDoesNotAgree) {
    for (int i = 0; i <= 20; ++i) see(at(i / 20.0, "a"), std::abs(i / 20.0 - 0.2));
    Surrogate alone(space_, seen_, {}), hinted(space_, seen_, {}, source(0.9));
    EXPECT_LT(hinted.source_weights()[0], 0.2);
    EXPECT_NEAR(hinted.expected(at(0.9, "a")), alone.expected(at(0.9, "a")), 0.05);
    EXPECT_GT(hinted.acquisition(at(0.22, "a")), hinted.acquisition(at(0.92, "a")));
}

TEST_F(Transfer, IsTheSameForAnyScaleOfTheOthersScores) {
    for (double rate : {0.1, 0.3, 0.5}) see(at(rate, "a"), std::abs(rate - 0.8));
    auto plain = source(0.8), wild = plain;
    for (Observation& one : wild[0].results) one.score = std::exp(5 * one.score);
    EXPECT_EQ(Surrogate(space_, seen_, {}, plain).acquisition(at(0.7, "b")),
              Surrogate(space_, seen_, {}, wild).acquisition(at(0.7, "b")));
}

TEST_F(SurrogateOfRates, LooksAtTheBestAndTheNewestOfALargeHistory) {
    for (int i = 0; i < 900; ++i) {
        double rate = i / 900.0;
        see(at(rate, "a"), std::abs(rate - 0.2));
    }
    Surrogate model(space_, seen_, {});
    EXPECT_NEAR(model.expected(at(0.2, "a")), 0, 0.05);
    EXPECT_GT(model.expected(at(0.95, "a")), 0.5);
}

}  // namespace
}  // namespace cultivar
