#include "pool/lineage/crossover.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Bases = std::vector<std::pair<Oid, Genes>>;

std::mt19937_64& luck() {
    static std::mt19937_64 random(7);
    return random;
}

std::size_t draw(std::size_t below) { return luck()() % below; }

Oid some_oid() { return sha256_hex(std::to_string(luck()())).substr(0, 40); }

// Eight whole-number genes with few values, so that parents and bases often agree, and up to four constraints between
// them, several of which may share a gene.
Space some_space() {
    std::vector<Gene> genes;
    for (int i = 0; i < 8; ++i) {
        Gene gene;
        gene.name = fmt::format("g{}", i);
        gene.type = GeneType::integer;
        gene.low = 1;
        gene.high = 4;
        gene.default_value = whole(1);
        if (i >= 6) gene.when = Condition{"g0", {whole(1), whole(2)}};
        genes.push_back(gene);
    }
    std::vector<Constraint> constraints;
    for (std::size_t i = draw(5); i > 0; --i) {
        auto kind = draw(2) ? Constraint::Kind::multiple : Constraint::Kind::at_most;
        constraints.push_back({kind, fmt::format("g{}", draw(8)), fmt::format("g{}", draw(8)), 1});
    }
    return must(Space::make(genes, constraints));
}

Candidate some_candidate(const Space& space) {
    for (;;) {
        Genes genes;
        for (const Gene& gene : space.genes()) genes[gene.name] = whole(static_cast<std::int64_t>(1 + draw(3)));
        if (auto made = make_candidate(space, kTaskId, genes)) return *made;
    }
}

Bases some_bases(const Space& space, std::size_t count) {
    Bases bases;
    for (std::size_t i = 0; i < count; ++i) bases.emplace_back(some_oid(), some_candidate(space).genes);
    return bases;
}

// Implements the definition in pool/lineage/crossover.h as simply as possible. Nothing means refused.
std::optional<Genes> by_definition(const Space& space, const CrossParent& a, const CrossParent& b, const Bases& bases) {
    std::string text = "cross 1\n" + a.commit + "\n" + b.commit + "\n";
    for (const auto& base : bases) text += base.first + "\n";
    const std::string seed = sha256_hex(text);
    auto drawn = [&](const std::string& gene) {
        std::string hash = sha256_hex(seed + " " + gene + " " + to_toml(a.candidate.genes.at(gene)) + " " +
                                      to_toml(b.candidate.genes.at(gene)));
        return std::stoi(hash.substr(0, 1), nullptr, 16) % 2 == 0 ? &a : &b;
    };
    Genes child;
    for (const auto& [gene, of_a] : a.candidate.genes) {
        const Value& of_b = b.candidate.genes.at(gene);
        std::vector<Value> values;
        for (const auto& base : bases) values.push_back(base.second.at(gene));
        bool agreed = !values.empty() && std::count(values.begin(), values.end(), values[0]) == std::ssize(values);
        if (of_a == of_b || (agreed && of_b == values[0])) {
            child[gene] = of_a;
        } else if (agreed && of_a == values[0]) {
            child[gene] = of_b;
        } else {
            child[gene] = drawn(gene)->candidate.genes.at(gene);
        }
    }
    std::vector<int> rounds(space.constraints().size());
    for (std::size_t round = 0; round <= 2 * rounds.size(); ++round) {
        const Constraint* broken = space.violated(child);
        if (!broken) {
            auto made = make_candidate(space, kTaskId, child);
            if (!made || made->id == a.candidate.id || made->id == b.candidate.id) return std::nullopt;
            return made->genes;
        }
        int& times = rounds[static_cast<std::size_t>(broken - space.constraints().data())];
        const CrossParent* from = drawn(broken->left);
        if (times++ % 2 == 1) from = from == &a ? &b : &a;
        for (const std::string& gene : {broken->left, broken->right}) child[gene] = from->candidate.genes.at(gene);
    }
    return std::nullopt;
}

