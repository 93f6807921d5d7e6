#include "pool/lineage/candidate_commits.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kCreated = 1795232400;  // 2026-11-21T03:40:00Z

class LineageTest : public ::testing::Test {
protected:
    LineageTest() : task_(tiny_task()), repo_(must(Repo::create(folder_.file("r"), true))), lineage_(repo_, task_) {}

    Candidate make(const Genes& changes) { return must(make_candidate(task_.space, task_.id(), changes)); }
    Oid write(const Genes& changes, std::vector<Oid> parents) {
        return must(lineage_.write(make(changes), std::move(parents))).oid;
    }
    std::string git_here(const std::string& words) { return git(folder_.file("r"), words); }

    // A commit made by git; everything follows the format except the caller's changes.
    struct ByHand {
        std::vector<std::pair<std::string, std::string>> files;  // path, mode
        std::string toml, message, parents, name = "cultivar", email = "pool@cultivar.invalid";
        std::int64_t unix_s = kCreated;
        std::string zone = "+0000";
        std::string options;
    };
    ByHand plain() {
        return {{{"candidate.toml", "100644"}},
                "model.layers = 6\n",
                kRootMessage,
                "",
                "cultivar",
                "pool@cultivar.invalid",
                kCreated,
                "+0000",
                ""};
    }
    Oid commit(const ByHand& how) {
        folder_.write("blob", how.toml);
        folder_.write("message", how.message);
        std::string blob = first_line(git_here("hash-object -w " + folder_.file("blob"))), listing;
        for (const auto& [path, mode] : how.files) listing += fmt::format("{} blob {}\t{}\n", mode, blob, path);
        folder_.write("tree", listing);
        std::string tree = first_line(git_here("mktree < " + folder_.file("tree")));
        std::string who;
        for (const char* role : {"AUTHOR", "COMMITTER"})
            who += fmt::format("GIT_{0}_NAME='{1}' GIT_{0}_EMAIL='{2}' GIT_{0}_DATE='{3} {4}' ", role, how.name,
                               how.email, how.unix_s, how.zone);
        return first_line(shell(who + fmt::format("git -C {} {} commit-tree {} {} -F {}", folder_.file("r"),
                                                  how.options, tree, how.parents, folder_.file("message"))));
    }
    static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

    TempFolder folder_;
    Task task_;
    Repo repo_;
    Lineage lineage_;
    const std::string kRootMessage =
        "root: model.layers 4 -> 6\n\nmodel.layers 4 -> 6\n\nCandidate: " + make({{"model.layers", whole(6)}}).id +
        "\n";
};

// As two processes, or two jobs of one, that keep what they checked in one index.
TEST_F(LineageTest, SharesItsTableWithOthersThatWriteThereToo) {
    const std::string path = folder_.file("index.sqlite");
    Database first = must(Database::open(path)), second = must(Database::open(path));
    must(first.execute(Lineage::kTable));
    Lineage mine(repo_, task_, &first), theirs(repo_, task_, &second);
    const auto slower = [&](int by) { return make({{"optim.lr", 0.001 * by}, {"model.layers", whole(6)}}); };
    const Oid root = must(mine.write(make({}), {})).oid;
    const Oid left = must(mine.write(make({{"model.width", whole(64)}}), {root})).oid;
    Oid last = must(mine.write(slower(1), {root})).oid;
    must(mine.cross_of(left, last));  // from here on it has the graph in memory
    for (int by = 2; by < 30; ++by) {
        Lineage& writer = by % 2 == 0 ? theirs : mine;
        last = must(writer.write(slower(by), {last})).oid;
    }
    const Oid theirs_first = must(theirs.write(slower(30), {last})).oid;
    EXPECT_EQ(must(mine.write(slower(30), {last})).oid, theirs_first);
    const Cross cross = must(mine.cross_of(left, theirs_first));
    ASSERT_EQ(cross.bases.size(), 1U);
    EXPECT_EQ(cross.bases[0], root);
}

