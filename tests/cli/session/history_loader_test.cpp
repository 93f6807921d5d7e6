#include "cli/session/history_loader.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

Lease lease(const std::string& writer, int number, const std::string& category = "here") {
    Lease one;
    one.candidate = std::to_string(number);
    one.category = category;
    one.writer = writer;
    return one;
}

TEST(PlausibleLeases, AreTheFirstHundredOfAWriter) {
    std::vector<Lease> leases;
    for (int i = 0; i < 1000; ++i) leases.push_back(lease("mallory", i));
    for (int i = 0; i < 3; ++i) leases.push_back(lease("ann", i));
    auto plausible = plausible_leases(leases, "here");
    ASSERT_EQ(plausible.size(), 103U);
    EXPECT_EQ(plausible[99].candidate, "99");
    EXPECT_EQ(plausible[100].writer, "ann");
}

TEST(PlausibleLeases, AreFewHoweverManyKeysSomebodyMakes) {
    std::vector<Lease> leases;
    for (int key = 0; key < 50; ++key) {
        for (int i = 0; i < 100; ++i) leases.push_back(lease("mallory" + std::to_string(key), i));
    }
    leases.push_back(lease("ann", 7));
    auto plausible = plausible_leases(leases, "here");
    ASSERT_EQ(plausible.size(), 400U);
    EXPECT_EQ(plausible.back().writer, "ann") << "the writers take turns";
    EXPECT_EQ(plausible.back().candidate, "7");
}

TEST(PlausibleLeases, AreThoseOfTheCategoryAlone) {
    std::vector<Lease> leases;
    for (int i = 0; i < 150; ++i) leases.push_back(lease("ann", i, "there"));
    leases.push_back(lease("ann", 1));
    EXPECT_EQ(plausible_leases(leases, "here").size(), 1U);
}

}  // namespace
}  // namespace cultivar
