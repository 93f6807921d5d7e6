// What a foreign program leaves in place of a file leads nobody out of its folder, and nobody waits for it.
#include "pool/util/left_file.h"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

class LeftFileTest : public testing::Test {
protected:
    LeftFileTest() {
        fs::create_directories(folder_.file("run/a"));
        fs::create_directories(folder_.file("home"));
        folder_.write("home/secret", "secret");
        folder_.write("run/a/figures", "fine");
    }
    Result<std::string> read(const std::string& name, std::size_t limit_bytes = 100) const {
        return read_left_file(folder_.file("run"), name, limit_bytes);
    }
    TempFolder folder_;
};

TEST_F(LeftFileTest, IsRead) {
    EXPECT_EQ(read("a/figures").value_or(""), "fine");
    EXPECT_EQ(read("a/figures", 4).value_or(""), "fine");
    EXPECT_EQ(read("a/figures", 3).error().code, Code::corrupt);
    EXPECT_EQ(read("a/absent").error().code, Code::not_found);
}

TEST_F(LeftFileTest, IsNoLinkAndNoPipe) {
    fs::create_symlink(folder_.file("home/secret"), folder_.file("run/link"));
    fs::create_directory_symlink(folder_.file("home"), folder_.file("run/way"));
    ::mkfifo(folder_.file("run/pipe").c_str(), 0600);
    for (const char* name :
         {"link", "way/secret", "pipe", "a", "/etc/passwd", "../home/secret", "a/../../home/secret", ""})
        EXPECT_EQ(read(name).error().code, Code::not_found) << name;
}

TEST_F(LeftFileTest, IsReadWithAllOfItsFolder) {
    const auto read = [&](const LeftLimits& limits) {
        auto files = read_left_folder(folder_.file("run"), "a", limits);
        if (files) std::ranges::sort(*files);
        return files;
    };
    fs::create_directories(folder_.file("run/a/b"));
    folder_.write("run/a/b/more", "more");
    const LeftFiles all = {{"b/more", "more"}, {"figures", "fine"}};
    EXPECT_EQ(read({8, 3, 2}).value_or(LeftFiles()), all);
    for (const LeftLimits& less : {LeftLimits{7, 3, 2}, {8, 2, 2}, {8, 3, 1}})
        EXPECT_EQ(read(less).error().code, Code::corrupt);
    fs::create_symlink(folder_.file("home/secret"), folder_.file("run/a/b/link"));
    EXPECT_EQ(read({100, 100, 9}).error().code, Code::corrupt);
    fs::create_directory_symlink(folder_.file("run/a"), folder_.file("run/way"));
    EXPECT_EQ(read_left_folder(folder_.file("run"), "way", {100, 100, 9}).error().code, Code::not_found);
    EXPECT_EQ(read_left_folder(folder_.file("run"), "a/figures", {100, 100, 9}).error().code, Code::not_found);
}

TEST_F(LeftFileTest, IsWrittenBelowItsFolder) {
    fs::create_directory_symlink(folder_.file("home"), folder_.file("run/way"));
    clear_way_to(folder_.file("run"), "way/to/secret");
    EXPECT_FALSE(fs::exists(fs::symlink_status(folder_.file("run/way"))));
    EXPECT_TRUE(fs::exists(folder_.file("home/secret")));
    clear_way_to(folder_.file("run"), "a/figures");
    EXPECT_EQ(read("a/figures").value_or(""), "fine");
}

}  // namespace
}  // namespace cultivar
