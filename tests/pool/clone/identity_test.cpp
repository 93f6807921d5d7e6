// A clone's key: made once, needed only for signing, and never replaced by a look.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/clone/local_index.h"
#include "pool/clone/trust_roots.h"
#include "pool/index/index.h"
#include "tests/pool/support/servers.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

// While it lives, no file can be opened: EMFILE.
class NoMoreFiles {
public:
    NoMoreFiles() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // every lower descriptor is taken
        ::close(next);
        struct rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    NoMoreFiles(const NoMoreFiles&) = delete;
    ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    struct rlimit before_ {};
};

TEST(KeyFile, IsNotReplacedWhenItCannotBeOpened) {
    TempFolder folder;
    const std::string path = folder.file("key.pem");
    must(Key::load_or_create(path));
    const std::string before = folder.read("key.pem");
    Error error{};
    {
        NoMoreFiles none;
        error = trouble(Key::load_or_create(path));
    }
    EXPECT_EQ(error.code, Code::io);
    EXPECT_EQ(folder.read("key.pem"), before);
}

TEST(KeyFile, IsMadeOnlyWhereThereIsNone) {
    TempFolder folder;
    const std::string path = folder.file("key.pem");
    EXPECT_EQ(trouble(Key::load(path)).code, Code::not_found);
    const Key made = must(Key::create(path));
    EXPECT_EQ(trouble(Key::create(path)).code, Code::io);
    EXPECT_EQ(must(Key::load(path)).public_text(), made.public_text());
    fs::create_symlink(folder.file("away"), folder.file("link"));
    EXPECT_EQ(trouble(Key::load_or_create(folder.file("link"))).code, Code::io);
    EXPECT_FALSE(fs::exists(folder.file("away")));
}

class IdentityTest : public ::testing::Test {
protected:
    IdentityTest() : ann_(world_.found("ann")), pem_(ann_.state_dir + "key.pem"), pub_(ann_.state_dir + "key.pub") {}

    World world_;
    Clone ann_;
    std::string pem_, pub_;
};

TEST_F(IdentityTest, ALookNeedsNoPrivateKeyAndMakesNone) {
    fs::remove(pem_);
    Clone look = world_.reopen("ann");
    EXPECT_EQ(look.writer, ann_.writer);
    EXPECT_EQ(look.key.fingerprint(), ann_.key.fingerprint());
    EXPECT_FALSE(fs::exists(pem_));
    const Error error = trouble(append_record(look, run_by(look, {}, 2.0)));
    EXPECT_EQ(error.code, Code::not_found);
    EXPECT_THAT(error.message, HasSubstr("no key to sign with"));
    EXPECT_THAT(must(spooled_lines(look)), IsEmpty());
}

TEST_F(IdentityTest, AKeyThatCannotBeReadIsLeftAloneAndSigningSaysWhy) {
    fs::remove(pem_);
    fs::create_directory(pem_);  // opens, and cannot be read
    Clone look = world_.reopen("ann");
    EXPECT_EQ(look.writer, ann_.writer);
    EXPECT_TRUE(fs::is_directory(pem_));
    EXPECT_EQ(trouble(look.key.sign("x")).code, Code::io);
}

TEST_F(IdentityTest, AnotherKeyThanBeforeIsToldOnceAndSignsFromThenOn) {
    EXPECT_THAT(world_.reopen("ann").notices, IsEmpty());
    fs::remove(pem_);
    const Key other = must(Key::create(pem_));
    Clone now = world_.reopen("ann");
    EXPECT_THAT(now.notices, ElementsAre(HasSubstr("another key than before")));
    EXPECT_THAT(now.notices[0], HasSubstr(ann_.key.public_text()));
    EXPECT_EQ(now.key.fingerprint(), other.fingerprint());
    EXPECT_THAT(world_.reopen("ann").notices, IsEmpty());
}

TEST_F(IdentityTest, AnOlderCloneGetsItsPublicKeyWrittenWithoutAWord) {
    fs::remove(pub_);
    EXPECT_THAT(world_.reopen("ann").notices, IsEmpty());
    EXPECT_EQ(must(read_file(pub_)), ann_.key.public_text() + "\n");
}

TEST_F(IdentityTest, AnOlderCloneThatIsNotOnesOwnIsKnownByItsJournal) {
    must(append_record(ann_, run_by(ann_, {}, 2.0)));
    must(commit_spool(ann_));
    fs::remove(pub_);
    fs::remove(pem_);
    fs::create_directory(pem_);
    EXPECT_EQ(world_.reopen("ann").writer, ann_.writer);
}

