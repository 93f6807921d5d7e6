#include "pool/types/surface.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/glob.h"
#include "pool/types/task_parser.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

Task task_with(const std::string& surface) { return must(parse_task(kCommandTask + surface, "pool.toml")); }
std::string wrong(const std::string& surface) {
    return trouble(parse_task(kCommandTask + surface, "pool.toml")).message;
}

Surface surface_of(const std::string& surface) { return *task_with("[surface]\n" + surface).command->surface; }

std::string digest(char c) { return std::string(64, c); }

TEST(Glob, KeepsToTheParts) {
    EXPECT_TRUE(glob_matches("src/**", "src/a.py"));
    EXPECT_TRUE(glob_matches("src/**", "src/deep/er/a.py"));
    EXPECT_TRUE(glob_matches("src/**/a.py", "src/a.py"));
    EXPECT_TRUE(glob_matches("src/**/t?st/*.py", "src/x/test/y/test/a.py"));
    EXPECT_TRUE(glob_matches("src/*.py", "src/.py"));
    EXPECT_FALSE(glob_matches("src/**", "srcs/a.py"));
    EXPECT_FALSE(glob_matches("src/*", "src/deep/a.py"));
    EXPECT_FALSE(glob_matches("src/?.py", "src/ab.py"));
    EXPECT_FALSE(glob_matches("src/*.py", "src/a.pyc"));
    EXPECT_FALSE(glob_matches("src", "src/a"));
}

TEST(Glob, TakesNoLongerForAPatternOfManyStars) {
    std::string pattern = "src", path = "src/";
    for (int i = 0; i < 60; ++i) pattern += "/**/*a*a*a*";
    path += std::string(180, 'a');
    EXPECT_FALSE(glob_matches(pattern + "/b", path));
}

TEST(Surface, IsReadAndWrittenBackAndMakesAnotherTask) {
    const Task plain = task_with(""), task = task_with("[surface]\nedit = [\"src/**\"]\nnever = [\"files/**\"]\n");
    EXPECT_FALSE(plain.command->surface.has_value());
    EXPECT_EQ(plain.space.surface(), nullptr);
    ASSERT_NE(task.space.surface(), nullptr);
    EXPECT_THAT(to_toml(task), HasSubstr("\n[surface]\nedit = [\"src/**\"]\nnever = [\"files/**\"]\nmax_files = 20\n"
                                         "max_bytes = 262144\n"));
    const Task again = must(parse_task(to_toml(task), "pool.toml"));
    EXPECT_EQ(to_toml(again), to_toml(task));
    EXPECT_EQ(again.id(), task.id());
    EXPECT_NE(task.id(), plain.id());
    EXPECT_NE(task_with("[surface]\nedit = [\"src/**\"]\n").id(), task.id());
    EXPECT_THAT(task_folders(*task.command), ::testing::ElementsAre("files", "src"));
}

TEST(Surface, IsRefusedWhereItMeansNothingOrTooMuch) {
    EXPECT_FALSE(task_with("[surface]\n").command->surface.has_value());
    EXPECT_THAT(wrong("[surface]\nnever = [\"x/**\"]\n"), HasSubstr("'surface.edit' is missing"));
    for (const char* glob :
         {"**", "*.py", "train.py", "*/x.py", "/etc/*", "../x/*", "src/../x", "src/.git/*", "seeds/*", "trust/**",
          "artifact/x", "work/*", "src/a b", "src/\\u0007", "a/b/c/d/e/f/g/h/i"})
        EXPECT_THAT(wrong(std::string("[surface]\nedit = [\"") + glob + "\"]\n"),
                    HasSubstr("begin with a folder's name"))
            << glob;
    EXPECT_THAT(wrong("[surface]\nedit = [\"src/**\"]\nbetween = [\"# A\"]\n"), HasSubstr("two lines that differ"));
    EXPECT_THAT(wrong("[surface]\nedit = [\"src/**\"]\nbetween = [\" # A\", \"# B\"]\n"), HasSubstr("two lines"));
    EXPECT_THAT(wrong("[surface]\nedit = [\"src/**\"]\nmax_files = 101\n"), HasSubstr("out of range"));
    EXPECT_THAT(wrong("[surface]\nedit = [\"src/**\"]\nmax_bytes = 0\n"), HasSubstr("out of range"));
    EXPECT_THAT(wrong("[surface]\nedit = [\"src/**\"]\nmax_bites = 1\n"), HasSubstr("did you mean 'surface.max_b"));
    EXPECT_THAT(wrong("[surface]\nedit = [\"src/**\"]\n[command.templates]\n\"src/x\" = \"files/x\"\n"),
                HasSubstr("a template's and the surface's"));
}

