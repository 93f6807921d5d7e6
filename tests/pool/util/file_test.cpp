#include "pool/util/file.h"

#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

// The examples of FIPS 180-2.
TEST(Digest, IsSha256) {
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Sha256 million;
    for (int i = 0; i < 1000; ++i) million.update(std::string(1000, 'a'));
    EXPECT_EQ(million.finish_hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, OfAFileIsThatOfItsBytes) {
    TempFolder folder;
    std::string bytes(3'000'001, 'x');
    EXPECT_EQ(must(sha256_file_hex(folder.write("large", bytes))), sha256_hex(bytes));
    EXPECT_EQ(trouble(sha256_file_hex(folder.file("absent"))).code, Code::not_found);
    EXPECT_EQ(trouble(sha256_file_hex(folder.path())).code, Code::io);
}

// Whoever can write the folder, or made it, knows the names of temporary files and locks.
TEST(File, IsWrittenAndLockedThroughNoLink) {
    TempFolder folder;
    const std::string precious = folder.write("precious", "mine");
    std::filesystem::create_symlink(precious, folder.file(fmt::format("note.{}.tmp", ::getpid())));
    must(write_file_atomically(folder.file("note"), "words"));
    EXPECT_EQ(must(read_file(folder.file("note"))), "words");
    std::filesystem::create_symlink(precious, folder.file("a.lock"));
    EXPECT_EQ(trouble(FileLock::acquire(folder.file("a.lock"), "pid 1", 0)).code, Code::io);
    EXPECT_EQ(must(read_file(precious)), "mine");
}

TEST(File, IsReadWholeOrRefusedOverItsLimit) {
    TempFolder folder;
    std::string bytes = std::string("a\0b\n", 4) + std::string(200'000, 'x');
    std::string path = folder.write("f", bytes);
    EXPECT_EQ(must(read_file(path, bytes.size())), bytes);
    EXPECT_EQ(trouble(read_file(path, bytes.size() - 1)).code, Code::corrupt);
    EXPECT_EQ(trouble(read_file(folder.file("absent"))).code, Code::not_found);
    EXPECT_EQ(trouble(read_file(folder.path())).code, Code::io);
}

TEST(File, IsReplacedWholeAndLeavesNothingBeside) {
    TempFolder folder;
    std::string path = folder.write("f", "old");
    ASSERT_TRUE(write_file_atomically(path, "new", 0600));
    EXPECT_EQ(folder.read("f"), "new");
    struct stat facts {};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

// A file size limit simulates a full disk: the write fails in the middle.
TEST(File, KeepsTheOldBytesWhenTheDiskIsFull) {
    TempFolder folder;
    std::string path = folder.write("f", "old");
    pid_t writer = ::fork();
    if (writer == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{100'000, 100'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        auto written = write_file_atomically(path, std::string(1'000'000, 'x'));
        ::_exit(!written && written.error().code == Code::io ? 0 : 1);
    }
    int status = -1;
    ::waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(folder.read("f"), "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(File, RefusesAFolderThatIsNotThere) {
    TempFolder folder;
    EXPECT_EQ(trouble(write_file_atomically(folder.file("a/b"), "x")).code, Code::io);
}

TEST(FileLock, IsHeldByOneAtATime) {
    TempFolder folder;
    {
        FileLock lock = must(FileLock::acquire(folder.file("lock"), "pid 7, explore", 0));
        Error error = trouble(FileLock::acquire(folder.file("lock"), "pid 8", 0));
        EXPECT_EQ(error.code, Code::busy);
        EXPECT_THAT(error.message, HasSubstr("pid 7, explore"));
        FileLock moved = std::move(lock);
        EXPECT_FALSE(FileLock::acquire(folder.file("lock"), "pid 8", 0));
    }
    EXPECT_TRUE(FileLock::acquire(folder.file("lock"), "pid 9", 0));
    EXPECT_EQ(folder.read("lock"), "pid 9");
}

TEST(FileLock, IsFreedWhenItsHolderIsKilled) {
    TempFolder folder;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    pid_t holder = ::fork();
    if (holder == 0) {
        auto lock = FileLock::acquire(folder.file("lock"), "the victim", 0);
        if (::write(ready[1], lock ? "y" : "n", 1) != 1) ::_exit(1);
        for (;;) ::pause();
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    EXPECT_THAT(trouble(FileLock::acquire(folder.file("lock"), "me", 0.1)).message, HasSubstr("the victim"));
    ::kill(holder, SIGKILL);
    EXPECT_TRUE(FileLock::acquire(folder.file("lock"), "me", 60));
    ::waitpid(holder, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
}

}  // namespace
}  // namespace cultivar
