#include "pool/util/patch.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/git/text_merge.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

const std::string kFile = "one\ntwo\nthree\nfour\nfive\n";

Result<std::string> patched(const std::string& patch, const std::string& before = kFile) {
    TRY_ASSIGN(const auto files, parse_patch(patch, "p"));
    return apply_patch(files.at(0), before);
}
std::string hunks(const std::string& text) { return "--- a/src/x.py\n+++ b/src/x.py\n" + text; }
std::string wrong(const std::string& patch) { return trouble(parse_patch(patch, "p")).message; }

TEST(Patch, ChangesAddsAndRemovesLinesWhereItSays) {
    EXPECT_EQ(must(patched(hunks("@@ -2,2 +2,2 @@ def f():\n-two\n+TWO\n three\n"))), "one\nTWO\nthree\nfour\nfive\n");
    EXPECT_EQ(must(patched(hunks("@@ -1 +1 @@\n-one\n+1\n@@ -5,1 +5,2 @@\n five\n+six\n"))),
              "1\ntwo\nthree\nfour\nfive\nsix\n");
    EXPECT_EQ(must(patched(hunks("@@ -3,0 +4 @@\n+between\n"))), "one\ntwo\nthree\nbetween\nfour\nfive\n");
    EXPECT_EQ(must(patched(hunks("@@ -1,2 +0,0 @@\n-one\n-two\n"))), "three\nfour\nfive\n");
    EXPECT_EQ(must(patched("--- /dev/null\n+++ b/src/new.py\n@@ -0,0 +1,2 @@\n+a\n+b\n", "")), "a\nb\n");
    EXPECT_EQ(
        must(patched(hunks("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"), "a")),
        "b");
    EXPECT_EQ(must(patched(hunks("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"), "a")), "a\n");
}

TEST(Patch, IsReadFromWhatGitAndPeopleSend) {
    const auto files =
        must(parse_patch("From: me\n\nA better one\n---\n src/x.py | 2 +-\n\ndiff --git a/src/x.py b/src/x.py\n"
                         "index 123..456 100644\n--- a/src/x.py\t2026-01-01\n+++ b/src/x.py\t2026-01-01\n"
                         "@@ -1 +1 @@\n-a\n+b\ndiff --git a/y b/y\nnew file mode 100644\n--- /dev/null\n+++ b/y\n"
                         "@@ -0,0 +1 @@\n+y\n-- \n2.39\n",
                         "p"));
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].path, "src/x.py");
    EXPECT_FALSE(files[0].creates);
    EXPECT_EQ(files[1].path, "y");
    EXPECT_TRUE(files[1].creates);
}

TEST(Patch, ThatDoesNotFitSaysWhereAndWhatIsThere) {
    const Error error = trouble(patched(hunks("@@ -2,2 +2,2 @@\n-three\n+3\n four\n")));
    EXPECT_EQ(error.code, Code::unfit);
    EXPECT_EQ(
        error.message,
        "src/x.py:2: the hunk at line 3 of the patch wants 'three', the file has 'two'; its lines stand at line 3");
    EXPECT_EQ(trouble(patched(hunks("@@ -1,2 +1,2 @@\n one\n-four\n+4\n"))).message,
              "src/x.py:2: the hunk at line 3 of the patch wants 'four', the file has 'two'; that line is line 4");
    EXPECT_EQ(trouble(patched(hunks("@@ -5,2 +5,2 @@\n five\n-six\n+6\n"))).message,
              "src/x.py:6: the hunk at line 3 of the patch wants 'six', the file has nothing");
    EXPECT_THAT(trouble(patched(hunks("@@ -1 +1 @@\n-one \n+1\n"))).message,
                HasSubstr("wants 'one ', the file has 'one'"));
    EXPECT_THAT(trouble(patched(hunks("@@ -3 +3 @@\n-three\n+3\n@@ -2 +2 @@\n-two\n+2\n"))).message,
                HasSubstr("no place there"));
    EXPECT_THAT(trouble(patched(hunks("@@ -99,0 +99 @@\n+x\n"))).message, HasSubstr("no place there"));
    EXPECT_THAT(trouble(patched(hunks("@@ -1 +1 @@\n-a\n+b\n"), "a")).message,
                HasSubstr("wants 'a', the file has 'a'"));
}

TEST(Patch, IsRefusedWhereItIsNoneOrDoesMore) {
    EXPECT_THAT(wrong(""), HasSubstr("p: it holds no unified diff"));
    EXPECT_THAT(wrong("@@ -1 +1 @@\n-a\n+b\n"), HasSubstr("p:1: a hunk without a file"));
    EXPECT_THAT(wrong(hunks("")), HasSubstr("has no hunk"));
    EXPECT_THAT(wrong(hunks("@@ -x +1 @@\n-a\n+b\n")), HasSubstr("p:3: it is no header"));
    EXPECT_THAT(wrong(hunks("@@ -1,999999999999999999999 +1 @@\n-a\n")), HasSubstr("no header"));
    EXPECT_THAT(wrong(hunks("@@ -0 +1 @@\n-a\n+b\n")), HasSubstr("count from 1"));
    EXPECT_THAT(wrong(hunks("@@ -1,2 +1 @@\n-a\n+b\n")), HasSubstr("ends before"));
    EXPECT_THAT(wrong(hunks("@@ -1 +1,2 @@\n-a\n-b\n+c\n+d\n")), HasSubstr("other numbers of lines"));
    EXPECT_THAT(wrong(hunks("@@ -1 +1 @@\n*a\n+b\n")), HasSubstr("p:4: a line of a hunk begins"));
    EXPECT_THAT(wrong(hunks("@@ -1 +1 @@\n\\ No newline\n-a\n+b\n")), HasSubstr("no line comes before"));
    EXPECT_THAT(wrong("--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"), HasSubstr("deletes no file"));
    EXPECT_THAT(wrong("--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"), HasSubstr("renames no file"));
    EXPECT_THAT(wrong("old mode 100644\nnew mode 100755\n" + hunks("@@ -1 +1 @@\n-a\n+b\n")),
                HasSubstr("p:1: a patch changes no mode"));
    EXPECT_THAT(wrong("new file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n"),
                HasSubstr("mode 100644"));
    EXPECT_THAT(wrong("GIT binary patch\n"), HasSubstr("text alone"));
    EXPECT_THAT(wrong(hunks("@@ -1 +1 @@\n-a\n+b\n") + hunks("@@ -1 +1 @@\n-a\n+b\n")), HasSubstr("second time"));
    EXPECT_THAT(wrong(std::string(kMaxPatch_bytes + 1, 'x')), HasSubstr("over 8 MiB"));
}

// Whatever git makes of two texts leads from the one to the other, and to no third.
TEST(Patch, UndoesWhatGitCompares) {
    std::mt19937 random(11);
    const auto text = [&] {
        std::string made;
        for (std::size_t n = random() % 12; n > 0; --n)
            made += std::string(1 + random() % 2, static_cast<char>('a' + random() % 3)) + "\n";
        if (!made.empty() && random() % 3 == 0) made.pop_back();
        return made;
    };
    int changed = 0;
    for (int round = 0; round < 3000; ++round) {
        const std::string before = text(), after = text(), other = text();
        const std::string diff = must(unified_diff("src/x", &before, &after));
        if (diff.empty()) continue;
        ++changed;
        EXPECT_EQ(must(patched(diff, before)), after) << diff;
        const auto elsewhere = patched(diff, other);
        EXPECT_TRUE(!elsewhere || *elsewhere != other);
    }
    EXPECT_GT(changed, 1000);
}

}  // namespace
}  // namespace cultivar