TEST(Cross, IsWhatItsDefinitionSaysWhateverTheSpaceAndTheHistory) {
    int made = 0, refused = 0, repaired = 0, contested = 0;
    for (int i = 0; i < 1000; ++i) {
        const Space space = some_space();
        CrossParent a{some_oid(), some_candidate(space)}, b{some_oid(), some_candidate(space)};
        if (a.commit > b.commit) std::swap(a, b);
        Bases bases = some_bases(space, draw(4));
        std::sort(bases.begin(), bases.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
        auto expected = by_definition(space, a, b, bases);
        auto actual = cross(space, kTaskId, a, b, bases);
        ASSERT_EQ(actual.has_value(), expected.has_value()) << i;
        if (!actual) {
            ++refused;
            ASSERT_EQ(actual.error().code, Code::unfit);
            continue;
        }
        ++made;
        ASSERT_EQ(actual->child.genes, *expected) << i;
        ASSERT_TRUE(space.check(actual->child.genes));
        for (const CrossOrigin& origin : actual->origins) repaired += origin.repaired, contested += origin.contested;
    }
    EXPECT_GT(made, 250);
    EXPECT_GT(refused, 25);
    EXPECT_GT(repaired, 25);
    EXPECT_GT(contested, 250);
}

TEST(Cross, IsTheSameWhicheverParentComesFirst) {
    for (int i = 0; i < 1000; ++i) {
        const Space space = some_space();
        CrossParent a{some_oid(), some_candidate(space)}, b{some_oid(), some_candidate(space)};
        Bases bases = some_bases(space, draw(5)), turned(bases.rbegin(), bases.rend());
        auto one = cross(space, kTaskId, a, b, bases), two = cross(space, kTaskId, b, a, turned);
        ASSERT_EQ(one.has_value(), two.has_value());
        if (!one) continue;
        ASSERT_EQ(one->child.toml, two->child.toml);
        ASSERT_EQ(one->seed, two->seed);
        ASSERT_EQ(one->bases, two->bases);
        ASSERT_EQ(one->origins.size(), two->origins.size());
        for (std::size_t k = 0; k < one->origins.size(); ++k) {
            ASSERT_EQ(one->origins[k].from, two->origins[k].from);
            ASSERT_EQ(one->origins[k].value, two->origins[k].value);
        }
    }
}

TEST(Cross, IsAPlainThreeWayMergeWhereThereIsOneBaseAndNoContest) {
    const Space space = must(Space::make(tiny_genes(), {}));
    Genes base = must(space.complete({{"model.layers", whole(6)}}));
    CrossParent a{std::string(40, 'a'), candidate_of({{"model.layers", whole(6)}, {"optim.lr", 0.5}})};
    CrossParent b{std::string(40, 'b'), candidate_of({{"model.layers", whole(8)}, {"model.mlp", word("gelu")}})};
    Cross merged = must(cross(space, kTaskId, b, a, {{std::string(40, 'c'), base}}));
    EXPECT_EQ(merged.child.toml, "model.layers = 8\nmodel.mlp = \"gelu\"\noptim.lr = 0.5\n");
    std::string told;
    for (const CrossOrigin& origin : merged.origins) {
        EXPECT_FALSE(origin.contested);
        told += origin.gene + origin.from + " ";
    }
    EXPECT_EQ(told, "model.layersb model.mlpb optim.lra ");
}

TEST(Cross, HoldsAGeneForContestedWhereItsBasesDisagree) {
    const Space space = tiny_space();
    CrossParent a{std::string(40, 'a'), candidate_of({{"model.layers", whole(6)}, {"optim.lr", 0.5}})};
    CrossParent b{std::string(40, 'b'), candidate_of({{"optim.bias", 1.0}})};
    Genes plain = must(space.complete({})), deep = must(space.complete({{"model.layers", whole(6)}}));
    Cross merged = must(cross(space, kTaskId, a, b, {{std::string(40, 'd'), deep}, {std::string(40, 'c'), plain}}));
    EXPECT_THAT(merged.bases, ElementsAre(std::string(40, 'c'), std::string(40, 'd')));
    for (const CrossOrigin& origin : merged.origins)
        EXPECT_EQ(origin.contested, origin.gene == "model.layers") << origin.gene;
}

TEST(Cross, HoldsEveryDifferenceForContestedWhereThereIsNoBase) {
    CrossParent a{std::string(40, 'a'), candidate_of({{"model.layers", whole(6)}, {"optim.lr", 0.5}})};
    CrossParent b{std::string(40, 'b'), candidate_of({{"optim.bias", 1.0}, {"model.mlp", word("gelu")}})};
    Cross merged = must(cross(tiny_space(), kTaskId, a, b, {}));
    EXPECT_EQ(merged.origins.size(), 4u);
    for (const CrossOrigin& origin : merged.origins) EXPECT_TRUE(origin.contested) << origin.gene;
}

TEST(Cross, SettlesContestsEitherWayAboutAsOften) {
    const Space space = tiny_space();
    int of_a = 0;
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries; ++i) {
        CrossParent a{some_oid(), candidate_of({{"optim.lr", 0.1}, {"model.layers", whole(8)}})};
        CrossParent b{some_oid(), candidate_of({{"optim.lr", 0.2}, {"model.mlp", word("gelu")}})};
        Cross merged = must(cross(space, kTaskId, a, b, {{some_oid(), must(space.complete({}))}}));
        of_a += merged.child.genes.at("optim.lr") == Value(0.1);
    }
    EXPECT_GT(of_a, kTries / 2 - 80);  // five standard deviations
    EXPECT_LT(of_a, kTries / 2 + 80);
}

TEST(Cross, IsRefusedWhenItIsOneOfItsParents) {
    const Space space = tiny_space();
    CrossParent base{std::string(40, 'c'), candidate_of({})},
        child{std::string(40, 'd'), candidate_of({{"optim.lr", 0.5}})};
    Error error = trouble(cross(space, kTaskId, base, child, {{base.commit, base.candidate.genes}}));
    EXPECT_EQ(error.code, Code::unfit);
    EXPECT_THAT(error.message, HasSubstr("is " + child.candidate.id.substr(0, 8) + " itself"));
    EXPECT_EQ(trouble(cross(space, kTaskId, child, child, {})).code, Code::unfit);
}

TEST(Cross, CountsTheSixteenLowestBases) {
    const Space space = tiny_space();
    CrossParent a{std::string(40, 'a'), candidate_of({{"optim.lr", 0.5}})},
        b{std::string(40, 'b'), candidate_of({{"optim.bias", 1.0}})};
    Bases bases;
    for (int i = 30; i > 0; --i) bases.emplace_back(fmt::format("{:040}", i), must(space.complete({})));
    Cross merged = must(cross(space, kTaskId, a, b, bases));
    ASSERT_EQ(merged.bases.size(), 16u);
    EXPECT_EQ(merged.bases.front(), fmt::format("{:040}", 1));
    EXPECT_EQ(merged.bases.back(), fmt::format("{:040}", 16));
}

}  // namespace
}  // namespace cultivar
