#include "train/lm/checkpoint.h"

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
        ASSERT_TRUE(write_checkpoint(folder_, digest_, {12, 3456, 7.5}, view()));
    }
    StateView view() { return {values_, first_, second_}; }
    std::optional<Checkpoint> read() { return Checkpoint::read(folder_, digest_, 3); }
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
    std::vector<float> values_{1, 2, 3}, first_{4, 5, 6}, second_{7, 8, 9};
};

TEST_F(CheckpointTest, GivesBackWhatWasWritten) {
    const auto checkpoint = read();
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->progress().step, 12);
    EXPECT_EQ(checkpoint->progress().position, 3456);
    EXPECT_EQ(checkpoint->progress().elapsed_s, 7.5);
    values_ = first_ = second_ = {0, 0, 0};
    checkpoint->restore(view());
    EXPECT_THAT(values_, testing::ElementsAre(1, 2, 3));
    EXPECT_THAT(first_, testing::ElementsAre(4, 5, 6));
    EXPECT_THAT(second_, testing::ElementsAre(7, 8, 9));
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
    EXPECT_FALSE(Checkpoint::read(folder_, std::string(64, 'b'), 3));
    EXPECT_FALSE(Checkpoint::read(folder_, digest_, 4));
}

TEST_F(CheckpointTest, OfAFolderThatIsNotThereIsAnError) {
    EXPECT_FALSE(write_checkpoint(folder_ + "/missing", digest_, {}, view()));
}

}  // namespace
}  // namespace cultivar