// The expected object names were computed by a Python program from the comments in pool/lineage/candidate_commits.h and
// pool/lineage/crossover.h.
TEST_F(LineageTest, GivesEveryCandidateTheCommitThatItsFormatSays) {
    Oid root = write({{"model.layers", whole(6)}, {"optim.lr", 1e-4}}, {});
    EXPECT_EQ(root, "bbb2ea78fcfd4fb0c104f82190fe73abdff3a39c");
    Genes a = {{"model.layers", whole(6)}, {"optim.lr", 0.5}, {"model.mlp", word("gelu")}};
    Oid left = write(a, {root});
    EXPECT_EQ(left, "37332c1ede0e111bf793b9595c9408df035328b2");
    Oid right = write({{"model.layers", whole(6)}, {"optim.lr", 2.0}, {"optim.bias", -2.0}}, {root});
    EXPECT_EQ(right, "28283295833692924879d28d825c89cf9985c391");
    a["model.width"] = whole(64);
    Oid far = write(a, {left});
    EXPECT_EQ(far, "03df2bb03080422ad2985525cd86ef6ef24e5f6a");

    Cross merged = must(lineage_.cross_of(far, right));
    EXPECT_EQ(merged.seed, "bd3d2afabbb37ed863f3c3e9cace7b1da432fd03954e4cb85383f647f2700fd7");
    EXPECT_THAT(merged.bases, ElementsAre(root));
    CandidateCommit child = must(lineage_.write(merged.child, {far, right}));
    EXPECT_EQ(child.candidate.id, "5c84ed69d95f626147f1618c6a853bca");
    EXPECT_EQ(child.oid, "169b244e6aa90fc1b783c706063124bf92951585");
    EXPECT_THAT(git_here("log -1 --format=%B " + child.oid), HasSubstr("optim.lr = 2.0 from ce95a08c, contested\n"));
    ASSERT_TRUE(repo_.set_ref("refs/heads/main", child.oid, ""));
    EXPECT_EQ(git_here("fsck --strict --no-dangling"), "");
}

TEST_F(LineageTest, PutsAsManyChangesIntoASubjectAsFit) {
    Oid many = write({{"model.layers", whole(6)},
                      {"model.mlp", word("swiglu")},
                      {"model.width", whole(256)},
                      {"optim.bias", -2.0},
                      {"optim.lr", 1e-4}},
                     {});
    EXPECT_EQ(many, "26d44a6bddb99bccc1e98c85c1d2c2329d9ed602");
    EXPECT_EQ(git_here("log -1 --format=%s " + many),
              "root: model.layers 4 -> 6, model.mlp \"relu2\" -> \"swiglu\", 3 more\n");
    Oid none = write({}, {});
    EXPECT_EQ(none, "444b655f276aaf4ae200bac9291660be772fdad2");
    EXPECT_EQ(git_here("log -1 --format=%s " + none), "root: the defaults\n");
}

TEST_F(LineageTest, MakesTheSameObjectInAnotherRepositoryWhoeverFindsIt) {
    Repo other = must(Repo::create(folder_.file("other"), false));
    Task same = tiny_task();
    Lineage theirs(other, same);
    Candidate root = make({}), child = make({{"optim.lr", 0.1}});
    Oid here = write({{"optim.lr", 0.1}}, {write({}, {})});
    CandidateCommit there = must(theirs.write(child, {must(theirs.write(root, {})).oid}));
    EXPECT_EQ(here, there.oid);
    EXPECT_EQ(there.unix_s, kCreated + 1);
    EXPECT_EQ(write({{"optim.lr", 0.1}}, {write({}, {})}), here);
}

TEST_F(LineageTest, OrdersTheParentsOfACross) {
    Oid a = write({{"optim.lr", 0.1}}, {}), b = write({{"optim.bias", 1.0}}, {});
    EXPECT_EQ(write({{"optim.lr", 0.2}}, {a, b}), write({{"optim.lr", 0.2}}, {b, a}));
}

TEST_F(LineageTest, KeepsWhatEitherOfTwoUnrelatedCandidatesBrought) {
    Oid a = write({{"optim.lr", 0.1}, {"model.layers", whole(6)}}, {});
    Oid b = write({{"optim.bias", 1.0}, {"model.layers", whole(6)}}, {});
    Cross made = must(lineage_.cross_of(a, b));
    EXPECT_EQ(made.child, make({{"optim.lr", 0.1}, {"optim.bias", 1.0}, {"model.layers", whole(6)}}));
    EXPECT_THAT(made.bases, ElementsAre("defaults"));
    Oid child = write({{"optim.lr", 0.1}, {"optim.bias", 1.0}, {"model.layers", whole(6)}}, {a, b});
    EXPECT_THAT(git_here("log -1 --format=%B " + child), HasSubstr("\nCrossover-Base: defaults\n"));
}

