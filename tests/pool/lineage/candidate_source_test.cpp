// Candidates' commits that carry files: written, read again, attacked, crossed.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/git/text_merge.h"
#include "pool/lineage/candidate_commits.h"
#include "pool/util/file.h"
#include "tests/pool/support/source_task.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

const std::string kTaskFile = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

class SourceTest : public ::testing::Test {
protected:
    SourceTest()
        : repo_(must(Repo::create(folder_.file("r"), true))),
          task_(source_task(repo_, {{"files/run.sh", "echo\n"}, {"src/fit.py", kTaskFile}})),
          lineage_(repo_, task_) {}

    Candidate make(const Genes& genes, const std::map<std::string, std::string>& files) {
        SourceFiles digests;
        for (const auto& [path, bytes] : files) digests[path] = must(lineage_.add_source(bytes));
        return must(make_candidate(task_.space, task_.id(), genes, digests));
    }
    CandidateCommit write(const Genes& genes, const std::map<std::string, std::string>& files,
                          std::vector<Oid> parents = {}) {
        return must(lineage_.write(make(genes, files), std::move(parents)));
    }
    std::string git_here(const std::string& words) { return git(folder_.file("r"), words); }
    static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

    struct Entry {
        std::string mode, path, bytes;
    };
    // A root's commit as its candidate would have it, but for its tree, which is made of these files.
    Oid commit_by_hand(const Candidate& candidate, const std::vector<Entry>& entries) {
        const Oid good = must(Lineage(repo_, task_).write(make({}, {}), {})).oid;
        const Commit pattern = must(repo_.read_commit(good));
        shell("rm -f " + folder_.file("index"));
        const std::string env = "GIT_INDEX_FILE=" + folder_.file("index") + " ";
        for (const Entry& entry : entries) {
            const Oid blob = must(repo_.write_blob(entry.bytes));
            folder_.write(
                "line", fmt::format("{} {}\t{}", entry.mode, entry.mode == "160000" ? good : blob, entry.path) + '\0');
            shell(env + fmt::format("git -C {} update-index -z --add --index-info < {}", folder_.file("r"),
                                    folder_.file("line")));
        }
        Commit commit = pattern;
        commit.tree = first_line(shell(env + fmt::format("git -C {} write-tree", folder_.file("r"))));
        commit.message = message_of_root(candidate);
        return must(repo_.write_commit(commit));
    }
    std::string message_of_root(const Candidate& candidate) {
        Candidate defaults;
        defaults.genes = task_.space.defaults();
        const auto changes = candidate_changes(task_.space, defaults, candidate);
        std::string text = "root: " + subject_of(changes) + "\n\n";
        for (const GeneChange& change : changes) text += change_text({change}) + "\n";
        return text + "\nCandidate: " + candidate.id + "\n";
    }
    std::string refusal(const Candidate& candidate, const std::vector<Entry>& entries) {
        const Oid oid = commit_by_hand(candidate, entries);
        const Error error = trouble(Lineage(repo_, task_).read(oid));
        EXPECT_EQ(error.code, Code::corrupt);
        return error.message;
    }

