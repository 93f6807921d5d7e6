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

TEST(PlausibleLeases, AreThoseOfTheCategoryAlone) {
    std::vector<Lease> leases;
    for (int i = 0; i < 150; ++i) leases.push_back(lease("ann", i, "there"));
    leases.push_back(lease("ann", 1));
    EXPECT_EQ(plausible_leases(leases, "here").size(), 1U);
}

}  // namespace
}  // namespace cultivar
