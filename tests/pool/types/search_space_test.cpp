#include "pool/types/search_space.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/text.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Value, IsWrittenInTheShortestFormWithAPointOrAnExponent) {
    const std::pair<double, const char*> cases[] = {
        {0.05, "0.05"},     {3.0, "3.0"},         {0.1 + 0.2, "0.30000000000000004"},
        {1e-5, "1e-05"},    {0.001, "0.001"},     {1e-4, "1e-04"},
        {1e5, "1e+05"},     {123456, "123456.0"}, {1e22, "1e+22"},
        {5e-324, "5e-324"}, {-2.5, "-2.5"},       {std::numeric_limits<double>::max(), "1.7976931348623157e+308"}};
    for (auto [value, text] : cases) EXPECT_EQ(to_toml(Value(value)), text);
    EXPECT_EQ(to_toml(whole(-7)), "-7");
    EXPECT_EQ(to_toml(Value(true)), "true");
    EXPECT_EQ(to_toml(word("a\"b\\c\n\x7f")), R"("a\"b\\c\u000A\u007F")");
}

TEST(Value, ReadsBackToTheSameDouble) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20000; ++i) {
        auto value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) continue;
        std::string text = to_toml(Value(value));
        ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
        ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text;
    }
}

TEST(Gene, TakesWhatIsInItsRangeAndNothingElse) {
    const Space space = tiny_space();
    const std::tuple<const char*, Value, bool> cases[] = {
        {"model.layers", whole(1), true},   {"model.layers", whole(32), true},
        {"model.layers", whole(0), false},  {"model.layers", whole(33), false},
        {"model.layers", 4.0, false},       {"model.layers", true, false},
        {"model.layers", word("4"), false}, {"model.width", whole(48), true},
        {"model.width", whole(50), false},  {"model.heads", whole(8), true},
        {"model.heads", whole(3), false},   {"model.mlp", word("gelu"), true},
        {"model.mlp", word("silu"), false}, {"model.mlp", whole(0), false},
        {"model.tied", true, true},         {"model.tied", whole(1), false},
        {"optim.lr", 1e-5, true},           {"optim.lr", 9.9e-6, false},
        {"optim.lr", kNan, false},          {"optim.lr", kInfinity, false},
        {"optim.lr", word("fast"), false},  {"model.layers", whole(std::numeric_limits<std::int64_t>::min()), false}};
    for (const auto& [name, value, good] : cases)
        EXPECT_EQ(space.find(name)->accept(value).has_value(), good) << name << " = " << to_toml(value);
}

TEST(Gene, TellsItsNameAndItsRangeWhenItRefuses) {
    const Space space = tiny_space();
    Error error = trouble(space.find("model.width")->accept(whole(50)));
    EXPECT_EQ(error.code, Code::usage);
    EXPECT_EQ(error.message, "'model.width' = 50 is out of range: it takes 32..512 in steps of 8");
    EXPECT_THAT(trouble(space.find("model.mlp")->accept(word("silu"))).message, HasSubstr("relu2, gelu, swiglu"));
    EXPECT_THAT(trouble(space.find("model.heads")->accept(whole(3))).message, HasSubstr("it takes 1, 2, 4, 8"));
}

TEST(Gene, HasOneFormForEachNumber) {
    const Space space = tiny_space();
    Value three = must(space.find("optim.bias")->accept(whole(3)));
    EXPECT_EQ(three, Value(3.0));
    Value zero = must(space.find("optim.bias")->accept(-0.0));
    EXPECT_EQ(to_toml(zero), "0.0");
}

// Returns the refusal of the tiny space after a change to one gene.
Error refusal(const std::function<void(std::vector<Gene>&, std::vector<Constraint>&)>& change) {
    std::vector<Gene> genes = tiny_genes();
    std::vector<Constraint> constraints = tiny_constraints();
    change(genes, constraints);
    return trouble(Space::make(std::move(genes), std::move(constraints)));
}

TEST(Space, RefusesGenesThatMakeNoSense) {
    for (std::string name : {"", "a..b", ".a", "a.", "a-b", "ä", "a b", "a.b\nc"})
        EXPECT_THAT(refusal([&](auto& genes, auto&) { genes[0].name = name; }).message, HasSubstr("not a gene's name"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[0].name = std::string(65, 'a'); }).message, HasSubstr("name"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes.push_back(genes[3]); }).message, HasSubstr("declared twice"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[0].default_value = whole(99); }).message, HasSubstr("range"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[6].low = 0; }).message, HasSubstr("above 0"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[1].multiple_of = 0; }).message, HasSubstr("multiple_of"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[5].when->gene = "model.tide"; }).message, HasSubstr("tide"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[5].when->values = {whole(1)}; }).message,
                HasSubstr("'model.tied' = 1"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { std::swap(genes[4], genes[5]); }).message,
                HasSubstr("not declared before it"));
}

TEST(Space, RefusesGenesThatACandidateFileCouldNotName) {
    // `model = 1` and `model.layers = 2` cannot stand in one TOML file; `files` belongs to candidates with source.
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[7].name = "model"; }).message, HasSubstr("'model'"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[7].name = "optim.lr.late"; }).message, HasSubstr("optim.lr"));
    EXPECT_THAT(refusal([](auto& genes, auto&) { genes[7].name = "files.a"; }).message, HasSubstr("files.a"));
}

