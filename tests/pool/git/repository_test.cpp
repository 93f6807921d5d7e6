#include "pool/git/repository.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/file.h"
#include "tests/pool/support/servers.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Identity kWho{"Somebody", "somebody@example.org", 1795232400};

class RepoTest : public ::testing::Test {
protected:
    RepoTest() : repo_(must(Repo::create(folder_.file("r"), false))) {}

    Oid commit(const std::vector<Oid>& parents, const std::string& text) {
        Oid blob = must(repo_.write_blob(text));
        Oid tree = must(repo_.write_tree({{"f", blob, false, true}}));
        return must(repo_.write_commit({tree, parents, kWho, "message\n"}));
    }
    std::string git_here(const std::string& words) { return git(folder_.file("r"), words); }

    TempFolder folder_;
    Repo repo_;
};

// Every length, with the object's head and without, at the ends of the buffers and beside them.
TEST_F(RepoTest, ReadsLooseObjectsOfEveryLength) {
    for (const std::size_t length : {0, 1, 55, 56, 57, 58, 32767, 32768, 100000}) {
        std::string text(length, 'x');
        for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>(i * i % 251);
        const Oid blob = must(repo_.write_blob(text));
        EXPECT_EQ(must(must(Repo::discover(folder_.file("r"))).read_blob(blob, length)), text) << length;
        EXPECT_EQ(must(repo_.object_bytes(blob)), length);
    }
    const Oid large = must(repo_.write_blob(std::string(3 << 20, 'a')));  // inflates to a thousand times its bytes
    EXPECT_EQ(must(repo_.read_blob(large, 4 << 20)).size(), std::size_t{3} << 20);
}

TEST_F(RepoTest, ReadsLooseObjectsOfTheRepositoriesThatItBorrowsFrom) {
    const Oid blob = must(repo_.write_blob("borrowed"));
    git(folder_.file("r"), "config gc.auto 0");
    shell("git init -q " + folder_.file("s") + " && echo ../../../r/.git/objects > " + folder_.file("s") +
          "/.git/objects/info/alternates");
    const std::string path = folder_.file("r") + "/.git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
    const Repo borrower = must(Repo::discover(folder_.file("s")));
    EXPECT_EQ(must(borrower.read_blob(blob, 100)), "borrowed");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 2);
    EXPECT_FALSE(must(Repo::discover(folder_.file("s"))).read_blob(blob, 100));
}

// libgit2 1.5 reads a truncated one for ever.
TEST_F(RepoTest, RefusesLooseObjectsOfOtherLengthsThanTheirOwn) {
    const Oid blob = must(repo_.write_blob("some words, and some more words"));
    const std::string path = folder_.file("r") + "/.git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    const std::string whole = must(read_file(path));
    const auto read_as = [&](const std::string& bytes) {
        must(write_file_unsynced(path, bytes));
        return must(Repo::discover(folder_.file("r"))).read_blob(blob, 100).has_value();
    };
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(read_as(whole.substr(0, length))) << length;
    EXPECT_FALSE(read_as(whole + "x"));
    EXPECT_TRUE(read_as(whole));
    // Heads that promise more or less than there is.
    for (const std::string size : {"30", "32", "99", "999999999999", "-1", "", "31x", "18446744073709551616"}) {
        shell("printf 'blob " + size +
              "\\0some words, and some more words' | python3 -c 'import sys, zlib; "
              "sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' > " +
              path);
        EXPECT_FALSE(must(Repo::discover(folder_.file("r"))).read_blob(blob, std::size_t{1} << 40)) << size;
    }
}

// The names that git itself gives to the same content.
TEST_F(RepoTest, NamesObjectsAsGitDoes) {
    Oid blob = must(repo_.write_blob("model.layers = 6\n"));
    EXPECT_EQ(blob + "\n", shell("printf 'model.layers = 6\\n' | git hash-object --stdin"));
    Oid tree = must(
        repo_.write_tree({{"b", blob, false, true}, {"a", must(repo_.write_tree({{"x", blob, false, true}})), true}}));
    EXPECT_EQ(git_here("ls-tree -r --name-only " + tree), "a/x\nb\n");
    Oid commit = must(repo_.write_commit({tree, {}, kWho, "subject\n\nbody\n"}));
    EXPECT_EQ(commit + "\n", shell("cd " + folder_.file("r") +
                                   " && GIT_AUTHOR_DATE='1795232400 +0000' GIT_COMMITTER_DATE='1795232400 +0000' "
                                   "git commit-tree " +
                                   tree + " -m subject -m body"));
    ASSERT_TRUE(repo_.set_ref("refs/heads/main", commit, ""));
    EXPECT_EQ(git_here("fsck --strict --no-dangling"), "");
}