TEST_F(IdentityTest, AFolderThatGitClonedCanBeLookedAtAndGetsNoKey) {
    git(world_.path("ann"), "push -q origin main");
    shell("git clone -q " + world_.hub() + " " + world_.path("by-hand"));
    Clone look = world_.reopen("by-hand");
    EXPECT_FALSE(fs::exists(look.state_dir + "key.pem"));
    EXPECT_EQ(trouble(append_record(look, run_by(look, {}, 2.0))).hint, "cultivar clone URL DIR");
}

TEST_F(IdentityTest, AUsersKeyThatIsOutOfReachKeepsNobodyFromLooking) {
    const std::string id = world_.path("id");
    shell("ssh-keygen -q -t ed25519 -N '' -C '' -f " + id);
    git(world_.path("ann"), "config cultivar.signingKey " + id);
    const std::string writer = world_.reopen("ann").writer;
    EXPECT_NE(writer, ann_.writer);
    fs::rename(id + ".pub", id + ".away");
    Clone look = world_.reopen("ann");
    EXPECT_EQ(look.writer, writer);
    EXPECT_EQ(trouble(look.key.sign("x")).code, Code::not_found);
}

TEST_F(IdentityTest, AReaderInASandboxIsHandedThePublicKeyAndTouchesNoFileOfIt) {
    fs::remove(pub_);
    fs::remove(pem_);
    const HandedOver handed_over{ann_.key.public_text(), "", ""};
    Clone reader = must(open_clone(world_.path("ann"), &handed_over));
    EXPECT_EQ(reader.writer, ann_.writer);
    EXPECT_FALSE(fs::exists(pub_));
    EXPECT_FALSE(reader.key.can_sign());
}

TEST_F(IdentityTest, AnotherUsersCloneIsLookedAtWithATemporaryIndexThatGoesAway) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
    must(append_record(ann_, run_by(ann_, {}, 2.0)));
    must(write_file_atomically(ann_.state_dir + "unseen", ""));
    shell("chmod -R go+rX " + world_.folder().path() + " && chmod 600 " + pem_);
    const std::string before = shell("find " + world_.path("ann") + " -printf '%p %T@\\n' | sort");
    std::string cache;
    ASSERT_EQ(::seteuid(65534), 0);
    {
        Clone look = world_.reopen("ann");
        EXPECT_EQ(look.writer, ann_.writer);
        EXPECT_THAT(look.notices, ElementsAre(HasSubstr("temporary index")));
        EXPECT_THAT(trouble(look.key.sign("x")).hint, HasSubstr("safe.directory"));
        cache = look.cache_dir;
        EXPECT_TRUE(fs::is_directory(cache));
        EXPECT_THAT(must(must(Index::open(look)).runs()), SizeIs(1));
    }
    ASSERT_EQ(::seteuid(0), 0);
    EXPECT_FALSE(fs::exists(cache));
    EXPECT_EQ(shell("find " + world_.path("ann") + " -printf '%p %T@\\n' | sort"), before);
}

// Its configuration may name files of this user, and programs.
TEST_F(IdentityTest, ACloneThatIsNotOursIsLookedAtWithoutWhatItsConfigurationNames) {
    git(world_.path("ann"), "config cultivar.signingKey " + world_.path("id"));
    world_.folder().write("id.pub", "not read");
    const std::string before = shell("find " + world_.path("ann") + " -printf '%p %T@\\n' | sort");
    const ServerSetting another("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    Clone look = world_.reopen("ann");
    ASSERT_TRUE(look.not_ours);
    EXPECT_EQ(look.key.public_text(), ann_.key.public_text());
    EXPECT_THAT(look.notices, ElementsAre(HasSubstr("another user")));
    EXPECT_THAT(must(must(Index::open(look)).runs()), IsEmpty());
    EXPECT_EQ(shell("find " + world_.path("ann") + " -printf '%p %T@\\n' | sort"), before);
}

// The owner could neither write nor remove them.
TEST_F(IdentityTest, RootLeavesNoFilesInAnotherUsersClone) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
    shell("chown -R 65534 " + world_.path("ann"));
    Clone look = world_.reopen("ann");
    must(Index::open(look));
    EXPECT_EQ(shell("find " + world_.path("ann") + " -uid 0"), "");
}

// POSIX locks fail with ENOLCK from here on, as on a network file system without them.
void forbid_locks() {
    sock_filter code[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_fcntl},
                          {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args) + 8},
                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, F_SETLK},
                          {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOLCK},
                          {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    const sock_fprog program{6, code};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(77);
}

