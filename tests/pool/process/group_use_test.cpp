// The memory of a group of processes is counted wherever it hides it, or said to be more than can be seen.
#include "pool/process/group_use.h"

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pool/process/child_process.h"
#include "tests/eval/support/temp_folder.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

constexpr std::size_t kSize = 16 << 20;
constexpr std::int64_t kSize_bytes = kSize;

void fill(int file) {
    const std::vector<char> piece(kSize, 'x');
    if (::write(file, piece.data(), kSize) != static_cast<ssize_t>(kSize)) ::_exit(9);
}

int unlinked_file(const std::string& folder) {
    const std::string path = folder + "/file";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ::unlink(path.c_str());
    fill(file);
    return file;
}

bool first_thread_has_ended() {
    std::ifstream file("/proc/self/stat");
    std::string text;
    std::getline(file, text);
    return text.find(") Z") != std::string::npos;
}

void send_file(int socket, int file) {
    char byte = 0;
    iovec piece{&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &file, sizeof file);
    if (::sendmsg(socket, &message, 0) != 1) ::_exit(9);
}

class GroupUseTest : public testing::Test {
protected:
    // The use of a process that has done this and waits.
    GroupUse use_after(const std::function<void()>& body) {
        Child child = must(Child::copy(
            [&] {
                body();
                say_ready();
                for (;;) ::pause();
                return 0;
            },
            {}));
        ::fcntl(child.output(), F_SETFL, 0);
        char byte = 0;
        EXPECT_EQ(::read(child.output(), &byte, 1), 1);
        return child.use(folder());
    }
    static void say_ready() { [[maybe_unused]] const ssize_t told = ::write(STDOUT_FILENO, "r", 1); }
    std::string folder() const { return folder_.path(); }

    TempFolder folder_;
};

TEST_F(GroupUseTest, CountsOpenFilesThatNoFolderNames) {
    const GroupUse use = use_after([&] { unlinked_file(folder()); });
    EXPECT_GE(use.unlinked_bytes, kSize_bytes);
    EXPECT_FALSE(use.may_hold_more_disk);
}

TEST_F(GroupUseTest, KnowsThatAMappedFileMayBeLargerThanItsMapping) {
    const GroupUse use = use_after([&] {
        const int file = unlinked_file(folder());
        ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
        ::close(file);
    });
    EXPECT_TRUE(use.may_hold_more_disk);
}

TEST_F(GroupUseTest, KnowsThatFilesAreOnTheirWayThroughASocket) {
    const GroupUse use = use_after([&] {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) ::_exit(9);
        const int file = unlinked_file(folder());
        send_file(pair[0], file);
        ::close(file);
    });
    EXPECT_TRUE(use.may_hold_more_disk);
    EXPECT_TRUE(use.may_hold_more_memory);
}

TEST_F(GroupUseTest, CountsFilesInMemoryAsMemory) {
    const GroupUse idle = use_after([] {});
    const GroupUse use = use_after([] { fill(::memfd_create("hidden", 0)); });
    EXPECT_GE(use.memory_bytes - idle.memory_bytes, kSize_bytes);
    EXPECT_EQ(use.unlinked_bytes, 0);
    EXPECT_FALSE(use.may_hold_more_memory);
    const GroupUse mapped = use_after([] {
        const int file = ::memfd_create("hidden", 0);
        fill(file);
        ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
        ::close(file);
    });
    EXPECT_TRUE(mapped.may_hold_more_memory);
    EXPECT_FALSE(mapped.may_hold_more_disk);
}

TEST_F(GroupUseTest, CountsSharedMemoryOnceAndWhereAnotherProcessFilledItToo) {
    const auto two_processes = [this](bool share) {  // the second has private pages of its own, with a sanitizer many
        return use_after([share] {
            void* shared =
                share ? ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) : nullptr;
            if (::fork() == 0) {
                if (share) std::memset(shared, 1, kSize);
                say_ready();
                for (;;) ::pause();
            }
            if (share) std::memset(shared, 1, kSize);
        });
    };
    const GroupUse idle = two_processes(false), use = two_processes(true);
    EXPECT_GE(use.memory_bytes - idle.memory_bytes, kSize_bytes);
    EXPECT_LT(use.memory_bytes - idle.memory_bytes, 2 * kSize_bytes);
}

// The entry of a process in /proc shows nothing once its first thread has ended.
TEST_F(GroupUseTest, LooksAtAThreadThatLives) {
    static std::string where;
    where = folder();
    const GroupUse use = use_after([] {
        std::thread([] {
            while (!first_thread_has_ended()) std::this_thread::yield();
            unlinked_file(where);
            say_ready();
            for (;;) ::pause();
        }).detach();
        ::syscall(SYS_exit, 0);  // this thread alone
    });
    EXPECT_GE(use.unlinked_bytes, kSize_bytes);
    EXPECT_EQ(use.threads, 2);
}

TEST(CountedBytes, AreWhatTheMachineLostWhereMoreMayBeHeld) {
    EXPECT_EQ(counted_bytes(5, false, 100, 10), 5);
    EXPECT_EQ(counted_bytes(5, true, 100, 10), 90);
    EXPECT_EQ(counted_bytes(5, true, 100, 99), 5);
    EXPECT_EQ(counted_bytes(5, true, 10, 100), 5);
}

TEST(FreeBytes, AreThoseOfTheMachine) {
    EXPECT_GT(free_memory_bytes(), 0);
    EXPECT_GT(free_disk_bytes("/"), 0);
}

}  // namespace
}  // namespace cultivar
