#include "bandit/model/tpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bandit/space/coordinates.h"
#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

// Five genes of every kind, noise of 0.05, optimum 0.
Space five_genes() {
    Gene level = testing::whole("level", 64, 64, 4096);
    level.levels = {64, 128, 256, 512, 1024, 2048, 4096};
    auto space = Space::make({testing::real("rate", 0.01, 1e-4, 1, true), testing::real("share", 0.5, 0, 1),
                              testing::whole("count", 10, 1, 40), level, testing::choice("kind", {"a", "b", "c", "d"})},
                             {});
    return *space;
}

double truth(const Space& space, const Genes& genes) {
    auto away = [&](const char* name, double best) {
        double distance = to_unit(*space.find(name), genes.at(name)) - best;
        return distance * distance;
    };
    return 4 * away("rate", 0.8) + 2 * away("share", 0.2) + 2 * away("count", 0.7) + 2 * away("level", 0.5) +
           (genes.at("kind") == Value(std::string("c")) ? 0 : 0.3);
}

Genes anywhere(const Space& space, Random& random) {
    Genes genes;
    for (const Gene& gene : space.genes())
        genes[gene.name] = ordered(gene)
                               ? from_unit(gene, random.uniform())
                               : from_index(gene, random.below(static_cast<std::uint64_t>(value_count(gene))));
    return genes;
}

Genes best_of_model(const Space& space, const std::vector<Observation>& seen, Random& random) {
    Parzen model(space, seen);
    const Genes& base = *std::ranges::min_element(seen, {}, &Observation::score)->genes;
    Genes best = model.sample(base, 0.5, random);
    for (int i = 1; i < 24; ++i) {
        Genes other = model.sample(base, 0.5, random);
        if (model.gain(other) > model.gain(best)) best = other;
    }
    return best;
}

// Returns the true score of the candidate that looks best after 40 noisy evaluations.
double search(const Space& space, bool with_model, std::uint64_t seed) {
    Random random(seed);
    std::vector<Genes> tried;
    tried.reserve(40);
    std::vector<Observation> seen;
    for (int i = 0; i < 40; ++i) {
        tried.push_back(with_model && i >= 10 ? best_of_model(space, seen, random) : anywhere(space, random));
        seen.push_back({&tried.back(), truth(space, tried.back()) + 0.05 * random.normal(), 1});
    }
    return truth(space, *std::ranges::min_element(seen, {}, &Observation::score)->genes);
}

TEST(Tpe, FindsTheOptimumOfANoisyFunctionFarBetterThanChance) {
    Space space = five_genes();
    double model = 0, chance = 0;
    for (std::uint64_t repeat = 0; repeat < 40; ++repeat) {
        model += search(space, true, repeat) / 40;
        chance += search(space, false, repeat) / 40;
    }
    EXPECT_LT(model, 0.6 * chance) << model << " against " << chance;
}

TEST(Tpe, PrefersWhatTheGoodHaveInCommon) {
    Space space = five_genes();
    Random random(1);
    std::vector<Genes> tried;
    for (int i = 0; i < 40; ++i) tried.push_back(anywhere(space, random));
    std::vector<Observation> seen;
    for (const Genes& genes : tried)
        seen.push_back({&genes, genes.at("kind") == Value(std::string("b")) ? 1.0 : 2.0, 1});
    Parzen model(space, seen);
    Genes good = tried[0], bad = tried[0];
    good["kind"] = std::string("b");
    bad["kind"] = std::string("a");
    EXPECT_GT(model.gain(good), model.gain(bad));
}

TEST(Tpe, AvoidsWhatCouldNotBeJudged) {
    Space space = five_genes();
    Random random(2);
    std::vector<Genes> tried;
    for (int i = 0; i < 40; ++i) tried.push_back(anywhere(space, random));
    std::vector<Observation> seen;
    for (const Genes& genes : tried) {
        bool large = std::get<std::int64_t>(genes.at("level")) > 512;
        seen.push_back({&genes, large ? std::numeric_limits<double>::infinity() : 1, 1});
    }
    Parzen model(space, seen);
    Genes small = tried[0], large = tried[0];
    small["level"] = std::int64_t{128};
    large["level"] = std::int64_t{4096};
    EXPECT_GT(model.gain(small), model.gain(large));
}

TEST(Tpe, KeepsStructuralGenesOfTheParentAndInactiveOnesAndDrawsLegalValues) {
    Space space = testing::model_space();
    Random random(3);
    std::vector<Genes> tried;
    for (int i = 0; i < 20; ++i) tried.push_back(anywhere(space, random));
    std::vector<Observation> seen;
    for (const Genes& genes : tried) seen.push_back({&genes, testing::true_score(genes), 1});
    Parzen model(space, seen);
    Genes base = *space.complete({{"model.width", std::int64_t{96}}, {"model.mlp", std::string("gelu")}});
    int changed = 0;
    for (int i = 0; i < 300; ++i) {
        Genes child = model.sample(base, 0.5, random);
        for (const Gene& gene : space.genes()) {
            EXPECT_TRUE(gene.accept(child.at(gene.name))) << gene.name;
            if (gene.structural) {
                EXPECT_EQ(child.at(gene.name), base.at(gene.name)) << gene.name;
            }
        }
        if (child.at("optim.kind") == Value(std::string("adam"))) {
            EXPECT_EQ(child.at("optim.momentum"), base.at("optim.momentum"));
        }
        changed += child != base;
    }
    EXPECT_GT(changed, 150);
}

TEST(Tpe, TrustsObservationsOfAlikeModelsMore) {
    Space space = testing::model_space();
    std::vector<Genes> tried;
    std::vector<double> scores;
    // Narrow models like a high rate, wide ones a low one.
    for (int i = 0; i < 40; ++i) {
        bool wide = i % 2 == 1;
        double unit = (i / 2) / 19.0;
        Genes genes =
            *space.complete({{"model.width", std::int64_t{wide ? 480 : 32}}, {"model.heads", std::int64_t{1}}});
        genes["optim.rate"] = from_unit(*space.find("optim.rate"), unit);
        tried.push_back(genes);
        scores.push_back(std::abs(unit - (wide ? 0.15 : 0.85)));
    }
    std::vector<Observation> seen;
    for (std::size_t i = 0; i < tried.size(); ++i) seen.push_back({&tried[i], scores[i], 1});
    Parzen model(space, seen);
    auto gain = [&](std::int64_t width, double unit) {
        Genes genes = *space.complete({{"model.width", width}, {"model.heads", std::int64_t{1}}});
        genes["optim.rate"] = from_unit(*space.find("optim.rate"), unit);
        return model.gain(genes);
    };
    EXPECT_GT(gain(480, 0.15), gain(480, 0.85));
    EXPECT_GT(gain(32, 0.85), gain(32, 0.15));
}

TEST(Tpe, WorksFromNothingAndFromOneObservation) {
    Space space = five_genes();
    Random random(4);
    Genes base = *space.complete({});
    EXPECT_TRUE(std::isfinite(Parzen(space, {}).gain(base)));
    Parzen one(space, {{&base, 1, 1}});
    EXPECT_TRUE(std::isfinite(one.gain(one.sample(base, 0.5, random))));
}

}  // namespace
}  // namespace cultivar
