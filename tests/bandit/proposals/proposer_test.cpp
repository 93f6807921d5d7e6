#include "bandit/proposals/proposer.h"

#include <gtest/gtest.h>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

TEST(GenesUnderWay, AreThoseOfThisCloneAndTheNewestEightThatOthersLease) {
    const Space space = testing::model_space();
    History history;
    for (int i = 0; i < 300; ++i) {
        const std::string id = testing::add(history, testing::candidate_of(space, {{"optim.rate", 0.1 + 0.001 * i}}));
        testing::known(history, id).in_flight = true;
        testing::known(history, id).held_here = i == 0 || i == 150;
    }
    history.candidates.back().rejected = true;
    std::vector<const Genes*> expected = {&history.candidates[0].candidate.genes,
                                          &history.candidates[150].candidate.genes};
    for (std::size_t i = 291; i < 299; ++i) expected.push_back(&history.candidates[i].candidate.genes);
    EXPECT_EQ(genes_under_way(history), expected);
}

}  // namespace
}  // namespace cultivar