TEST_F(RepoTest, ReadsBackWhatItWrote) {
    Oid root = commit({}, "one"), child = commit({root}, "two");
    Commit read = must(repo_.read_commit(child));
    EXPECT_THAT(read.parents, ElementsAre(root));
    EXPECT_EQ(read.author.name, "Somebody");
    EXPECT_EQ(read.author.unix_s, 1795232400);
    EXPECT_EQ(read.message, "message\n");
    EXPECT_EQ(must(repo_.file(child, "f", 3)), "two");
    EXPECT_EQ(must(repo_.file(child, "g", 3)), std::nullopt);
    EXPECT_EQ(must(repo_.file(child, "f/g", 3)), std::nullopt);
    EXPECT_EQ(trouble(repo_.file(child, "f", 2)).code, Code::corrupt);
}

TEST_F(RepoTest, RefusesLinksExecutablesAndOtherKindsOfObject) {
    const std::string here = folder_.file("r");
    Oid link = commit_by_hand(here, "refs/heads/link", {{"f", "/etc/passwd"}}, "", "120000");
    Oid program = commit_by_hand(here, "refs/heads/program", {{"f", "#!/bin/sh"}}, "", "100755");
    for (const Oid& commit : {link, program}) EXPECT_EQ(trouble(repo_.file(commit, "f", 100)).code, Code::corrupt);
    Commit read = must(repo_.read_commit(link));
    EXPECT_EQ(trouble(repo_.read_blob(read.tree, 100)).code, Code::corrupt);
    EXPECT_FALSE(repo_.read_tree(link));
    EXPECT_FALSE(repo_.read_commit(read.tree));
    EXPECT_FALSE(repo_.read_commit(std::string(40, '0')));
    EXPECT_FALSE(repo_.read_commit("HEAD"));
    EXPECT_FALSE(repo_.has_object(std::string(40, '0')));
}

TEST_F(RepoTest, ReadsNoTreeOfMoreEntriesThanAllowed) {
    Oid blob = must(repo_.write_blob("x"));
    Oid tree = must(repo_.write_tree({{"a", blob, false, true}, {"b", blob, false, true}, {"c", blob, false, true}}));
    EXPECT_TRUE(repo_.read_tree(tree, 3));
    EXPECT_EQ(trouble(repo_.read_tree(tree, 2)).code, Code::corrupt);
}

TEST_F(RepoTest, MovesARefOnlyFromWhereItWasSeen) {
    Oid one = commit({}, "one"), two = commit({one}, "two");
    ASSERT_TRUE(repo_.set_ref("refs/heads/x", one, ""));
    EXPECT_EQ(trouble(repo_.set_ref("refs/heads/x", two, "")).code, Code::busy);
    EXPECT_EQ(trouble(repo_.set_ref("refs/heads/x", two, two)).code, Code::busy);
    ASSERT_TRUE(repo_.set_ref("refs/heads/x", two, one));
    EXPECT_EQ(must(repo_.ref("refs/heads/x")), two);
    EXPECT_EQ(must(repo_.ref("refs/heads/y")), std::nullopt);
    ASSERT_TRUE(repo_.delete_ref("refs/heads/x"));
    EXPECT_EQ(must(repo_.ref("refs/heads/x")), std::nullopt);
}

TEST_F(RepoTest, MovesARefWhoseLockAKilledProcessLeftBehind) {
    Oid one = commit({}, "one"), two = commit({one}, "two");
    ASSERT_TRUE(repo_.set_ref("refs/heads/x", one, ""));
    shell("touch " + folder_.file("r/.git/refs/heads/x.lock"));
    ASSERT_TRUE(repo_.set_ref("refs/heads/x", two, one));
    EXPECT_EQ(must(repo_.ref("refs/heads/x")), two);
}

