// What a foreign program leaves in place of a file leads nobody out of its folder, and nobody waits for it.
#include "pool/util/left_file.h"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pool/util/left_folder.h"
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
    ASSERT_TRUE(clear_way_to(folder_.file("run"), "way/to/secret"));
    EXPECT_FALSE(fs::exists(fs::symlink_status(folder_.file("run/way"))));
    EXPECT_TRUE(fs::exists(folder_.file("home/secret")));
    ASSERT_TRUE(clear_way_to(folder_.file("run"), "a/figures"));
    EXPECT_EQ(read("a/figures").value_or(""), "fine");
    ASSERT_TRUE(clear_way_to(folder_.file("run"), "a"));
    EXPECT_FALSE(fs::exists(folder_.file("run/a"))) << "a folder is no file";
}

// With the limit of open files that this process has for a moment.
class FewFiles {
public:
    FewFiles() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &few);
    }
    ~FewFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    FewFiles(const FewFiles&) = delete;
    FewFiles& operator=(const FewFiles&) = delete;

private:
    rlimit before_{};
};

TEST_F(LeftFileTest, IsRemovedHoweverDeepItLies) {
    int at = ::open(folder_.file("run").c_str(), O_PATH);
    for (int i = 0; i < 3000; ++i) {
        ::mkdirat(at, "d", 0700);
        ::close(::openat(at, ".0", O_CREAT | O_WRONLY, 0600));  // a name that folders might get meanwhile
        const int next = ::openat(at, "d", O_PATH);
        ::close(at);
        at = next;
    }
    ::close(at);
    fs::create_directory_symlink(folder_.file("home"), folder_.file("run/way"));
    const FewFiles few;
    EXPECT_TRUE(remove_folder(folder_.file("run") + "/"));
    EXPECT_FALSE(fs::exists(folder_.file("run")));
    EXPECT_TRUE(fs::exists(folder_.file("home/secret"))) << "no link is followed";
    EXPECT_TRUE(remove_folder(folder_.file("run"))) << "it is gone already";
}

// Nothing is closed to root, so that it becomes somebody else.
TEST_F(LeftFileTest, IsRemovedFromFoldersThatAreClosed) {
    constexpr uid_t kNobody = 65534;
    const uid_t me = ::geteuid();
    fs::create_directories(folder_.file("open"));
    ::chmod(folder_.path().c_str(), 0755);
    ::chmod(folder_.file("open").c_str(), 0777);
    ASSERT_TRUE(me != 0 || ::seteuid(kNobody) == 0);
    fs::create_directories(folder_.file("open/run/a/b/c"));
    folder_.write("open/run/a/b/c/file", "");
    for (const char* name : {"a/b/c", "a/b", "a", ""})
        ::chmod(folder_.file("open/run/" + std::string(name)).c_str(), name[0] == 'a' ? 0 : 0555);
    const auto removed = remove_folder(folder_.file("open/run"));
    ASSERT_TRUE(me != 0 || ::seteuid(me) == 0);
    EXPECT_TRUE(removed);
    EXPECT_FALSE(fs::exists(folder_.file("open/run")));
}

}  // namespace
}  // namespace cultivar