// A folder that came from somebody else may lead what is written and deleted to other places.
TEST_F(IdentityTest, AStateFolderWithLinksIsRefusedBeforeAnythingIsWritten) {
    const std::string precious = world_.path("precious");
    fs::create_directories(precious + "/kept");
    fs::create_directories(ann_.state_dir + "run");
    for (const char* name : {"run/work", "spool.jsonl", "plan.lock", "asked"}) {
        fs::create_symlink(precious, ann_.state_dir + name);
        const Error refused = trouble(open_clone(world_.path("ann")));
        EXPECT_EQ(refused.code, Code::corrupt) << name;
        EXPECT_THAT(refused.message, HasSubstr("is a symbolic link")) << name;
        fs::remove(ann_.state_dir + name);
    }
    fs::create_symlink(precious, ann_.state_dir + "data");  // many clones may share their data
    must(open_clone(world_.path("ann")));
    EXPECT_TRUE(fs::exists(precious + "/kept"));
}

TEST_F(IdentityTest, AFileSystemWithoutLocksIsFoundAtOnceAndSaid) {
    const pid_t process = ::fork();
    if (process == 0) {
        forbid_locks();
        auto look = open_clone(world_.path("ann"));
        const bool told = look && look->notices.size() == 1 && look->notices[0].find("no locks") != std::string::npos;
        ::_exit(told && !look->cache_dir.empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(process, &status, 0), process);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "this kernel has no seccomp";
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

// SQLite's write-ahead log does not work there; locks, which other machines see, and the last seen tips stay in the clone.
TEST_F(IdentityTest, OnANetworkFileSystemTheIndexIsKeptOnADiskOfThisMachineWhichIsToldOnce) {
    must(append_record(ann_, run_by(ann_, {}, 2.0)));
    fs::create_directories(world_.path("tmp"));
    const ServerSetting cache("XDG_CACHE_HOME", world_.path("cache")), temporary("TMPDIR", world_.path("tmp"));
    std::vector<std::string> networks = {world_.path("ann")};
    const auto look = [&] {
        return must(open_clone(world_.path("ann"), nullptr, [&](const std::string& folder) -> std::string {
            const auto holds = [&](const std::string& one) { return folder.starts_with(one); };
            return std::ranges::any_of(networks, holds) ? "NFS" : "";
        }));
    };
    Clone first = look();
    EXPECT_THAT(first.notices, ElementsAre(HasSubstr("lies on NFS: its index is kept in '" + world_.path("cache"))));
    EXPECT_EQ(first.seen_dir(), ann_.seen_dir());
    fs::remove(ann_.index_dir() + "index.sqlite");
    EXPECT_THAT(must(must(Index::open(first)).runs()), SizeIs(1));
    EXPECT_TRUE(fs::exists(first.index_dir() + "index.sqlite"));
    EXPECT_FALSE(fs::exists(ann_.index_dir() + "index.sqlite"));
    EXPECT_THAT(look().notices, IsEmpty());
    networks.push_back(world_.path("cache"));
    EXPECT_THAT(look().index_dir(), HasSubstr(world_.path("tmp")));
    networks.push_back(world_.path("tmp"));
    EXPECT_THAT(look().notices, ElementsAre(HasSubstr("no folder for its index")));
    EXPECT_EQ(look().index_dir(), ann_.index_dir()) << "in the clone";
}

// A folder that anybody can write to could be somebody else's trap.
TEST_F(IdentityTest, TheIndexOfACloneOnANetworkGoesToNoFolderOfOthers) {
    const std::string cache = world_.path("cache");
    fs::create_directories(cache + "/cultivar");
    fs::permissions(cache + "/cultivar", fs::perms::all);
    const ServerSetting setting("XDG_CACHE_HOME", cache), temporary("TMPDIR", world_.path("temporary"));
    const auto local = local_index("/pool/.git/", [](const std::string&) { return ""; });
    EXPECT_TRUE(!local || !local->folder.starts_with(cache));
}

TEST(NetworkFileSystem, IsNotTheOneOfThisMachinesMemory) {
    EXPECT_EQ(network_file_system("/proc"), "");
    EXPECT_EQ(network_file_system("/nonexistent"), "");
}

// An unreadable memory of the trust roots would let them be rolled back.
TEST_F(IdentityTest, TrustRootsThatCannotBeReadAreNotTakenForNone) {
    fs::create_directories(ann_.seen_dir() + "roots");
    EXPECT_EQ(trouble(trusted_roots(ann_)).code, Code::io);
}

}  // namespace
}  // namespace cultivar
