#include "pool/rules/same_candidate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

std::string between(const Genes& one, const Genes& other) {
    const Space space = tiny_space();
    return no_effect(space, must(space.complete(one)), must(space.complete(other)));
}

TEST(SameCandidate, IsOneWithANumberChangedInItsSeventhDigit) {
    EXPECT_THAT(between({{"optim.lr", 0.1}}, {{"optim.lr", 0.1000001}}), HasSubstr("optim.lr 0.1 against 0.1000001"));
    EXPECT_NE(between({{"optim.lr", 0.1}}, {{"optim.lr", 0.1005}}), "");
    EXPECT_EQ(between({{"optim.lr", 0.1}}, {{"optim.lr", 0.12}}), "") << "that may matter";
    EXPECT_EQ(between({{"optim.lr", 0.1}}, {{"optim.lr", 0.1}}), "") << "it is no other candidate";
}

}  // namespace
}  // namespace cultivar
