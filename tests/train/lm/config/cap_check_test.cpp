#include "train/lm/config/cap_check.h"

#include <gtest/gtest.h>

#include "train/lm/config/tensor_layout.h"

namespace cultivar {
namespace {

ModelConfig baseline() { return read_lm_config({}, 1024).value().model; }

TEST(Caps, LetAModelPassThatIsJustAtThem) {
    const ModelConfig model = baseline();
    EXPECT_TRUE(check_caps({}, model));
    EXPECT_TRUE(check_caps({17'059'912, model.forward_flops_per_token(), 1e-12}, model));  // joules are not known yet
}

TEST(Caps, RefuseAModelOverThem) {
    const ModelConfig model = baseline();
    const auto large = check_caps({17'059'911, {}, {}}, model);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().kind, "unfit");
    EXPECT_EQ(large.error().message, "17059912 parameters are over the pool's cap of 17059911");
    const auto costly = check_caps({{}, 1e6, {}}, model);
    ASSERT_FALSE(costly);
    EXPECT_EQ(costly.error().kind, "unfit");
    EXPECT_NE(costly.error().message.find("forward FLOPs a token are over the pool's cap of 1000000"),
              std::string::npos);
}

}  // namespace
}  // namespace cultivar