    static std::string numbers() {
        std::string text;
        for (int i = 0; i < 300; ++i) text += fmt::format("{}\n", i * i);
        return text;
    }
    // Of a loose object with these bytes: its size can be seen afterwards, its bytes cannot be read.
    void damage(const std::string& bytes) {
        const Oid blob = Repo::name_of_blob(bytes);
        const std::string object = folder_.file("r/.git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2));
        std::filesystem::permissions(object, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
        std::string packed = must(read_file(object));
        packed.back() = static_cast<char>(packed.back() ^ 1);
        std::ofstream(object, std::ios::binary) << packed;
    }

    TempFolder folder_;
    Repo repo_;
    Task task_;
    Lineage lineage_;
};

TEST_F(SourceTest, AreCommittedBesideTheGenesAndReadBack) {
    const CandidateCommit root = write({{"x", 1.0}}, {{"src/fit.py", "new\n"}, {"src/lib/a.py", "a\n"}});
    EXPECT_EQ(git_here("ls-tree -r --name-only " + root.oid), "candidate.toml\nfiles/src/fit.py\nfiles/src/lib/a.py\n");
    EXPECT_EQ(git_here("show " + root.oid + ":files/src/lib/a.py"), "a\n");
    EXPECT_THAT(git_here("log -1 --format=%B " + root.oid), HasSubstr("root: x 0.0 -> 1.0, src/fit.py unset -> "));
    Lineage elsewhere(repo_, task_);
    EXPECT_FALSE(must(elsewhere.has_source(root.candidate)));
    const CandidateCommit again = must(elsewhere.read(root.oid));
    EXPECT_EQ(again.candidate.id, root.candidate.id);
    EXPECT_EQ(again.candidate.files, root.candidate.files);
    EXPECT_TRUE(must(elsewhere.has_source(root.candidate)));
    EXPECT_EQ(must(elsewhere.source(root.candidate.files.at("src/lib/a.py"))), "a\n");
    must(repo_.set_ref("refs/heads/main", root.oid, ""));
    EXPECT_EQ(git_here("fsck --strict --no-dangling"), "");
}

// A small push of many candidates that share a large file must not cost its bytes for each of them.
TEST_F(SourceTest, OfManyCandidatesAreReadOnce) {
    const std::string bytes = numbers();
    const std::map<std::string, std::string> files = {{"src/large.py", bytes}};
    const CandidateCommit one = write({{"x", 1.0}}, files), other = write({{"x", 2.0}}, files);
    Lineage elsewhere(repo_, task_);
    ASSERT_TRUE(elsewhere.read(one.oid));
    damage(bytes);
    EXPECT_TRUE(elsewhere.read(other.oid));
    EXPECT_FALSE(Lineage(repo_, task_).read(other.oid)) << "else this shows nothing";
}

TEST_F(SourceTest, WithMarkersOfManyCandidatesAreReadOnceAtEachPath) {
    const std::string own = "# B\n# E\n", bytes = "# B\n" + numbers() + "# E\n";
    const Task marked = source_task(repo_, {{"src/a.py", own}, {"src/b.py", own}, {"src/c.py", "x\n" + own}},
                                    "edit = [\"src/**\"]\nbetween = [\"# B\", \"# E\"]\n");
    Lineage lineage(repo_, marked);
    const std::string digest = must(lineage.add_source(bytes));
    const auto commit = [&](double x, const std::string& path) {
        const Genes genes = {{"x", x}};
        return must(lineage.write(must(make_candidate(marked.space, marked.id(), genes, {{path, digest}})), {})).oid;
    };
    const Oid one = commit(1, "src/a.py"), same = commit(2, "src/a.py"), moved = commit(3, "src/c.py");
    Lineage elsewhere(repo_, marked);
    ASSERT_TRUE(elsewhere.read(one));
    EXPECT_FALSE(elsewhere.read(moved)) << "the lines beside the markers are others there";
    damage(bytes);
    EXPECT_TRUE(elsewhere.read(same));
    EXPECT_FALSE(elsewhere.read(commit(4, "src/b.py"))) << "at another path they must be read";
}

TEST_F(SourceTest, MakeNoDifferenceWhereThereAreNone) {
    EXPECT_EQ(git_here("ls-tree -r --name-only " + write({{"x", 1.0}}, {}).oid), "candidate.toml\n");
}

TEST_F(SourceTest, CannotBeWrittenByWhoLacksTheirBytes) {
    const Candidate told = must(make_candidate(task_.space, task_.id(), {}, {{"src/a.py", std::string(64, 'a')}}));
    EXPECT_EQ(trouble(lineage_.write(told, {})).code, Code::not_found);
}

TEST_F(SourceTest, ByHandAreTakenWhereTheyAreAsTheyShouldBe) {
    const Candidate good = make({}, {{"src/a.py", "a\n"}});
    const Oid oid =
        commit_by_hand(good, {{"100644", "candidate.toml", good.toml}, {"100644", "files/src/a.py", "a\n"}});
    EXPECT_EQ(must(Lineage(repo_, task_).read(oid)).candidate.id, good.id);
}

TEST_F(SourceTest, AreRefusedWhereTheTreeIsNotWhatTheCandidateSays) {
    const Candidate good = make({}, {{"src/a.py", "a\n"}});
    const Entry toml = {"100644", "candidate.toml", good.toml}, file = {"100644", "files/src/a.py", "a\n"};
    EXPECT_THAT(refusal(good, {toml}), HasSubstr("lacks the files"));
    EXPECT_THAT(refusal(good, {toml, {"100644", "files/src/a.py", "b\n"}}), HasSubstr("another digest"));
    EXPECT_THAT(refusal(good, {toml, {"100755", "files/src/a.py", "a\n"}}), HasSubstr("no plain file"));
    EXPECT_THAT(refusal(good, {toml, {"120000", "files/src/a.py", "/etc/passwd"}}), HasSubstr("no plain file"));
    EXPECT_THAT(refusal(good, {toml, {"160000", "files/src/a.py", ""}}), HasSubstr("no plain file"));
    EXPECT_THAT(refusal(good, {toml, file, {"100644", "files/src/b.py", "b\n"}}), HasSubstr("is not named"));
    EXPECT_THAT(refusal(good, {toml, file, {"100644", "files/files/judge.py", "b\n"}}), HasSubstr("is not named"));
    EXPECT_THAT(refusal(good, {toml, file, {"100644", "run.sh", "b\n"}}), HasSubstr("something else than"));
    EXPECT_THAT(refusal(good, {toml, {"120000", "files", "/etc"}}), HasSubstr("something else than"));
    EXPECT_THAT(refusal(good, {toml, {"100644", "files/src/a.py/b", "a\n"}}), HasSubstr("is not named"));
    const Candidate none = make({}, {});
    EXPECT_THAT(refusal(none, {{"100644", "candidate.toml", ""}, file}), HasSubstr("does not name"));
}

TEST_F(SourceTest, AreRefusedBeyondTheSurface) {
    const auto text = [](const char* path, const std::string& bytes) {
        return fmt::format("[files]\n\"{}\" = \"{}\"\n", path, sha256_hex(bytes));
    };
    for (const auto& [path, why] : {std::pair("files/run.sh", "not on the task's surface"),
                                    {"src/vendor/x.py", "not on the task's surface"},
                                    {"src/Fit.py", "but for its case"},
                                    {"src/.hidden", "no name for a file"}})
        EXPECT_THAT(refusal(make({}, {}), {{"100644", "candidate.toml", text(path, "x")},
                                           {"100644", std::string("files/") + path, "x"}}),
                    HasSubstr(why));
    EXPECT_THAT(refusal(make({}, {}), {{"100644", "candidate.toml", text("src/fit.py", kTaskFile)},
                                       {"100644", "files/src/fit.py", kTaskFile}}),
                HasSubstr("the task's own file"));
}

TEST_F(SourceTest, AreRefusedByTheirSizesBeforeTheyAreRead) {
    const std::string half(1500, 'x'), other(1500, 'y');
    const Candidate large = make({}, {{"src/a.py", half}, {"src/b.py", other}});
    EXPECT_THAT(refusal(large, {{"100644", "candidate.toml", large.toml},
                                {"100644", "files/src/a.py", half},
                                {"100644", "files/src/b.py", other}}),
                HasSubstr("over 2000 bytes"));
}

TEST_F(SourceTest, AreReadByTheirMarkersToo) {
    Task marked =
        source_task(repo_, {{"src/fit.py", "a\n# B\nb\n# E\n"}}, "edit = [\"src/**\"]\nbetween = [\"# B\", \"# E\"]\n");
    Lineage lineage(repo_, marked);
    const auto commit = [&](const std::string& bytes) {
        const std::string digest = must(lineage.add_source(bytes));
        const Candidate candidate = must(make_candidate(marked.space, marked.id(), {}, {{"src/fit.py", digest}}));
        return must(lineage.write(candidate, {})).oid;
    };
    const Oid good = commit("a\n# B\nnew\n# E\n"), bad = commit("A\n# B\nnew\n# E\n");
    EXPECT_TRUE(Lineage(repo_, marked).read(good).has_value());
    EXPECT_THAT(trouble(Lineage(repo_, marked).read(bad)).message, HasSubstr("outside the lines"));
}

// --- Crosses ----------------------------------------------------------------------------------------------------------

TEST_F(SourceTest, AreTakenFromEitherParentAndMergedOverTheTasksFile) {
    const CandidateCommit root = write({}, {});
    const CandidateCommit a = write({{"x", 1.0}},
                                    {{"src/fit.py", "ONE\ntwo\nthree\nfour\nfive\nsix\nseven\n"}, {"src/a.py", "a\n"}},
                                    {root.oid}),
                          b = write({{"y", 1.0}}, {{"src/fit.py", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n"}},
                                    {root.oid});
    const Cross made = must(lineage_.cross_of(a.oid, b.oid));
    EXPECT_EQ(made.child.toml.substr(0, 16), "x = 1.0\ny = 1.0\n");
    EXPECT_EQ(must(lineage_.source(made.child.files.at("src/fit.py"))), "ONE\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n");
    EXPECT_EQ(must(lineage_.source(made.child.files.at("src/a.py"))), "a\n");
    EXPECT_EQ(must(lineage_.cross_of(b.oid, a.oid)).child.id, made.child.id);
    const CandidateCommit child = must(lineage_.write(made.child, {a.oid, b.oid}));
    const std::string message = git_here("log -1 --format=%B " + child.oid);
    EXPECT_THAT(message, HasSubstr("cross of "));
    EXPECT_THAT(message, HasSubstr("src/a.py = " + made.child.files.at("src/a.py").substr(0, 8) + " from " +
                                   a.candidate.id.substr(0, 8)));
    EXPECT_THAT(message, HasSubstr("src/fit.py = " + made.child.files.at("src/fit.py").substr(0, 8) + " merged\n"));
    EXPECT_EQ(must(Lineage(repo_, task_).read(child.oid)).candidate.id, made.child.id);
}

TEST_F(SourceTest, AreMergedOverTheBaseCandidatesFile) {
    const CandidateCommit root = write({}, {{"src/fit.py", "1\n2\n3\n4\n5\n6\n7\n"}});
    const CandidateCommit a = write({}, {{"src/fit.py", "A\n2\n3\n4\n5\n6\n7\n"}}, {root.oid}),
                          b = write({}, {{"src/fit.py", "1\n2\n3\n4\n5\n6\nB\n"}}, {root.oid});
    const Cross made = must(lineage_.cross_of(a.oid, b.oid));
    EXPECT_EQ(must(lineage_.source(made.child.files.at("src/fit.py"))), "A\n2\n3\n4\n5\n6\nB\n");
}

TEST_F(SourceTest, ThatAParentGaveBackToTheTaskAreLeftOut) {
    const CandidateCommit root = write({}, {{"src/fit.py", "x\n"}, {"src/a.py", "a\n"}});
    const CandidateCommit a = write({{"x", 1.0}}, {{"src/a.py", "a\n"}}, {root.oid}),
                          b = write({{"y", 1.0}}, {{"src/fit.py", "x\n"}, {"src/a.py", "a\n"}}, {root.oid});
    EXPECT_EQ(must(lineage_.cross_of(a.oid, b.oid)).child.files, a.candidate.files);
}

TEST_F(SourceTest, InConflictMakeNoCrossAndAreAllNamed) {
    const CandidateCommit root = write({}, {{"src/c.py", "c\n"}});
    const CandidateCommit a = write({}, {{"src/fit.py", "A\n"}, {"src/new.py", "A\n"}}, {root.oid}),
                          b = write({}, {{"src/fit.py", "B\n"}, {"src/new.py", "B\n"}, {"src/c.py", "B\n"}},
                                    {root.oid});
    const Error error = trouble(lineage_.cross_of(a.oid, b.oid));
    EXPECT_EQ(error.code, Code::unfit);
    EXPECT_THAT(error.message, HasSubstr("conflict in src/c.py, src/fit.py, src/new.py"));
}

// --- Texts ------------------------------------------------------------------------------------------------------------

TEST(UnifiedDiff, IsGitsOwn) {
    const std::string one = "a\nb\n", two = "a\nc\n";
    EXPECT_THAT(must(unified_diff("src/x", &one, &two)),
                HasSubstr("--- a/src/x\n+++ b/src/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"));
    EXPECT_THAT(must(unified_diff("src/x", nullptr, &two)),
                HasSubstr("--- /dev/null\n+++ b/src/x\n@@ -0,0 +1,2 @@\n+a\n+c\n"));
    EXPECT_EQ(must(unified_diff("src/x", &one, &one)), "");
}

}  // namespace
}  // namespace cultivar