TEST(Surface, SaysWhichFilesACandidateMayBring) {
    Surface surface = surface_of("edit = [\"src/**\"]\nnever = [\"src/vendor/**\"]\nmax_files = 3\n");
    must(surface.add_task_file("src/fit.py", digest('1'), ""));
    must(surface.add_task_file("src/lib/a.py", digest('2'), ""));
    const auto answer = [&](const SourceFiles& files) {
        const auto checked = surface.check_paths(files);
        return checked ? std::string() : checked.error().message;
    };
    EXPECT_EQ(answer({}), "");
    EXPECT_EQ(answer({{"src/fit.py", digest('3')}, {"src/new/b.py", digest('1')}}), "");
    EXPECT_THAT(answer({{"files/judge.py", digest('3')}}), HasSubstr("not on the task's surface"));
    EXPECT_THAT(answer({{"src/vendor/x.py", digest('3')}}), HasSubstr("not on the task's surface"));
    EXPECT_THAT(answer({{"src/fit.py", digest('1')}}), HasSubstr("is the task's own file"));
    for (const char* path : {"src/../files/judge.py", "/src/x", "src//x", "src/.git", "src/a\nb", "src/\x1b[2J", "src/",
                             "src/\xc3\xa9", "src/a b", ""})
        EXPECT_THAT(answer({{path, digest('3')}}), HasSubstr("is no name for a file")) << path;
    EXPECT_THAT(answer({{"src/" + std::string(200, 'x'), digest('3')}}), HasSubstr("is no name for a file"));
    EXPECT_THAT(answer({{"src/Fit.py", digest('3')}}), HasSubstr("but for its case"));
    EXPECT_THAT(answer({{"src/LIB/b.py", digest('3')}}), HasSubstr("but for its case"));
    EXPECT_THAT(answer({{"src/x.py", digest('3')}, {"src/X.py", digest('3')}}), HasSubstr("but for its case"));
    EXPECT_THAT(answer({{"src/lib", digest('3')}}), HasSubstr("but for its case"));
    EXPECT_THAT(answer({{"src/fit.py/x", digest('3')}}), HasSubstr("but for its case"));
    EXPECT_THAT(
        answer({{"src/a", digest('3')}, {"src/b", digest('3')}, {"src/c", digest('3')}, {"src/d", digest('3')}}),
        HasSubstr("more than the 3"));
}