TEST_F(LineageTest, ReadsACrossOfUnrelatedCandidatesThatWasMadeOverNothing) {
    CandidateCommit a = must(lineage_.read(write({{"optim.lr", 0.1}}, {})));
    CandidateCommit b = must(lineage_.read(write({{"optim.bias", 1.0}, {"model.layers", whole(6)}}, {})));
    if (a.oid > b.oid) std::swap(a, b);
    Cross old = must(cross(task_.space, task_.id(), {a.oid, a.candidate}, {b.oid, b.candidate}, {}));
    auto short_of = [](const CandidateCommit& one) { return one.candidate.id.substr(0, 8); };
    std::string message = fmt::format("cross of {} and {}\n\n", short_of(a), short_of(b));
    for (const CrossOrigin& origin : old.origins)
        message += fmt::format("{} = {} from {}, contested\n", origin.gene, origin.value,
                               short_of(origin.from == 'a' ? a : b));
    message += fmt::format("\nCrossover-Seed: {}\nCandidate: {}\n", old.seed, old.child.id);
    Oid tree = must(repo_.write_tree({{"candidate.toml", must(repo_.write_blob(old.child.toml)), false, true}}));
    Oid made =
        must(repo_.write_commit({tree, {a.oid, b.oid}, {"cultivar", "pool@cultivar.invalid", kCreated + 1}, message}));
    EXPECT_EQ(must(lineage_.read(made)).candidate, old.child);
}

TEST_F(LineageTest, TellsAMergeThatIsNotTheCrossByItsGenes) {
    Oid a = write({{"optim.lr", 0.1}}, {}), b = write({{"optim.bias", 1.0}}, {});
    Oid by_hand = write({{"model.layers", whole(9)}}, {a, b});
    EXPECT_THAT(git_here("log -1 --format=%B " + by_hand), ::testing::StartsWith("merge of "));
    EXPECT_TRUE(lineage_.read(by_hand));
}

TEST_F(LineageTest, AcceptsTheCommitThatGitItselfMakesOfTheSameContent) {
    Oid by_git = commit(plain());
    EXPECT_EQ(by_git, write({{"model.layers", whole(6)}}, {}));
    Lineage fresh(repo_, task_);
    EXPECT_EQ(must(fresh.read(by_git)).candidate.toml, "model.layers = 6\n");
}

