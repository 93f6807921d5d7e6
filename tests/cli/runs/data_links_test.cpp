// The data of a pool's own command: found by their digests, read where they lie, and read again only once they changed.
#include "cli/runs/data_links.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sha256.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DataLinks : public ::testing::Test {
protected:
    DataLinks() : ann_(world_.found("ann")) {
        lay("b/valid.csv", "valid");
        lay("train.csv", "train");
        lay("more.csv", "of no pool");
        command().format = 2;
        command().run = {"fit", "{data}/train.csv"};
        command().data = {{"b/valid.csv", sha256_hex("valid"), 5}, {"train.csv", sha256_hex("train"), 5}};
    }
    void lay(const std::string& name, const std::string& bytes) {
        const std::string path = there(name);
        fs::create_directories(fs::path(path).parent_path());
        must(write_file_atomically(path, bytes));
    }
    std::string there(const std::string& name) { return world_.path("there/" + name); }
    PoolCommand& command() { return ann_.task.command ? *ann_.task.command : ann_.task.command.emplace(); }
    void import() { must(link_data(ann_, must(find_data(command(), {world_.path("there")})))); }
    // The same size, time and inode.
    void alter_unseen(const std::string& path, const std::string& bytes) {
        const auto time = fs::last_write_time(path);
        std::FILE* file = std::fopen(path.c_str(), "r+");
        ASSERT_TRUE(file);
        std::fputs(bytes.c_str(), file);
        std::fclose(file);
        fs::last_write_time(path, time);
    }

    World world_;
    Clone ann_;
};

TEST_F(DataLinks, AreFoundByDigestAndReadWhereTheyLie) {
    EXPECT_EQ(trouble(need_command_data(ann_)).code, Code::not_found);
    EXPECT_EQ(trouble(data_here(ann_)).code, Code::not_found);
    import();
    must(need_command_data(ann_));
    const DataHere here = must(data_here(ann_));
    EXPECT_THAT(here.paths, ElementsAre(there("b/valid.csv"), there("train.csv")));
    EXPECT_EQ(must(read_file(here.folder + "b/valid.csv")), "valid");
    EXPECT_FALSE(fs::exists(here.folder + "more.csv"));
    command().data.clear();
    EXPECT_EQ(must(data_here(ann_)).folder, "");
}

TEST_F(DataLinks, AreDigestedOnceAndAgainAfterAChange) {
    import();
    alter_unseen(there("train.csv"), "TRAIN");
    must(data_here(ann_));  // nothing was read
    fs::last_write_time(there("train.csv"), fs::file_time_type::clock::now() - std::chrono::hours(1));
    EXPECT_EQ(trouble(data_here(ann_)).code, Code::corrupt);
    lay("train.csv", "train");  // another inode
    must(data_here(ann_));
    alter_unseen(there("train.csv"), "TRAIN");
    must(data_here(ann_));  // as it is known from then on
    fs::remove(there("train.csv"));
    EXPECT_EQ(trouble(data_here(ann_)).code, Code::not_found);
    EXPECT_EQ(trouble(need_command_data(ann_)).code, Code::not_found);
}

TEST_F(DataLinks, AreNoOtherFilesThanThePools) {
    lay("train.csv", "TRAIN");
    EXPECT_THAT(trouble(find_data(command(), {world_.path("there")})).message,
                HasSubstr("is not the pool's 'train.csv'"));
    fs::remove(there("train.csv"));
    EXPECT_EQ(trouble(find_data(command(), {world_.path("there")})).code, Code::not_found);
    EXPECT_EQ(trouble(find_data(command(), {there("absent")})).code, Code::not_found);
    EXPECT_EQ(trouble(find_data(command(), {"/dev/null"})).code, Code::usage);
}

TEST_F(DataLinks, AreWhateverTheFirstImportFinds) {
    command().data.clear();
    const std::vector<CommandData> files = data_files_of(must(find_data(command(), {world_.path("there")})));
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].name, "b/valid.csv");
    EXPECT_EQ(files[0].sha256, sha256_hex("valid"));
    EXPECT_EQ(files[0].bytes, 5);
    EXPECT_EQ(data_files_of(must(find_data(command(), {there("b/valid.csv")})))[0].name, "valid.csv");
    lay("a name", "");
    EXPECT_EQ(trouble(find_data(command(), {world_.path("there")})).code, Code::usage);
    EXPECT_EQ(trouble(find_data(command(), {})).code, Code::not_found);
}

// Many clones of a cluster share one folder.
TEST_F(DataLinks, NeedNoRightToWriteWhereTheyLie) {
    fs::permissions(world_.path("there"), fs::perms::owner_read | fs::perms::owner_exec);
    import();
    must(data_here(ann_));
    import();
    must(data_here(ann_));
    fs::permissions(world_.path("there"), fs::perms::owner_all);
}

TEST_F(DataLinks, AreImportedAnewWhereWhatIsKnownOfThemIsBroken) {
    import();
    for (const char* text : {"{", "{}", "{\"files\":[{}]}", "{\"files\":[{\"name\":\"b/valid.csv\"}]}", "[]"}) {
        must(write_file_atomically(ann_.state_dir + "data.json", text));
        EXPECT_FALSE(data_here(ann_)) << text;
    }
    import();
    must(data_here(ann_));
}

}  // namespace
}  // namespace cultivar
