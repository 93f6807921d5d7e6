#include "train/lm/loop/checkpoint.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace cultivar {
namespace {

class CheckpointTest : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(folder_);
        std::filesystem::remove(file_);
        ASSERT_TRUE(write_checkpoint(folder_, digest_, {12, 3456, 7.5, 7.5, 8, {}}, state()));
    }
    FloatBuffers state() { return {values_, moments_}; }
    FloatBuffers everything() { return {values_, moments_, lane_one_, lane_two_}; }
    std::optional<Checkpoint> read() { return Checkpoint::read(folder_, digest_, kShape); }
    void damage(std::streamoff at) {
        std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(at);
        const char old = static_cast<char>(file.get());
        file.seekp(at);
        file.put(static_cast<char>(old ^ 1));
    }

    std::string folder_ = testing::TempDir() + "checkpoint_test";
    std::string file_ = folder_ + "/checkpoint.bin";
    std::string digest_ = std::string(64, 'a');
    static constexpr CheckpointShape kShape{5, 2, 3};
    std::vector<float> values_{1, 2, 3}, moments_{4, 5}, lane_one_{6, 7, 8}, lane_two_{9, 10, 11};
};

TEST_F(CheckpointTest, GivesBackWhatWasWritten) {
    const auto checkpoint = read();
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->progress().step, 12);
    EXPECT_EQ(checkpoint->progress().position, 3456);
    EXPECT_EQ(checkpoint->progress().reached_s, 7.5);
    EXPECT_EQ(checkpoint->progress().elapsed_s, 7.5);
    EXPECT_TRUE(checkpoint->progress().lanes.empty());
    values_ = {0, 0, 0};
    moments_ = {0, 0};
    checkpoint->restore(state());
    EXPECT_THAT(values_, testing::ElementsAre(1, 2, 3));
    EXPECT_THAT(moments_, testing::ElementsAre(4, 5));
}

TEST_F(CheckpointTest, GivesBackWhatTheLanesHaveWithinAStep) {
    const Progress within{12, 3456, 7.5, 9.25, 10.5, {{3, 1.5}, {2, 0.5}}};
    ASSERT_TRUE(write_checkpoint(folder_, digest_, within, everything()));
    const auto checkpoint = read();
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->progress().reached_s, 7.5);
    EXPECT_EQ(checkpoint->progress().elapsed_s, 9.25);
    EXPECT_EQ(checkpoint->progress().wall_s, 10.5);
    ASSERT_EQ(checkpoint->progress().lanes.size(), 2U);
    EXPECT_EQ(checkpoint->progress().lanes[0].batches, 3);
    EXPECT_EQ(checkpoint->progress().lanes[1].loss_sum, 0.5);
    values_ = lane_one_ = lane_two_ = {0, 0, 0};
    checkpoint->restore(everything());
    EXPECT_THAT(values_, testing::ElementsAre(1, 2, 3));
    EXPECT_THAT(lane_one_, testing::ElementsAre(6, 7, 8));
    EXPECT_THAT(lane_two_, testing::ElementsAre(9, 10, 11));
}

TEST_F(CheckpointTest, IsNothingWhenAnyByteIsDamaged) {
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file_));
    for (std::streamoff at = 0; at < size; at += 11) {
        damage(at);
        EXPECT_FALSE(read()) << at;
        damage(at);
    }
    EXPECT_TRUE(read());
}

TEST_F(CheckpointTest, IsNothingWhenCutShort) {
    std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 1);
    EXPECT_FALSE(read());
    std::filesystem::remove(file_);
    EXPECT_FALSE(read());
}

TEST_F(CheckpointTest, IsNothingForAnotherRunOrAnotherModel) {
    EXPECT_FALSE(Checkpoint::read(folder_, std::string(64, 'b'), kShape));
    EXPECT_FALSE(Checkpoint::read(folder_, digest_, {6, 2, 3}));
    ASSERT_TRUE(write_checkpoint(folder_, digest_, {12, 3456, 7.5, 9, 10, {{3, 1.5}, {2, 0.5}}}, everything()));
    EXPECT_TRUE(read());
    EXPECT_FALSE(Checkpoint::read(folder_, digest_, {5, 3, 3}));
    EXPECT_FALSE(Checkpoint::read(folder_, digest_, {5, 2, 4}));
    EXPECT_FALSE(Checkpoint::read(folder_, digest_, {5, 3, 2})) << "as many floats in other lanes";
}

TEST_F(CheckpointTest, OfAFolderThatIsNotThereIsAnError) {
    EXPECT_FALSE(write_checkpoint(folder_ + "/missing", digest_, {}, state()));
}

}  // namespace
}  // namespace cultivar
