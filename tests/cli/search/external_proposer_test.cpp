#include "cli/search/external_proposer.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

TEST(Answer, HasAParentItsChangesANoteAndWhatItCost) {
    Answer answer = parse_answer(R"({"parent": "1a2b3c4d", "changes": {"optim.lr": 0.05, "layers": 4, "mlp": "gelu",
        "tied": true}, "note": "a\nnote", "cost": {"tokens": 1200, "seconds": 3.5, "price": 0.02}, "more": [1]})");
    EXPECT_EQ(answer.wrong, "");
    EXPECT_EQ(answer.suggestion.parent, "1a2b3c4d");
    EXPECT_EQ(answer.suggestion.changes,
              (Genes{{"layers", std::int64_t{4}}, {"mlp", std::string("gelu")}, {"optim.lr", 0.05}, {"tied", true}}));
    EXPECT_EQ(answer.suggestion.note, "a?note");
    EXPECT_EQ(answer.tokens, 1200);
    EXPECT_EQ(answer.usd, 0.02);
    EXPECT_EQ(answer.seconds, 3.5);
}

TEST(Answer, MayDeclareItsJoulesElseTheyAreEstimatedFromItsTokens) {
    const auto call_of = [](const std::string& cost) {
        const Answer answer = parse_answer(R"({"parent":"a","changes":{"x":1},"cost":)" + cost + "}");
        ProposerCall call;
        call.tokens = answer.tokens, call.joules = answer.joules;
        return call;
    };
    const auto declared = energy_of(call_of(R"({"tokens":1200,"joules":130})"));
    ASSERT_TRUE(declared);
    EXPECT_EQ(declared->method, "declared");
    EXPECT_EQ(declared->joules, 130);
    EXPECT_DOUBLE_EQ(declared->low, 100);
    EXPECT_DOUBLE_EQ(declared->high, 169);
    const auto estimated = energy_of(call_of(R"({"tokens":1200,"joules":-5})"));
    ASSERT_TRUE(estimated);
    EXPECT_EQ(estimated->method, "estimated");
    EXPECT_EQ(estimated->joules, 2400);
    EXPECT_EQ(estimated->low, 360);
    EXPECT_EQ(estimated->high, 14'400);
    EXPECT_FALSE(energy_of(call_of(R"({"seconds":3})"))) << "nothing to estimate it from";
}

TEST(Answer, NeedsNoNoteAndNoCost) {
    Answer answer = parse_answer(R"({"parent":"1a2b3c4d","changes":{"x":1}})");
    EXPECT_EQ(answer.wrong, "");
    EXPECT_EQ(answer.tokens, std::nullopt);
    EXPECT_EQ(answer.usd, std::nullopt);
}

TEST(Answer, SaysWhatIsWrongWithIt) {
    auto wrong = [](const std::string& text) { return parse_answer(text).wrong; };
    EXPECT_EQ(wrong(""), "it gave no answer");
    EXPECT_EQ(wrong(" \n"), "it gave no answer");
    EXPECT_EQ(wrong("I would try a smaller rate"), "its answer is not JSON");
    EXPECT_EQ(wrong(R"({"parent":"a","changes":{"x":1e999}})"), "its answer is not JSON");
    EXPECT_EQ(wrong(R"({"parent":"a","changes":{}} {})"), "its answer is not JSON");
    EXPECT_EQ(wrong("[1]"), "its answer is not a plain JSON object");
    EXPECT_EQ(wrong(R"({"changes":{"x":1}})"), "its answer names no 'parent'");
    EXPECT_EQ(wrong(R"({"parent":7,"changes":{"x":1}})"), "its answer names no 'parent'");
    EXPECT_EQ(wrong(R"({"parent":"a"})"), "its answer has no 'changes'");
    EXPECT_EQ(wrong(R"({"parent":"a","changes":{"x":null}})"), "its value for 'x' is no value of a gene");
    EXPECT_EQ(wrong(R"({"parent":"a","changes":{"x":[1]}})"), "its value for 'x' is no value of a gene");
    EXPECT_EQ(wrong(R"({"parent":"a","changes":{"x":18446744073709551615}})"),
              "its value for 'x' is no value of a gene");
}

TEST(Answer, OfADepthThatNobodyNeedsIsRefusedWithoutHarm) {
    std::string deep = R"({"parent":"a","changes":{"x":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}}";
    EXPECT_EQ(parse_answer(deep).wrong, "its answer is not a plain JSON object");
}

TEST(Answer, ThatIsWrongStillTellsWhatItCostAndFiguresThatCannotBeAreNone) {
    Answer answer = parse_answer(R"({"cost":{"tokens":5,"seconds":-1,"price":"much"}})");
    EXPECT_NE(answer.wrong, "");
    EXPECT_EQ(answer.tokens, 5);
    EXPECT_EQ(answer.seconds, 0);
    EXPECT_EQ(answer.usd, std::nullopt);
}

}  // namespace
}  // namespace cultivar
