#include "pool/util/text.h"

#include <cmath>

#include <gtest/gtest.h>

namespace cultivar {
namespace {

TEST(NearestDouble, RoundsWhatIsTooSmallToZero) {
    const std::string digits = "0." + std::string(400, '0') + "1";
    for (const std::string& text : {std::string("1e-5000"), std::string("-1e-5000"), digits, std::string("0e99999")}) {
        const auto value = nearest_double(text);
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(*value, 0) << text;
        EXPECT_FALSE(std::signbit(*value)) << text;
    }
    EXPECT_EQ(nearest_double("4.9e-324"), 4.9e-324);
    EXPECT_EQ(nearest_double("1e-310"), 1e-310);
}

TEST(NearestDouble, TakesWhatIsTooLargeForInfinite) {
    EXPECT_EQ(nearest_double("1e5000"), INFINITY);
    EXPECT_EQ(nearest_double("-" + std::string(400, '9')), -INFINITY);
    EXPECT_EQ(nearest_double("1" + std::string(400, '0') + "e-400"), 1);
}

TEST(NearestDouble, TakesWholeNumbersOnly) {
    for (const char* text : {"", " 1", "1 ", "1x", "e5", "1e-5000x", "+1", "0,5"})
        EXPECT_FALSE(nearest_double(text)) << text;
    EXPECT_TRUE(std::isnan(nearest_double("nan").value_or(0)));
}

}  // namespace
}  // namespace cultivar
