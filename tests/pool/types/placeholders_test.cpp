#include "pool/types/placeholders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Gene gene(const std::string& name) {
    Gene gene;
    gene.name = name;
    gene.type = GeneType::real;
    gene.default_value = 0.5;
    gene.high = 1;
    return gene;
}
Space space() { return must(Space::make({gene("lr"), gene("LEARNING_RATE")}, {})); }

TEST(Placeholders, AreNamesInBracesAndNothingElse) {
    EXPECT_THAT(placeholders_in("{gene.lr} a{seed}b {}{ x}{y z}{"), ElementsAre("gene.lr", "seed"));
    EXPECT_THAT(placeholders_in(R"({"lr": 1, "x": {"y": 2}})"), IsEmpty());
}

TEST(Placeholders, AreReplacedOnceAndNeverReadAgain) {
    const Placeholders values = {{"gene.lr", "{seed}"}, {"seed", "7"}};
    EXPECT_EQ(filled("--lr={gene.lr} {seed}{seed} {other}", values), "--lr={seed} 77 {other}");
    EXPECT_EQ(filled("{{seed}}", values), "{7}");
}

TEST(Placeholders, StayWithinTheirWordWhateverTheValue) {
    for (const char* hostile : {"a b", "'; touch x #", "$(touch x)", "--option", "a\nb", "\"", "{gene.lr}"})
        EXPECT_EQ(filled("<{gene.lr}>", {{"gene.lr", hostile}}), "<" + std::string(hostile) + ">");
}

TEST(Placeholders, ThatNobodyKnowsAreTypingMistakes) {
    EXPECT_TRUE(
        check_placeholders("{gene.lr} {gene.LEARNING_RATE} {seed} {budget_s} {threads} {device} {work} "
                           "{artifact} {files} {specification}",
                           space()));
    EXPECT_THAT(trouble(check_placeholders("{gene.lrr}", space())).message, HasSubstr("did you mean '{gene.lr}'"));
    EXPECT_THAT(trouble(check_placeholders("{sed}", space())).message, HasSubstr("did you mean '{seed}'"));
}

TEST(Placeholders, ShowValuesAsProgramsReadThem) {
    EXPECT_EQ(plain_text(Value(std::int64_t{12})), "12");
    EXPECT_EQ(plain_text(Value(0.001)), "0.001");
    EXPECT_EQ(plain_text(Value(true)), "true");
    EXPECT_EQ(plain_text(Value(std::string("-O3"))), "-O3");
}

}  // namespace
}  // namespace cultivar