TEST(Surface, LetsFilesChangeBetweenMarkersAlone) {
    Surface surface = surface_of("edit = [\"src/**\"]\nbetween = [\"# BEGIN\", \"# END\"]\nmax_bytes = 100\n");
    const std::string text = "a\n  # BEGIN\nb\n# END\nc\n";
    must(surface.add_task_file("src/fit.py", sha256_hex(text), text));
    must(surface.add_task_file("src/whole.py", sha256_hex("x"), "x"));
    const auto answer = [&](const std::string& bytes, const char* path = "src/fit.py") {
        const auto checked = surface.check_bytes(path, bytes);
        return checked ? std::string() : checked.error().message;
    };
    EXPECT_EQ(answer("a\n  # BEGIN\nB\nB\n# END\nc\n"), "");
    EXPECT_EQ(answer("a\n  # BEGIN\n# END\nc\n"), "");
    EXPECT_THAT(answer("A\n  # BEGIN\nb\n# END\nc\n"), HasSubstr("outside the lines from '# BEGIN' to '# END'"));
    EXPECT_THAT(answer("a\n# BEGIN\nb\n# END\nc\n"), HasSubstr("outside the lines"));
    EXPECT_THAT(answer("a\n  # BEGIN\nb\n# END\nc\n# BEGIN\n# END\n"), HasSubstr("outside the lines"));
    EXPECT_EQ(answer("a\n  # BEGIN\nb\n# BEGIN\nc\n"), "src/fit.py:4: '# BEGIN' has no partner");
    EXPECT_EQ(answer("a\n# END\n"), "src/fit.py:2: '# END' has no partner");
    EXPECT_EQ(answer("a\n  # BEGIN\nb"), "src/fit.py:3: '# BEGIN' has no partner");
    EXPECT_THAT(answer("y", "src/whole.py"), HasSubstr("outside the lines"));
    EXPECT_THAT(answer(std::string(101, 'x')), HasSubstr("more than the 100"));
    EXPECT_THAT(trouble(surface.check_paths({{"src/new.py", digest('3')}})).message, HasSubstr("is new"));
    EXPECT_THAT(trouble(surface.add_task_file("src/odd.py", digest('1'), "# BEGIN\n")).message,
                HasSubstr("src/odd.py:1: '# BEGIN' has no partner"));
}

// Whatever stands between the lines, the rest stays the same; and no text outside them can be smuggled in.
TEST(Surface, KeepsAllBytesOutsideTheMarkersWhateverStandsBetween) {
    const std::vector<std::string> between = {"B", "E"};
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string outside, text, other;
        for (int block = 0; block < 3; ++block) {
            for (int line = static_cast<int>(random() % 3); line > 0; --line) {
                const std::string plain(random() % 3, 'x');
                outside += plain + "\n", text += plain + "\n", other += plain + "\n";
            }
            outside += "B\nE\n";
            text += "B\n" + std::string(random() % 4, 'y') + "\nE\n";
            other += "B\nE\n";
        }
        EXPECT_EQ(must(outside_markers(text, between)), outside);
        EXPECT_EQ(must(outside_markers(other, between)), outside);
        EXPECT_EQ(must(outside_markers(outside, between)), outside);
    }
}

// --- Candidates with files --------------------------------------------------------------------------------------------

class SourceCandidate : public ::testing::Test {
protected:
    SourceCandidate() : task_(task_with("[surface]\nedit = [\"src/**\"]\n")), id_(task_.id()) {}
    Candidate make(const Genes& genes, const SourceFiles& files) {
        return must(make_candidate(task_.space, id_, genes, files));
    }
    std::string refusal(const std::string& toml) {
        const Error error = trouble(parse_canonical(task_.space, id_, toml));
        EXPECT_EQ(error.code, Code::corrupt);
        return error.message;
    }
    Task task_;
    std::string id_;
};

TEST_F(SourceCandidate, HoldsItsFilesInItsTextAndSoInItsId) {
    const Candidate one = make({{"x", 1.0}}, {{"src/b.py", digest('b')}, {"src/a.py", digest('a')}});
    EXPECT_EQ(one.toml,
              "x = 1.0\n[files]\n\"src/a.py\" = \"" + digest('a') + "\"\n\"src/b.py\" = \"" + digest('b') + "\"\n");
    EXPECT_EQ(one.id, sha256_hex(id_ + one.toml).substr(0, 32));
    const Candidate again = must(parse_canonical(task_.space, id_, one.toml));
    EXPECT_EQ(again.files, one.files);
    EXPECT_EQ(again.genes, one.genes);
    EXPECT_EQ(again.id, one.id);
    EXPECT_EQ(must(read_candidate(task_.space, id_, one.toml, "x")).files, one.files);
    EXPECT_EQ(make({}, {{"src/a.py", digest('a')}}).toml, "[files]\n\"src/a.py\" = \"" + digest('a') + "\"\n");
    EXPECT_EQ(make({{"x", 1.0}}, {}).toml, "x = 1.0\n");
}

