#include "train/launch/folder_size.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"

namespace cultivar {
namespace {

// Folders within one another, and a file of 1,000 bytes in the last.
void dig(const std::string& start, int depth, std::size_t name_bytes) {
    int at = ::open(start.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::string name(name_bytes, 'd');
    for (int i = 0; i < depth; ++i) {
        ASSERT_EQ(::mkdirat(at, name.c_str(), 0700), 0);
        const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ::close(at);
        at = next;
    }
    const int file = ::openat(at, "hidden", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(::ftruncate(file, 1000), 0);
    ::close(file);
    ::close(at);
}

TEST(FolderSize, CountsFilesBelowPathsThatAreTooLongToName) {
    const TempFolder folder;
    dig(folder.path(), 20, 250);  // beyond PATH_MAX
    FolderLimits limits;
    limits.bytes = 5000;
    EXPECT_EQ(folder_bytes(folder.path(), limits), 1000);
    folder.write("seen", std::string(4000, 'x'));
    EXPECT_EQ(folder_bytes(folder.path(), limits), 5000);
    folder.write("more", "x");
    EXPECT_EQ(folder_bytes(folder.path(), limits), 5001);
}

TEST(FolderSize, TakesMoreThanItCanCountForTooMuch) {
    const TempFolder deep, many, linked;
    FolderLimits limits;
    limits.bytes = 5000;
    dig(deep.path(), limits.depth + 1, 1);
    EXPECT_EQ(folder_bytes(deep.path(), limits), 5001);
    limits.files = 3;
    for (int i = 0; i < 4; ++i) many.write(std::to_string(i), "");
    EXPECT_EQ(folder_bytes(many.path(), limits), 5001);
    ASSERT_EQ(::symlink(deep.path().c_str(), linked.file("link").c_str()), 0);
    EXPECT_EQ(folder_bytes(linked.path(), limits), 0);
    EXPECT_EQ(folder_bytes(linked.file("absent"), limits), 0);
}

TEST(FolderSize, TakesAFolderThatIsClosedForTooMuch) {
    if (::geteuid() == 0) GTEST_SKIP() << "nothing is closed to root";
    const TempFolder folder;
    dig(folder.path(), 1, 1);
    ASSERT_EQ(::chmod(folder.file("d").c_str(), 0), 0);
    FolderLimits limits;
    limits.bytes = 5000;
    EXPECT_EQ(folder_bytes(folder.path(), limits), 5001);
    ::chmod(folder.file("d").c_str(), 0700);
}

}  // namespace
}  // namespace cultivar