TEST_F(RepoTest, MovesARefThatAnotherProcessMovedToTheSamePlace) {
    Oid one = commit({}, "one"), two = commit({one}, "two");
    ASSERT_TRUE(repo_.set_ref("refs/heads/x", two, ""));
    EXPECT_TRUE(repo_.set_ref("refs/heads/x", two, ""));
    EXPECT_TRUE(repo_.set_ref("refs/heads/x", two, one));
}

TEST_F(RepoTest, ListsRefsUnderAPrefixLooseAndPacked) {
    Oid one = commit({}, "one");
    for (const char* name :
         {"refs/remotes/origin/journal/b", "refs/remotes/origin/journal/a/c", "refs/remotes/other/x"})
        ASSERT_TRUE(repo_.set_ref(name, one, ""));
    git_here("pack-refs --all");
    ASSERT_TRUE(repo_.set_ref("refs/remotes/origin/journal/d", one, ""));
    std::vector<std::string> names;
    for (const Ref& ref : must(repo_.refs("refs/remotes/origin/journal/"))) names.push_back(ref.name.substr(28));
    EXPECT_THAT(names, ElementsAre("a/c", "b", "d"));
}

TEST_F(RepoTest, KnowsWhatDescendsFromWhat) {
    Oid root = commit({}, "root"), a = commit({root}, "a"), b = commit({root}, "b"), ab = commit({a, b}, "ab");
    EXPECT_TRUE(must(repo_.descends(ab, root)));
    EXPECT_TRUE(must(repo_.descends(a, a)));
    EXPECT_FALSE(must(repo_.descends(root, ab)));
}

TEST_F(RepoTest, NamesObjectsAsGitWouldWithoutWritingThem) {
    Oid blob = must(repo_.write_blob("x = 1\n"));
    TreeEntry entry{"candidate.toml", blob, false, true};
    Oid tree = must(repo_.write_tree({entry}));
    Commit root{tree, {}, {"ann", "ann@example.org", 1795232400}, "a message\n\nwith a body\n"};
    Oid first = must(repo_.write_commit(root));
    EXPECT_EQ(Repo::name_of_blob("x = 1\n"), blob);
    EXPECT_EQ(Repo::name_of_tree({entry}), tree);
    EXPECT_EQ(Repo::name_of_commit(root), first);
    root.parents = {first};
    EXPECT_EQ(Repo::name_of_commit(root), must(repo_.write_commit(root)));
}

TEST_F(RepoTest, IsFoundFromAnyFolderInside) {
    std::filesystem::create_directories(folder_.file("r/a/b"));
    EXPECT_EQ(must(Repo::discover(folder_.file("r/a/b"))).git_dir(), repo_.git_dir());
    Error error = trouble(Repo::discover("/"));
    EXPECT_EQ(error.code, Code::not_found);
    EXPECT_NE(error.hint, "");
}

TEST_F(RepoTest, IsNotMadeWhereSomethingIs) {
    EXPECT_EQ(trouble(Repo::create(folder_.file("r"), false)).code, Code::usage);
    Repo bare = must(Repo::create(folder_.file("bare"), true));
    EXPECT_EQ(bare.work_dir(), "");
    EXPECT_EQ(git(folder_.file("bare"), "rev-parse --is-bare-repository"), "true\n");
}

TEST_F(RepoTest, RefusesShallowAndPartialClonesWithAHint) {
    Oid one = commit({}, "one");
    ASSERT_TRUE(repo_.set_ref("refs/heads/main", commit({one}, "two"), ""));
    git_here("config uploadpack.allowFilter true");
    shell("git clone -q --depth 1 file://" + folder_.file("r") + " " + folder_.file("shallow"));
    shell("git clone -q --filter=blob:none file://" + folder_.file("r") + " " + folder_.file("partial"));
    Error shallow = trouble(Repo::discover(folder_.file("shallow")));
    EXPECT_THAT(shallow.message, HasSubstr("shallow"));
    EXPECT_EQ(shallow.hint, "git fetch --unshallow");
    Error partial = trouble(Repo::discover(folder_.file("partial")));
    EXPECT_THAT(partial.message, HasSubstr("partial"));
    EXPECT_NE(partial.hint, "");
}