TEST_F(SourceCandidate, IsRefusedWhereItsFilesAreNotCanonicalOrNotAllowed) {
    const std::string line = "\"src/a.py\" = \"" + digest('a') + "\"\n",
                      second = "\"src/b.py\" = \"" + digest('a') + "\"\n";
    must(parse_canonical(task_.space, id_, "[files]\n" + line + second));
    EXPECT_THAT(refusal("[files]\n" + second + line), HasSubstr("canonical"));
    EXPECT_THAT(refusal("[files]\n"), HasSubstr("canonical"));
    EXPECT_THAT(refusal("\n[files]\n" + line), HasSubstr("canonical"));
    EXPECT_THAT(refusal("x = 1.0\n\n[files]\n" + line), HasSubstr("canonical"));
    EXPECT_THAT(refusal("[files]\n" + line + "x = 1.0\n"), HasSubstr("SHA-256"));
    EXPECT_THAT(refusal("[files]\n'src/a.py' = \"" + digest('a') + "\"\n"), HasSubstr("canonical"));
    EXPECT_THAT(refusal("[files]\n\"src/a.py\" = \"" + digest('A') + "\"\n"), HasSubstr("has no digest"));
    EXPECT_THAT(refusal("[files]\n\"src/a.py\" = 7\n"), HasSubstr("SHA-256"));
    EXPECT_THAT(refusal("[files.src]\na = \"x\"\n"), HasSubstr("SHA-256"));
    EXPECT_THAT(refusal("[files]\n\"lib/a.py\" = \"" + digest('a') + "\"\n"), HasSubstr("not on the task's surface"));
    EXPECT_THAT(refusal("[files]\n\"src/../a.py\" = \"" + digest('a') + "\"\n"), HasSubstr("no name for a file"));
    EXPECT_THAT(refusal("[files]\n" + line + line), HasSubstr("candidate.toml:"));
}

TEST_F(SourceCandidate, IsRefusedInATaskWithoutASurface) {
    const Task plain = task_with("");
    EXPECT_THAT(trouble(make_candidate(plain.space, plain.id(), {}, {{"src/a.py", digest('a')}})).message,
                HasSubstr("lets no candidate bring files"));
}

TEST_F(SourceCandidate, TellsChangedFilesAfterChangedGenes) {
    const Candidate one = make({}, {{"src/a.py", digest('a')}, {"src/c.py", digest('c')}}),
                    two = make({{"x", 1.0}}, {{"src/a.py", digest('b')}, {"src/d.py", digest('d')}});
    EXPECT_EQ(change_text(candidate_changes(task_.space, one, two)),
              "x 0.0 -> 1.0, src/a.py aaaaaaaa -> bbbbbbbb, src/c.py cccccccc -> unset, src/d.py unset -> dddddddd");
}

// Text made of pieces of canonical text, cut and glued anyhow, is refused or is its own canonical form.
TEST_F(SourceCandidate, ReadsOnlyItsOwnText) {
    const std::vector<std::string> pieces = {"x = 1.0\n",
                                             "[files]\n",
                                             "\"src/a.py\" = \"" + digest('a') + "\"\n",
                                             "\"src/b.py\" = \"" + digest('b') + "\"\n",
                                             "\"",
                                             "\n",
                                             "src",
                                             " = "};
    std::mt19937 random(3);
    int good = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t n = random() % 5; n > 0; --n) text += pieces[random() % pieces.size()];
        const auto candidate = parse_canonical(task_.space, id_, text);
        if (!candidate) continue;
        ++good;
        EXPECT_EQ(candidate->toml, text);
        EXPECT_EQ(make(candidate->genes, candidate->files).id, candidate->id);
    }
    EXPECT_GT(good, 100);
}

}  // namespace
}  // namespace cultivar