TEST(Space, RefusesConstraintsThatMakeNoSense) {
    EXPECT_THAT(refusal([](auto&, auto& all) { all[0].left = "optim.lr"; }).message, HasSubstr("whole-number gene"));
    EXPECT_THAT(refusal([](auto&, auto& all) { all[0].right = "nothing"; }).message, HasSubstr("'nothing'"));
    EXPECT_THAT(refusal([](auto&, auto& all) { all[0].factor = 0; }).message, HasSubstr("factor"));
}

TEST(Space, SuggestsTheNearestNameForAnUnknownGene) {
    EXPECT_EQ(trouble(tiny_space().complete({{"optim.lrr", 0.1}})).message,
              "unknown gene 'optim.lrr', did you mean 'optim.lr'?");
    EXPECT_EQ(trouble(tiny_space().complete({{"quite.other", 0.1}})).message, "unknown gene 'quite.other'");
    EXPECT_THAT(nearest("shwo", {"show", "top", "status"}), ElementsAre("show"));
    EXPECT_THAT(nearest("to", {"top", "no", "explore"}), ElementsAre("no", "top"));
    EXPECT_THAT(nearest("abc", {"xyz"}), IsEmpty());
}

TEST(Space, KeepsAConditionalGeneOnlyWhileItIsActive) {
    const Space space = tiny_space();
    Genes off = must(space.complete({{"model.unique", whole(3)}}));
    EXPECT_FALSE(space.active(*space.find("model.unique"), off));
    EXPECT_TRUE(space.minimal(off).empty());
    Genes on = must(space.complete({{"model.unique", whole(3)}, {"model.tied", true}}));
    EXPECT_TRUE(space.active(*space.find("model.unique"), on));
    EXPECT_EQ(space.minimal(on).size(), 2u);
}

TEST(Space, IsInactiveAllAlongAChainOfConditions) {
    std::vector<Gene> genes = tiny_genes();
    Gene deep = genes[7];
    deep.name = "optim.deep";
    deep.when = Condition{"model.unique", {whole(2)}};
    genes.push_back(deep);
    Space space = must(Space::make(genes, {}));
    EXPECT_FALSE(space.active(*space.find("optim.deep"), must(space.complete({}))));
    EXPECT_TRUE(space.active(*space.find("optim.deep"), must(space.complete({{"model.tied", true}}))));
}

TEST(Space, ChecksConstraintsOnlyBetweenActiveGenes) {
    const Space space = tiny_space();
    auto check = [&](const Genes& changes) { return space.check(must(space.complete(changes))); };
    EXPECT_TRUE(check({{"model.width", whole(40)}}));
    Error width = trouble(check({{"model.width", whole(40)}, {"model.heads", whole(8)}}));
    EXPECT_EQ(width.code, Code::usage);
    EXPECT_EQ(width.message, "'model.width' = 40 is not a multiple of 2 x 'model.heads' = 8");
    EXPECT_TRUE(check({{"model.unique", whole(9)}}));
    EXPECT_TRUE(check({{"model.unique", whole(4)}, {"model.tied", true}}));
    EXPECT_EQ(trouble(check({{"model.unique", whole(9)}, {"model.tied", true}})).message,
              "'model.unique' = 9 is more than 'model.layers' = 4");
}

TEST(Space, DividesByNothingHoweverLargeAConstraintIs) {
    std::vector<Gene> genes = tiny_genes();
    genes[1].multiple_of = 1;
    genes[1].low = -1e30, genes[1].high = 1e30;
    genes[2].levels = {-1, 0, 4, std::int64_t{1} << 32};
    Space space =
        must(Space::make(genes, {{Constraint::Kind::multiple, "model.width", "model.heads", std::int64_t{1} << 32}}));
    auto holds = [&](std::int64_t width, std::int64_t heads) {
        auto complete = space.complete({{"model.width", whole(width)}, {"model.heads", whole(heads)}});
        return complete && space.violated(*complete) == nullptr;
    };
    EXPECT_FALSE(holds(128, std::int64_t{1} << 32));  // the product is 0 in 64 bits
    EXPECT_FALSE(holds(128, 0));
    EXPECT_FALSE(holds(std::numeric_limits<std::int64_t>::min(), -1));  // the quotient does not fit
    EXPECT_TRUE(holds(std::int64_t{1} << 34, 4));
}

TEST(Gene, TellsManyLevelsThatDoubleByTheirEnds) {
    Gene gene;
    gene.type = GeneType::integer;
    gene.log_scale = true;
    const auto told = [&](std::vector<std::int64_t> levels) {
        gene.levels = std::move(levels);
        return gene.range_text();
    };
    EXPECT_EQ(told({64, 128, 256, 512, 1024}), "64..1024 doubling");
    EXPECT_EQ(told({0, 3, 6, 12, 24, 48}), "0, 3..48 doubling");
    EXPECT_EQ(told({64, 128, 256, 512}), "64, 128, 256, 512");
    EXPECT_EQ(told({4, 5, 6, 8, 16}), "4, 5, 6, 8, 16");
    EXPECT_EQ(told({0}), "0");
}

}  // namespace
}  // namespace cultivar
