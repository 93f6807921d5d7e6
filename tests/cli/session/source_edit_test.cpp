#include "cli/session/source_edit.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/task_parser.h"
#include "pool/util/file.h"
#include "tests/pool/support/fixture.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

const std::string kSurfaceTask = std::string(kCommandTask) + R"([surface]
edit = ["src/**"]
never = ["src/fixed.sh"]
max_files = 3
max_bytes = 100
)";

// A pool with the files of its task on main.
class SourceEdit : public ::testing::Test {
protected:
    SourceEdit() {
        Task task = must(parse_task(kSurfaceTask, "pool.toml"));
        Clone founded = world_.found("ann", parabola());
        must(founded.commit_main({{"pool.toml", to_toml(task)},
                                  {"files/run.sh", "run\n"},
                                  {"src/a.sh", "one\ntwo\n"},
                                  {"src/fixed.sh", "fixed\n"}},
                                 "Files"));
        session_.clone = std::make_unique<Clone>(world_.reopen("ann"));
        session_.index = std::make_unique<Index>(must(Index::open(*session_.clone)));
        parent_ = must(make_candidate(session_.clone->task.space, session_.clone->task_id, {{"x", 1.0}}));
        files_ = must(files_of_run(session_, parent_));
    }
    // A pool's first main needs no files of its own.
    static Task parabola() {
        std::string toml = kSurfaceTask;
        const std::string file = ", \"files/run.sh\"";
        toml.erase(toml.find(file), file.size());
        return must(parse_task(toml, "pool.toml"));
    }
    Candidate child(const FileBytes& files) { return must(child_with_files(session_, parent_, files)); }
    std::string refusal(const std::string& path, const std::string& bytes) {
        FileBytes files = files_;
        files[path] = bytes;
        return trouble(child_with_files(session_, parent_, files)).message;
    }

    World world_;
    Session session_;
    Candidate parent_;
    FileBytes files_;
};

TEST_F(SourceEdit, MakesAChildOfChangedAndNewFilesAlone) {
    EXPECT_EQ(files_, (FileBytes{{"files/run.sh", "run\n"}, {"src/a.sh", "one\ntwo\n"}, {"src/fixed.sh", "fixed\n"}}));
    FileBytes files = files_;
    files["src/a.sh"] = "ONE\ntwo\n";
    files["src/new.sh"] = "new\n";
    const Candidate made = child(files);
    EXPECT_EQ(made.files.size(), 2U);
    EXPECT_EQ(made.genes, parent_.genes);
    EXPECT_EQ(must(files_of_run(session_, made)), files);
    files.erase("files/run.sh");
    EXPECT_EQ(child(files).id, made.id) << "a file that may not change may be left out";
    const auto diffs = must(file_diffs(session_, parent_, made));
    ASSERT_EQ(diffs.size(), 2U);
    EXPECT_THAT(diffs[0].text, HasSubstr("-one\n+ONE\n two\n"));
    EXPECT_THAT(diffs[1].text, HasSubstr("--- /dev/null\n+++ b/src/new.sh\n"));
    FileBytes back = files_;
    EXPECT_TRUE(must(child_with_files(session_, made, back)).files.empty())
        << "a child may give files back to the task";
}

TEST_F(SourceEdit, RefusesWhatMayNotChange) {
    const Error same = trouble(child_with_files(session_, parent_, files_));
    EXPECT_EQ(same.code, Code::unfit);
    EXPECT_THAT(same.message, HasSubstr("nothing changed"));
    EXPECT_THAT(refusal("files/run.sh", "forged\n"), HasSubstr("'files/run.sh' is not on the task's surface"));
    EXPECT_THAT(refusal("src/fixed.sh", "forged\n"), HasSubstr("'src/fixed.sh' is not on the task's surface"));
    EXPECT_THAT(refusal("src/../files/run.sh", "forged\n"), HasSubstr("is no name for a file"));
    EXPECT_THAT(refusal("src/a\x1b[2Jb", "x"), HasSubstr("'src/a?[2Jb' is no name for a file"));
    EXPECT_THAT(refusal("src/A.sh", "x"), HasSubstr("but for its case"));
    EXPECT_THAT(refusal("src/b.sh", std::string(101, 'x')), HasSubstr("more than the 100"));
    FileBytes many = files_;
    for (const char* path : {"src/b", "src/c", "src/d", "src/e"}) many[path] = "x";
    EXPECT_THAT(trouble(child_with_files(session_, parent_, many)).message, HasSubstr("more than the 3"));
    FileBytes large = files_;
    large["src/b"] = large["src/c"] = std::string(60, 'x');
    EXPECT_THAT(trouble(child_with_files(session_, parent_, large)).message, HasSubstr("120 bytes"));
    FileBytes fewer = files_;
    fewer.erase("src/a.sh");
    EXPECT_THAT(trouble(child_with_files(session_, parent_, fewer)).message, HasSubstr("'src/a.sh' is missing"));
}

TEST_F(SourceEdit, AppliesAPatchToTheParentsFiles) {
    const std::string head = "--- a/src/a.sh\n+++ b/src/a.sh\n";
    const FileBytes made = must(patched_files(files_, head + "@@ -1 +1 @@\n-one\n+ONE\n", "p"));
    EXPECT_EQ(made.at("src/a.sh"), "ONE\ntwo\n");
    EXPECT_THAT(trouble(patched_files(files_, head + "@@ -1 +1 @@\n-two\n+2\n", "p")).message,
                HasSubstr("src/a.sh:1:"));
    EXPECT_THAT(trouble(patched_files(files_, "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-two\n+2\n", "p")).message,
                HasSubstr("there is no 'x'"));
    EXPECT_THAT(trouble(patched_files(files_, "--- /dev/null\n+++ b/src/a.sh\n@@ -0,0 +1 @@\n+2\n", "p")).message,
                HasSubstr("is there already"));
}

TEST_F(SourceEdit, ReadsAFolderAndFollowsNoLinkThere) {
    const std::string folder = world_.path("edited");
    std::filesystem::create_directories(folder + "/src/__pycache__");
    std::filesystem::create_directories(folder + "/.git");
    for (const char* path : {"src/a.sh", "src/a.sh~", "src/.a.swp", "src/__pycache__/a.pyc", ".git/config"})
        must(write_file_atomically(folder + "/" + path, "x"));
    EXPECT_EQ(must(read_source_folder(folder)), (FileBytes{{"src/a.sh", "x"}}));
    std::filesystem::create_symlink("/etc/passwd", folder + "/src/link");
    EXPECT_THAT(trouble(read_source_folder(folder)).message, HasSubstr("'src/link' is neither a file nor a folder"));
}

}  // namespace
}  // namespace cultivar