// Its configuration names programs that git runs.
TEST_F(RepoTest, OfAnotherUserIsOwnedByNobodyHereUnlessSafeDirectoryNamesIt) {
    must(repo_.check_owner());
    git_here("config safe.directory '*'");  // its own configuration has no say
    const ServerSetting another("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    const std::string path = folder_.file("r"), settings = folder_.file("gitconfig");
    const auto is_safe = [&](const std::string& values) {
        folder_.write("gitconfig", "[safe]\n" + values);
        const ServerSetting global("GIT_CONFIG_GLOBAL", settings);
        return repo_.check_owner().has_value();
    };
    EXPECT_FALSE(is_safe(""));
    EXPECT_EQ(trouble(repo_.check_owner()).hint, "git config --global --add safe.directory " + path);
    EXPECT_TRUE(is_safe("directory = " + path + "\n"));
    EXPECT_TRUE(is_safe("directory = " + folder_.path() + "/*\n"));
    EXPECT_TRUE(is_safe("directory = *\n"));
    EXPECT_FALSE(is_safe("directory = *\ndirectory =\n")) << "an empty one begins anew";
    EXPECT_FALSE(is_safe("directory = " + path + "/.git\ndirectory = r\n"));
    {
        const ServerSetting count("GIT_CONFIG_COUNT", "1"), key("GIT_CONFIG_KEY_0", "safe.directory"),
            value("GIT_CONFIG_VALUE_0", path);
        EXPECT_TRUE(repo_.check_owner());
    }
    const ServerSetting named("GIT_DIR", path + "/.git");
    EXPECT_TRUE(must(Repo::from_environment(".")).check_owner());
    EXPECT_FALSE(must(Repo::discover(path)).check_owner());
}

TEST_F(RepoTest, ThatIsBareAmongTheFilesOfAnotherIsNotFoundByChance) {
    const std::string inner = folder_.file("r/data/inner"), lone = folder_.file("lone");
    for (const std::string& bare : {inner, lone}) shell("git init -q --bare " + bare);
    EXPECT_THAT(trouble(Repo::discover(inner + "/objects")).message, HasSubstr("bare repository among the files"));
    must(Repo::discover(inner));
    must(Repo::discover(lone + "/objects"));
    const std::string here = std::filesystem::current_path();
    std::filesystem::current_path(inner);
    const auto found = Repo::discover(".");
    std::filesystem::current_path(lone);
    const auto alone = Repo::discover(".");
    std::filesystem::current_path(here);
    EXPECT_EQ(trouble(found).hint, "cultivar -C " + inner + " COMMAND");
    EXPECT_TRUE(alone);
}

TEST(Clone, CommitsToMainKeepOtherFilesAndTheWorkTree) {
    World world;
    cultivar::Clone clone = world.found("ann");
    ASSERT_TRUE(clone.commit_main({{"seeds/small.toml", "model.layers = 2\n"}}, "Add a seed"));
    EXPECT_EQ(world.folder().read("ann/seeds/small.toml"), "model.layers = 2\n");
    EXPECT_EQ(git(world.path("ann"), "status --porcelain"), "");
    EXPECT_EQ(git(world.path("ann"), "log --format=%s main"), "Add a seed\nCreate the pool\n");
    EXPECT_EQ(must(world.reopen("ann").repo.file(clone.main, "pool.toml", 1 << 20)), to_toml(tiny_task()));
}

TEST(Clone, NamesItsWriterAfterItsKey) {
    World world;
    cultivar::Clone clone = world.found("ann");
    EXPECT_EQ(clone.writer, "ann.machine." + clone.key.fingerprint().substr(0, 8));
    EXPECT_EQ(world.reopen("ann").writer, clone.writer);
    EXPECT_EQ(writer_word("Jane  O'Doe!"), "jane-o-doe");
    EXPECT_EQ(writer_word("../..\n"), "anonymous");
    EXPECT_EQ(writer_word(std::string(100, 'x')), std::string(32, 'x'));
}

}  // namespace
}  // namespace cultivar