TEST_F(LineageTest, RefusesEveryOtherCommit) {
    const std::string root = commit(plain());
    auto with = [&](const std::function<void(ByHand&)>& change) {
        ByHand how = plain();
        change(how);
        return commit(how);
    };
    const std::pair<const char*, Oid> cases[] = {
        {"an edited message", with([](ByHand& how) { how.message += "Reviewed-by: me\n"; })},
        {"a foreign date", with([](ByHand& how) { how.unix_s += 1; })},
        {"a foreign time zone", with([](ByHand& how) { how.zone = "+0100"; })},
        {"a foreign author", with([](ByHand& how) { how.name = "mallory"; })},
        {"a foreign address", with([](ByHand& how) { how.email = "mallory@example.org"; })},
        {"another file", with([](ByHand& how) {
             how.files.push_back({"Makefile", "100644"});
         })},
        {"another name", with([](ByHand& how) { how.files[0].first = "candidate.tom"; })},
        {"an executable", with([](ByHand& how) { how.files[0].second = "100755"; })},
        {"a link", with([](ByHand& how) { how.files[0].second = "120000"; })},
        {"no file", with([](ByHand& how) { how.files.clear(); })},
        {"content not canonical", with([](ByHand& how) { how.toml = "model.layers=6\n"; })},
        {"content out of range", with([](ByHand& how) { how.toml = "model.layers = 600\n"; })},
        {"content of another size", with([](ByHand& how) { how.toml = std::string(100'000, '#'); })},
        {"other content", with([](ByHand& how) { how.toml = "model.layers = 7\n"; })},
        {"a parent it does not tell", with([&](ByHand& how) { how.parents = "-p " + root; })},
        {"an encoding", with([](ByHand& how) { how.options = "-c i18n.commitEncoding=latin1"; })},
    };
    for (const auto& [what, oid] : cases) {
        EXPECT_NE(oid, root) << what;
        Lineage fresh(repo_, task_);
        EXPECT_EQ(trouble(fresh.read(oid)).code, Code::corrupt) << what;
    }
}

TEST_F(LineageTest, RefusesACandidateWhoseAncestorIsNone) {
    Oid bad = commit([&] {
        ByHand how = plain();
        how.unix_s += 1;
        return how;
    }());
    ByHand child = plain();
    child.toml = "model.layers = 7\n";
    child.message =
        "model.layers 6 -> 7\n\nmodel.layers 6 -> 7\n\nCandidate: " + make({{"model.layers", whole(7)}}).id + "\n";
    child.parents = "-p " + bad;
    child.unix_s = kCreated + 2;
    Oid tip = commit(child);
    Error error = trouble(lineage_.read(tip));
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_THAT(error.message, HasSubstr(bad));
    EXPECT_FALSE(lineage_.write(make({{"model.layers", whole(8)}}), {tip}));
    // The same child of the true root is fine.
    child.parents = "-p " + commit(plain());
    child.unix_s = kCreated + 1;
    EXPECT_TRUE(lineage_.read(commit(child)));
}

TEST_F(LineageTest, RefusesParentsInAnotherOrderAndTooMany) {
    Oid a = write({{"optim.lr", 0.1}}, {}), b = write({{"optim.bias", 1.0}}, {}), c = write({}, {});
    Oid good = write({{"optim.lr", 0.2}}, {a, b});
    ByHand how = plain();
    how.toml = "optim.lr = 0.2\n";
    how.message = git_here("log -1 --format=%B " + good);
    how.message.pop_back();
    how.unix_s = kCreated + 1;
    how.parents = "-p " + std::min(a, b) + " -p " + std::max(a, b);
    EXPECT_EQ(commit(how), good);
    how.parents = "-p " + std::max(a, b) + " -p " + std::min(a, b);
    EXPECT_EQ(trouble(lineage_.read(commit(how))).code, Code::corrupt);
    how.parents = "-p " + a + " -p " + b + " -p " + c;
    EXPECT_THAT(trouble(lineage_.read(commit(how))).message, HasSubstr("too many parents"));
}

// One push of a long history and of many refs into it must not cost a walk of it for each ref.
TEST_F(LineageTest, WalksARefusedHistoryOnceWhateverLeadsIntoIt) {
    ByHand how = plain();
    how.message = std::string(5000, 'x');  // libgit2 keeps no commit of this size in memory
    const Oid root = commit(how);
    how.parents = "-p " + root;
    how.parents = "-p " + commit(how);
    const Oid one = commit(how);
    how.unix_s += 1;
    const Oid other = commit(how);
    const Error first = trouble(lineage_.read(one));
    EXPECT_THAT(first.message, HasSubstr(root));
    std::filesystem::remove(folder_.file("r/.git/objects/" + root.substr(0, 2) + "/" + root.substr(2)));
    EXPECT_EQ(trouble(lineage_.read(other)).message, first.message);
    EXPECT_NE(trouble(Lineage(repo_, task_).read(other)).message, first.message) << "else this shows nothing";
}

TEST_F(LineageTest, ReadsAnAncestryOfFiveThousandCommits) {
    Oid tip;
    for (int i = 0; i < 5000; ++i)
        tip = write({{"model.layers", whole(1 + i % 32)}}, tip.empty() ? std::vector<Oid>() : std::vector<Oid>{tip});
    Lineage fresh(repo_, task_);
    EXPECT_EQ(must(fresh.read(tip)).unix_s, kCreated + 4999);
}

// Two candidates per generation, each a child of both of the generation before: 2^60 paths lead to the root.
TEST_F(LineageTest, ReadsACrissCrossOfSixtyGenerations) {
    std::vector<Oid> two = {write({{"optim.lr", 0.1}}, {}), write({{"optim.lr", 0.2}}, {})};
    for (int i = 0; i < 60; ++i) {
        Genes genes = {{"model.layers", whole(1 + i % 32)}};
        Oid first = write(genes, two);
        genes["optim.bias"] = 1.0;
        two = {first, write(genes, two)};
    }
    Lineage fresh(repo_, task_);
    EXPECT_EQ(must(fresh.read(two[1])).unix_s, kCreated + 60);
}

TEST(CandidateBranch, IsNamedByIdAndCommit) {
    const std::string id(32, 'a'), oid(40, 'b');
    std::string branch = candidate_branch(id, oid);
    EXPECT_EQ(branch, "candidates/" + id + ".bbbbbbbb");
    EXPECT_EQ(parse_candidate_branch("refs/remotes/origin/" + branch), std::pair(id, std::string(8, 'b')));
    for (std::string bad : {std::string("candidates/x"), branch + "b", branch.substr(1),
                            "refs/heads/" + id + ".bbbbbbbb", "candidates/" + std::string(32, 'A') + ".bbbbbbbb",
                            "candidates/a/" + id + ".bbbbbbbb", "candidates/" + id + "-bbbbbbbb", std::string()})
        EXPECT_EQ(parse_candidate_branch(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace cultivar
