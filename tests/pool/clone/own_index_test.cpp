#include "pool/clone/own_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/index/index.h"
#include "tests/pool/support/servers.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class OwnIndexTest : public ::testing::Test {
protected:
    OwnIndexTest() : ann_(world_.found("ann")) {
        must(append_record(ann_, run_by(ann_, {}, 2.0)));
        must(Index::open(ann_));
    }

    static double score(Clone& clone) {
        Index index = must(Index::open(clone));
        const std::vector<Standing> rows = must(index.standings());
        return rows.empty() ? 0 : rows[0].val_bpb;
    }
    // An index beside the one in use, last used so many days ago.
    std::string another(const std::string& name, int days) const {
        const std::string folder = ann_.state_dir + "index/" + name;
        EXPECT_EQ(::mkdir(folder.c_str(), 0700), 0);
        must(must(Database::open(folder + "/index.sqlite")).execute("CREATE TABLE t(x)"));
        age(folder, days);
        return folder;
    }
    static void age(const std::string& path, int days) {
        const timespec then{std::time(nullptr) - days * 86400L, 0}, both[] = {then, then};
        EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), both, 0), 0);
    }

    World world_;
    Clone ann_;
};

TEST_F(OwnIndexTest, OfACopiedFolderIsNotTheOneThatCameWithIt) {
    const double honest = score(ann_);
    must(must(Database::open(ann_.index_dir() + "index.sqlite")).execute("UPDATE standing SET val_bpb = 0.001"));
    EXPECT_EQ(score(ann_), 0.001) << "this user wrote it";
    std::filesystem::copy(world_.path("ann"), world_.path("gift"), std::filesystem::copy_options::recursive);
    Clone gift = world_.reopen("gift");
    EXPECT_NE(gift.index_dir().substr(gift.state_dir.size()), ann_.index_dir().substr(ann_.state_dir.size()));
    EXPECT_EQ(score(gift), honest);
    std::filesystem::remove_all(gift.state_dir + "index");
    must(write_file_atomically(gift.state_dir + "index.sqlite", must(read_file(ann_.index_dir() + "index.sqlite"))));
    Clone again = world_.reopen("gift");
    EXPECT_EQ(score(again), honest) << "as earlier versions named it";
}

TEST_F(OwnIndexTest, StaysWhereItIsWhenTheCloneIsMoved) {
    std::filesystem::rename(world_.path("ann"), world_.path("moved"));
    const Clone moved = world_.reopen("moved");
    EXPECT_TRUE(std::filesystem::exists(moved.index_dir() + "index.sqlite"));
}

// As under cron, which does not know XDG_STATE_HOME.
TEST_F(OwnIndexTest, OfAnotherStateFolderIsAnotherOneAndBothStay) {
    Index open = must(Index::open(ann_));
    {
        const ServerSetting state("XDG_STATE_HOME", world_.path("other state"));
        Clone other = world_.reopen("ann");
        EXPECT_NE(other.index_dir(), ann_.index_dir());
        EXPECT_GT(score(other), 0);
    }
    EXPECT_EQ(world_.reopen("ann").index_dir(), ann_.index_dir());
    EXPECT_THAT(must(open.runs()), SizeIs(1));
    must(append_record(ann_, run_by(ann_, {}, 1.9, 2)));
    EXPECT_EQ(must(open.refresh()).runs, 1);
}

TEST_F(OwnIndexTest, WithoutAStateFolderIsTemporary) {
    std::string folder;
    {
        const ServerSetting state("XDG_STATE_HOME", "/proc/none");
        Clone look = world_.reopen("ann");
        EXPECT_THAT(look.notices, ElementsAre(HasSubstr("the index is temporary")));
        EXPECT_EQ(look.seen_dir(), ann_.seen_dir()) << "what a look must not forget";
        EXPECT_GT(score(look), 0);
        folder = look.index_dir();
        EXPECT_TRUE(std::filesystem::exists(folder));
    }
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(OwnIndexTest, OthersOfThisUserGoOnceTheyAreUnusedOrTooManyButNoneThatIsOpen) {
    const std::string old = another("old", 31), open = another("open", 40), recent = another("recent", 29);
    int ready[2], done[2];
    ASSERT_EQ(::pipe(ready) + ::pipe(done), 0);
    const pid_t reader = ::fork();
    if (reader == 0) {
        auto database = Database::open(open + "/index.sqlite");
        if (database) static_cast<void>(database->execute("SELECT * FROM t"));
        age(open, 40);
        [[maybe_unused]] ssize_t moved = ::write(ready[1], "r", 1);
        char byte = 0;
        moved = ::read(done[0], &byte, 1);
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    world_.reopen("ann");
    EXPECT_FALSE(std::filesystem::exists(old));
    EXPECT_TRUE(std::filesystem::exists(open));
    EXPECT_TRUE(std::filesystem::exists(recent));
    ASSERT_EQ(::write(done[1], "d", 1), 1);
    int status = 0;
    ::waitpid(reader, &status, 0);
    for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
    for (int i = 1; i <= 5; ++i) another(std::to_string(i), i);
    world_.reopen("ann");
    std::size_t left = 0;
    for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator(ann_.state_dir + "index")) ++left;
    EXPECT_EQ(left, static_cast<std::size_t>(kKeptIndexes));
    EXPECT_TRUE(std::filesystem::exists(ann_.state_dir + "index/3"));
    EXPECT_FALSE(std::filesystem::exists(recent));
}

TEST_F(OwnIndexTest, OfAnEarlierVersionGoesAfterThirtyDays) {
    const std::string path = ann_.state_dir + "index.sqlite";
    for (const int days : {29, 31}) {
        must(write_file_atomically(path, "SQLite format 3"));
        age(path, days);
        world_.reopen("ann");
        EXPECT_EQ(std::filesystem::exists(path), days < 30);
    }
}

TEST_F(OwnIndexTest, IsInNoFolderThatOthersCanWriteTo) {
    EXPECT_EQ(::chmod(ann_.index_dir().c_str(), 0777), 0);
    const Clone look = world_.reopen("ann");
    EXPECT_THAT(look.notices, ElementsAre(HasSubstr("others can write")));
    EXPECT_NE(look.index_dir(), ann_.index_dir());
}

}  // namespace
}  // namespace cultivar
