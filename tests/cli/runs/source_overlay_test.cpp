#include "cli/runs/source_overlay.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "cli/runs/command_start.h"
#include "pool/util/file.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

class SourceOverlay : public ::testing::Test {
protected:
    SourceOverlay() {
        command_.format = 2;
        command_.run = {"files/run.sh"};
        command_.surface.emplace().edit = {"src/**", "files/run.sh"};
        for (const char* path : {"files/run.sh", "src/a.sh", "src/lib/b.sh"}) {
            command_.files.push_back({path, ""});
            put(path, "task's");
        }
        put("work/.keep", "");
    }
    std::string root() const { return folder_.path() + "/"; }
    void put(const std::string& path, const std::string& bytes) {
        std::filesystem::create_directories(std::filesystem::path(root() + path).parent_path());
        must(write_file_atomically(root() + path, bytes));
    }
    static std::string read(const std::string& path) { return must(read_file(path)); }

    TempFolder folder_;
    PoolCommand command_;
};

TEST_F(SourceOverlay, LaysFilesOverACopyOfTheTasksAndLeavesThoseAlone) {
    const std::string over = must(lay_over(command_, {{"src/a.sh", "new"}, {"src/c.sh", "new"}}, root()));
    EXPECT_NE(over, root());
    EXPECT_EQ(read(over + "src/a.sh"), "new");
    EXPECT_EQ(read(over + "src/c.sh"), "new");
    EXPECT_EQ(read(over + "src/lib/b.sh"), "task's");
    EXPECT_EQ(read(over + "files/run.sh"), "task's");
    EXPECT_EQ(read(root() + "src/a.sh"), "task's");
    EXPECT_FALSE(std::filesystem::exists(root() + "src/c.sh"));
}

TEST_F(SourceOverlay, LeavesNothingOfAnEarlierCandidate) {
    const std::string over = must(lay_over(command_, {{"src/c.sh", "new"}}, root()));
    EXPECT_EQ(must(lay_over(command_, {}, root())), root());
    EXPECT_FALSE(std::filesystem::exists(over));
    must(lay_over(command_, {{"src/a.sh", "other"}}, root()));
    EXPECT_FALSE(std::filesystem::exists(over + "src/c.sh"));
}

TEST_F(SourceOverlay, IsInTheRunsFolderAndThePoolsOwnFilesInTheEvaluators) {
    const std::string over = must(lay_over(command_, {{"files/run.sh", "forged"}, {"src/a.sh", "new"}}, root()));
    Specification specification;
    specification.work_dir = root() + "work/";
    const CommandStart start = must(prepare_command(command_, specification, root() + "spec.json", over + "files/"));
    EXPECT_EQ(read(specification.work_dir + "src/a.sh"), "new");
    EXPECT_EQ(read(specification.work_dir + "files/run.sh"), "forged");
    EXPECT_EQ(read(start.run.front()), "forged");
    Evaluator evaluator;
    evaluator.run = {"files/run.sh"};
    EXPECT_EQ(read(must(prepare_evaluator(evaluator, specification, root() + "spec.json", root() + "files/")).front()),
              "task's");
    EXPECT_EQ(read(specification.work_dir + "files/run.sh"), "task's");
}

}  // namespace
}  // namespace cultivar
