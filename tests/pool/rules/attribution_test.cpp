#include "pool/rules/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using ::testing::DoubleNear;

//   root (2.0) -- a (1.9, ann: x) ---.
//        \------- b (1.8, bob: y, z) -+- cross (1.6, cai: x of a, y of b, z of b)
class CreditTest : public ::testing::Test {
protected:
    CreditTest() {
        add("root", {}, {}, 2.0);
        add("a", {"root"}, {{"x", "1"}}, 1.9);
        add("b", {"root"}, {{"y", "1"}, {"z", "1"}}, 1.8);
        add("cross", {"a", "b"}, {{"x", "1"}, {"y", "1"}, {"z", "1"}}, 1.6);
        input_.relative = [this](const std::string& id) -> const Relative* {
            auto found = relatives_.find(id);
            return found == relatives_.end() ? nullptr : &found->second;
        };
        input_.score = [this](const std::string& id, const std::string& category) -> const double* {
            auto found = scores_.find(id);
            return found == scores_.end() || category != "cpu" ? nullptr : &found->second;
        };
    }
    void add(const std::string& id, std::vector<std::string> parents, std::map<std::string, std::string> genes,
             double score) {
        relatives_[id] = {std::move(parents), std::move(genes)};
        scores_[id] = score;
    }
    void accepted(const std::string& id, const std::string& finder) {
        input_.improvements.push_back({id, "cpu", finder});
    }
    AttributedCredit of(const std::string& finder) {
        double found = 0, credited = 0;
        auto credits = credit_of(input_);
        for (const auto& [who, credit] : credits) found += credit.found, credited += credit.credited;
        EXPECT_THAT(credited, DoubleNear(found, 1e-12)) << "nothing is lost or made up";
        return credits[finder];
    }

    std::map<std::string, Relative> relatives_;
    std::map<std::string, double> scores_;
    AttributionInput input_;
};

TEST_F(CreditTest, OfAnImprovementIsItsFindersAlone) {
    accepted("root", "ann");
    accepted("a", "ann");
    accepted("b", "bob");
    EXPECT_THAT(of("ann").found, DoubleNear(0.1, 1e-12)) << "a root has nothing to gain on";
    EXPECT_THAT(of("ann").credited, DoubleNear(0.1, 1e-12));
    EXPECT_THAT(of("bob").credited, DoubleNear(0.2, 1e-12));
}

TEST_F(CreditTest, OfACrossIsHalfThatOfItsGenes) {
    accepted("a", "ann");
    accepted("b", "bob");
    accepted("cross", "cai");  // 0.2 better than the best of its ancestors
    EXPECT_THAT(of("cai").found, DoubleNear(0.2, 1e-12));
    EXPECT_THAT(of("cai").credited, DoubleNear(0.1, 1e-12));
    EXPECT_THAT(of("ann").credited, DoubleNear(0.1 + 0.1 / 3, 1e-12));
    EXPECT_THAT(of("bob").credited, DoubleNear(0.2 + 0.1 * 2 / 3, 1e-12));
}

TEST_F(CreditTest, GoesToWhoeverBroughtAGeneInHoweverFarBack) {
    add("a2", {"a"}, {{"x", "1"}, {"w", "1"}}, 1.85);  // keeps ann's x
    add("far", {"a2", "b"}, {{"x", "1"}, {"y", "1"}}, 1.7);
    accepted("a", "ann");
    accepted("b", "bob");
    accepted("a2", "dan");
    accepted("far", "cai");
    // x and w of a2, y and z of b differ. far has x from ann and y from bob; its w and z are at their defaults: z comes
    // from a2's family, where it was never changed, and w from b's, where the root is unclaimed.
    EXPECT_THAT(of("ann").credited, DoubleNear(0.1 + 0.05 / 4, 1e-12));
    EXPECT_THAT(of("bob").credited, DoubleNear(0.2 + 0.05 / 4, 1e-12));
    EXPECT_THAT(of("cai").credited, DoubleNear(0.05 + 0.05 / 2, 1e-12));
}

TEST_F(CreditTest, IsNotEarnedByMakingUpWhatAnAncestorHadLost) {
    add("worse", {"b"}, {{"y", "9"}}, 2.5);
    add("again", {"worse"}, {{"y", "1"}, {"z", "1"}, {"v", "1"}}, 1.8);
    accepted("b", "bob");
    accepted("worse", "eve");
    accepted("again", "eve");
    EXPECT_EQ(of("eve").found, 0);
}

TEST_F(CreditTest, OfAnAncestryThatGoesRoundInACircleEnds) {
    add("p", {"q", "b"}, {{"x", "2"}}, 1.5);
    add("q", {"p", "a"}, {{"x", "2"}}, 1.7);
    accepted("p", "eve");
    EXPECT_THAT(of("eve").found, DoubleNear(0.2, 1e-12));
}

TEST(GeneLines, AreReadFromCanonicalToml) {
    EXPECT_THAT(gene_lines("a.b = 1\nmodel.mlp = \"x = y\"\n"),
                ::testing::ElementsAre(std::pair("a.b", "1"), std::pair("model.mlp", "\"x = y\"")));
    EXPECT_TRUE(gene_lines("").empty());
}

}  // namespace
}  // namespace cultivar
