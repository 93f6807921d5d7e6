// Tests hostile pushes to a hosting that accepts everything, with bytes that no cultivar writes. Each is refused with
// its own reason; the rest of the pool is still read, and later honest pushes arrive. With git and with libgit2.
#include <sys/resource.h>

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/index/index_fixture.h"
#include "tests/pool/support/hand.h"
#include "tests/pool/support/servers.h"

namespace cultivar {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

std::string line(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string raw(const Oid& oid) {
    std::string bytes;
    for (std::size_t i = 0; i < oid.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(oid.substr(i, 2), nullptr, 16)));
    return bytes;
}

struct Entry {
    std::string mode, name;
    Oid object;
};

class Attack : public ::testing::TestWithParam<By> {
protected:
    Attack() : home_(world_.folder()), ann_(world_.found("ann")) {
        honest_ = ann_.keep({{"optim.lr", 0.01}}, 3).candidate;
        ann_.propose();
        bea_ = std::make_unique<Hand>(world_.join("bea"));
        server_ = serve(Serve::daemon, world_.folder(), home_);
        git(world_.path("bea"), "config remote.origin.url " + server_->url(world_.hub()));
        bea_->git = transport(GetParam(), bea_->clone.repo.git_dir(), {});
    }

    // Writes an object of the hosting byte by byte.
    Oid object(const std::string& type, const std::string& bytes) {
        return line(git(world_.hub(), fmt::format("hash-object -t {} --literally -w {}", type,
                                                  world_.folder().write("bytes", bytes))));
    }
    Oid blob(const std::string& bytes) { return object("blob", bytes); }
    Oid tree(const std::vector<Entry>& entries) {
        std::string bytes;
        for (const Entry& entry : entries) bytes += entry.mode + " " + entry.name + '\0' + raw(entry.object);
        return object("tree", bytes);
    }
    Oid commit(const Oid& tree, const std::vector<Oid>& parents = {}, const std::string& message = "x",
               const std::string& time = "1795232400 +0000") {
        std::string text = "tree " + tree + "\n";
        for (const Oid& parent : parents) text += "parent " + parent + "\n";
        const std::string who = "cultivar <pool@cultivar.invalid> " + time + "\n";
        return object("commit", text + "author " + who + "committer " + who + "\n" + message + "\n");
    }
    void put(const std::string& ref, const Oid& oid) { git(world_.hub(), "update-ref " + ref + " " + oid); }
    void put_candidate(const Oid& oid) {
        put(fmt::format("refs/heads/candidates/{}.{}", std::string(32, 'a'), oid.substr(0, 8)), oid);
    }
    // Puts a pack into the hosting: a file of 64 KiB and a delta that copies it `times` times.
    Oid delta_bomb(int times) {
        const std::string script = world_.folder().write("bomb.py", R"py(
import hashlib, struct, sys, zlib
base, times = bytes(65536), int(sys.argv[1])
def number(n):
    out = b""
    while n > 127: out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def header(kind, size):
    first, size, out = kind << 4 | size & 15, size >> 4, b""
    return bytes([first | (128 if size else 0)]) + (number(size) if size else b"")
delta = number(65536) + number(65536 * times) + b"\x80" * times
oid = hashlib.sha1(b"blob 65536\0" + base).digest()
pack = b"PACK" + struct.pack(">II", 2, 2) + header(3, 65536) + zlib.compress(base)
pack += header(7, len(delta)) + oid + zlib.compress(delta)
sys.stdout.buffer.write(pack + hashlib.sha1(pack).digest())
sha = hashlib.sha1(b"blob %d\0" % (65536 * times))
for _ in range(times): sha.update(base)
sys.stderr.write(sha.hexdigest())
)py");
        return line(
            shell(fmt::format("python3 '{0}' {1} 2>&1 >'{0}.pack' && git -C '{2}' index-pack --stdin <'{0}.pack' "
                              ">/dev/null",
                              script, times, world_.hub())));
    }
    Oid plain() { return tree({{"100644", "candidate.toml", blob("")}}); }
    std::string zed(const std::string& folder) const { return "refs/heads/" + folder + "/zed.box.12345678"; }

    // Returns bea's pull error, and checks that the pool still works.
    std::string refusal() {
        const std::string said = told(bea_->pull());
        EXPECT_NE(said, "");
        EXPECT_EQ(must(bea_->index.standings()).size(), 1U);
        EXPECT_EQ(must(bea_->index.standings())[0].candidate, honest_);
        const std::string next = ann_.keep({{"optim.lr", 0.02}}, 2.5).candidate;
        ann_.propose();
        EXPECT_EQ(bea_->pull().runs, 1);
        EXPECT_EQ(must(bea_->index.standings())[0].candidate, next);
        EXPECT_TRUE(bea_->propose().refused.empty());
        return said;
    }

    World world_;
    Home home_;
    Hand ann_;
    std::string honest_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<Hand> bea_;
};

// --- Trees of candidates ----------------------------------------------------------------------------------------------

TEST_P(Attack, ByATreeThatLeadsOutOfItsFolder) {
    for (const char* name : {"../../x", "..", "a/b", "/etc/passwd"})
        put_candidate(commit(tree({{"100644", name, blob("x")}})));
    EXPECT_THAT(refusal(), HasSubstr("holds something else than candidate.toml"));
    EXPECT_FALSE(must(bea_->clone.repo.refs("refs/remotes/origin/")).empty());
}

TEST_P(Attack, ByAGitFolderInATree) {
    const Oid hooks = tree({{"100755", "pre-commit", blob("#!/bin/sh\ntouch /tmp/owned\n")}});
    for (const char* name : {".git", ".GIT", "git~1", ".git "})
        put_candidate(commit(tree({{"40000", name, hooks}, {"100644", "candidate.toml", blob("")}})));
    EXPECT_THAT(refusal(), HasSubstr("holds something else than candidate.toml"));
}

TEST_P(Attack, ByALinkAProgramASubmoduleOrAFolderInsteadOfTheFile) {
    const Oid target = blob("/etc/passwd");
    for (const auto& [mode, what] : {std::pair<std::string, Oid>{"120000", target},
                                     {"100755", target},
                                     {"160000", std::string(40, '1')},
                                     {"40000", tree({{"100644", "x", target}})}})
        put_candidate(commit(tree({{mode, "candidate.toml", what}})));
    EXPECT_THAT(refusal(), HasSubstr("holds something else than candidate.toml"));
}

TEST_P(Attack, ByTwoFilesOfOneName) {
    put_candidate(
        commit(tree({{"100644", "candidate.toml", blob("")}, {"100644", "candidate.toml", blob("optim.lr = 0.1\n")}})));
    EXPECT_THAT(refusal(), HasSubstr("holds something else than candidate.toml"));
}

TEST_P(Attack, ByATreeOfTenThousandEntries) {
    std::vector<Entry> entries;
    const Oid empty = blob("");
    for (int i = 0; i < 10'000; ++i) entries.push_back({"100644", fmt::format("{:05}", i), empty});
    put_candidate(commit(tree(entries)));
    EXPECT_THAT(refusal(), HasSubstr("more than the 4096 allowed"));
}

// --- Contents ---------------------------------------------------------------------------------------------------------

TEST_P(Attack, ByAGiantFileThatIsNeverRead) {
    rusage before{}, after{};
    const Oid giant = line(shell("head -c 50331648 /dev/zero | git -C '" + world_.hub() + "' hash-object -w --stdin"));
    put_candidate(commit(tree({{"100644", "candidate.toml", giant}})));
    ::getrusage(RUSAGE_SELF, &before);
    EXPECT_THAT(refusal(), HasSubstr("has 50331648 bytes"));
    ::getrusage(RUSAGE_SELF, &after);
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 24 << 10) << "KiB";
}

// A few bytes that copy 64 KiB of zeros 4,096 times: 256 MiB when unpacked.
TEST_P(Attack, ByADeltaThatUnfoldsToMoreThanFitsIntoMemory) {
    if (GetParam() == By::library) GTEST_SKIP() << "see GIT_OPT_SET_PACK_MAX_OBJECT_SIZE in pool/remote_talk";
#if defined(CULTIVAR_SANITIZED)
    GTEST_SKIP() << "no memory is limited under the address sanitizer";
#endif
    const Oid bomb = delta_bomb(4096);
    put_candidate(
        commit(tree({{"100644", "base", blob(std::string(65536, '\0'))}, {"100644", "candidate.toml", bomb}})));
    TransportLimits limits;
    limits.memory_bytes = 128 << 20;
    bea_->git = transport(GetParam(), bea_->clone.repo.git_dir(), limits);
    // A pattern that is too much comes in halves, down to the one ref.
    EXPECT_THAT(refusal(), ContainsRegex("origin/candidates/a+\\.[0-9a-f]+: stopped talking to the remote: its "
                                         "answer does not fit into"));
}

TEST_P(Attack, ByTomlThatIsDeepEndlessOrNoText) {
    std::string keys = "a";
    for (int i = 0; i < 20'000; ++i) keys += ".a";
    const std::map<std::string, std::string> texts = {{"deep", "x = " + std::string(30'000, '[')},
                                                      {"keys", keys + " = 1\n"},
                                                      {"bytes", std::string("\xff\xfe\x00\x01", 4)},
                                                      {"tables", "[a]\n[a]\n"}};
    for (const auto& [name, text] : texts) put_candidate(commit(tree({{"100644", "candidate.toml", blob(text)}})));
    EXPECT_THAT(refusal(), AllOf(HasSubstr("nested too deep"), HasSubstr("candidate.toml:1:1")));
}

TEST_P(Attack, ByTheSameGenesWrittenAnotherWay) {
    for (const char* text : {"optim.lr=0.02\n", "optim.lr = 2e-2\n", "# mine\noptim.lr = 0.02\n", "optim.lr = 0.02\n\n",
                             "[optim]\nlr = 0.02\n", "optim.lr = 0.02"})
        put_candidate(commit(tree({{"100644", "candidate.toml", blob(text)}})));
    EXPECT_THAT(refusal(), HasSubstr("not in canonical form"));
}

// --- Commits ----------------------------------------------------------------------------------------------------------

TEST_P(Attack, ByACommitThatIsNotTheOneOfItsContent) {
    put_candidate(commit(plain(), {}, "another message"));
    put_candidate(commit(plain(), {}, "x", "99999999999 +0000"));
    put_candidate(commit(plain(), {}, "x", "0 -9959"));
    EXPECT_THAT(refusal(), HasSubstr("is not the commit of its candidate and parents"));
}

TEST_P(Attack, ByACommitOfManyParents) {
    std::vector<Oid> parents;
    for (int i = 0; i < 300; ++i) parents.push_back(commit(plain(), {}, std::to_string(i)));
    put_candidate(commit(plain(), parents));
    EXPECT_THAT(refusal(), HasSubstr("has too many parents"));
}

TEST_P(Attack, ByAMessageOfMegabytes) {
    put_candidate(commit(plain(), {}, std::string(4 << 20, 'm')));
    EXPECT_THAT(refusal(), HasSubstr("more than the 1048576 allowed"));
}

TEST_P(Attack, ByATagOrAFileWhereACommitBelongs) {
    const Oid main = line(git(world_.hub(), "rev-parse main"));
    const Oid tag = object("tag", "object " + main + "\ntype commit\ntag x\ntagger x <x@x> 1795232400 +0000\n\nx\n");
    for (const char* folder : {"candidates", "journal"}) {
        const std::string name =
            folder == std::string("journal") ? "zed.box.12345678" : std::string(32, 'b') + "." + tag.substr(0, 8);
        // git does not put other objects than commits on branches, so the ref is written by hand.
        world_.folder().write(fmt::format("hub.git/refs/heads/{}/{}", folder, name), tag + "\n");
    }
    const std::string said = told(bea_->pull());
    EXPECT_THAT(said, HasSubstr("journal/zed.box.12345678"));
    EXPECT_EQ(must(bea_->index.standings()).size(), 1U);
}

// --- Names ------------------------------------------------------------------------------------------------------------

// Four of them come, which are told, and no other.
TEST_P(Attack, ByTwoThousandBranchesOfOneCommit) {
    const Oid oid = commit(plain());
    std::string commands;
    for (int i = 0; i < 2000; ++i)
        commands += fmt::format("create refs/heads/candidates/{:032x}.{} {}\n", i, oid.substr(0, 8), oid);
    git(world_.hub(), "update-ref --stdin < " + world_.folder().write("commands", commands));
    const PullReport first = bea_->pull();
    EXPECT_EQ(first.refused.size(), 4U);
    EXPECT_EQ(first.left, 1996U);
    const std::string next = ann_.keep({{"optim.lr", 0.02}}, 2.5).candidate;
    ann_.propose();
    const PullReport came = bea_->pull();
    EXPECT_EQ(came.runs, 1);
    EXPECT_TRUE(came.refused.empty());
    EXPECT_EQ(must(bea_->index.standings())[0].candidate, next);
}

TEST_P(Attack, ByBranchesBelowTheNameOfAnother) {
    Hand cid(world_.join("cid"));
    const std::string name = "refs/heads/journal/" + cid.clone.writer;
    put(name + "/x", line(git(world_.hub(), "rev-parse main")));
    put("refs/heads/archive/x", line(git(world_.hub(), "rev-parse main")));
    EXPECT_THAT(told(bea_->pull()), HasSubstr("is not a writer's name"));
    git(world_.hub(), "update-ref -d " + name + "/x");
    git(world_.hub(), "update-ref -d refs/heads/archive/x");
    cid.keep({{"optim.lr", 0.05}}, 2.0);
    cid.propose();
    const PullReport came = bea_->pull();
    EXPECT_EQ(told(came), "");
    EXPECT_EQ(came.runs, 1);
}

// A pull asks for more than the one branch `archive`.
TEST_P(Attack, ByBranchesThatResembleTheArchive) {
    const std::vector<std::string> names = {"refs/heads/archive/x", "refs/heads/archive-of-mine"};
    for (const std::string& name : names) {
        put(name, line(git(world_.hub(), "rev-parse main")));
        EXPECT_THAT(told(bea_->pull()), HasSubstr("is no branch of a pool"));
        EXPECT_EQ(told(bea_->pull()), "");
    }
    for (const std::string& name : names) git(world_.hub(), "update-ref -d " + name);
    bea_->pull();
    EXPECT_EQ(git(world_.path("bea"), "for-each-ref 'refs/remotes/origin/archiv*' 'refs/remotes/origin/archive/*'"),
              "");
}

// Nobody's refs keep a verifier's ledger or a candidate away from those who had met the squatter, nor pass for theirs.
TEST_P(Attack, ByBranchesBelowALedgerOrACandidate) {
    const Oid main = line(git(world_.hub(), "rev-parse main"));
    const std::string find = ann_.keep({{"optim.lr", 0.05}}, 2.0).candidate;
    const Oid commit = must(ann_.index.commit_of(find)).oid;
    const std::vector<std::string> names = {ann_.clone.ledger_ref() + "/x",
                                            "refs/heads/" + candidate_branch(find, commit) + "/x"};
    for (const std::string& name : names) put(name, main);
    const std::string said = told(bea_->pull());
    EXPECT_THAT(said, AllOf(HasSubstr("is not a writer's name"), HasSubstr("is not a candidate's branch")));
    EXPECT_EQ(must(bea_->index.totals()).accepted, 0);
    for (const std::string& name : names) git(world_.hub(), "update-ref -d " + name);
    Hand cid(world_.join("cid"));
    const auto claimed = cid.keep({{"optim.lr", 0.06}}, 2.1);
    cid.propose();
    ann_.pull();
    Verdict verdict;
    verdict.claim = must(ann_.index.claims(claimed.candidate)).at(0).id, verdict.task = ann_.clone.task_id;
    verdict.candidate = claimed.candidate, verdict.artifact = claimed.artifact, verdict.reason = "because";
    verdict.result = VerdictResult::accepted, verdict.tier = Tier::rescore, verdict.verifier = ann_.clone.writer;
    verdict.at = "2026-11-21T06:00:00Z", verdict.slice = std::string(64, '4');
    must(append_log(ann_.clone.repo, ann_.clone.ledger_ref(), {to_line(verdict)}, ann_.clone.identity(),
                    ann_.clone.key));
    ann_.propose();
    EXPECT_EQ(told(bea_->pull()), "");
    EXPECT_EQ(must(bea_->index.totals()).accepted, 1);
    EXPECT_EQ(must(bea_->index.candidate(find))->commits, std::vector<Oid>{commit});
}

// The hosting takes no ref beside one that lies below it: whoever is kept away hears by what.
TEST_P(Attack, ByABranchThatKeepsAnothersAwayThere) {
    Hand cid(world_.join("cid"));
    git(world_.path("cid"), "config remote.origin.url " + server_->url(world_.hub()));
    cid.git = transport(GetParam(), cid.clone.repo.git_dir(), {});
    const std::string squatter = cid.clone.journal_ref() + "/x";
    put(squatter, line(git(world_.hub(), "rev-parse main")));
    cid.keep({{"optim.lr", 0.05}}, 2.0);
    const ProposeReport kept_away = cid.propose();
    ASSERT_FALSE(kept_away.refused.empty());
    EXPECT_THAT(kept_away.refused[0].reason, HasSubstr("the branch '" + squatter + "' there keeps it away"));
    EXPECT_THAT(kept_away.hint, HasSubstr("git push origin :" + squatter + " && cultivar propose"));
    git(world_.hub(), "update-ref -d " + squatter);
    EXPECT_TRUE(cid.propose().refused.empty());
    EXPECT_EQ(bea_->pull().runs, 1);
}

// Whoever met the rubbish reads the log of that name all the same, once the hosting has the right one.
TEST_P(Attack, ByRubbishUnderTheNameOfALogThatIsToCome) {
    Hand cid(world_.join("cid"));
    put(cid.clone.journal_ref(), line(git(world_.hub(), "rev-parse main")));
    EXPECT_THAT(told(bea_->pull()), HasSubstr("is signed by another key"));
    git(world_.hub(), "update-ref -d " + cid.clone.journal_ref());
    cid.keep({{"optim.lr", 0.05}}, 2.0);
    EXPECT_TRUE(cid.propose().refused.empty());
    const PullReport came = bea_->pull();
    EXPECT_EQ(told(came), "");
    EXPECT_EQ(came.runs, 1);
}

TEST_P(Attack, ByAnArchiveOfOnesOwn) {
    // It would remove others' candidates from their branches.
    const auto kept = must(bea_->index.candidate(honest_));
    ASSERT_EQ(kept->commits.size(), 1U);
    const Oid empty = object("tree", "");
    put("refs/heads/archive-of-mine", commit(empty, {kept->commits[0]}));
    bea_->pull();
    EXPECT_TRUE(must(bea_->index.archived()).empty());
    EXPECT_EQ(must(bea_->clone.repo.refs("refs/remotes/origin/candidates/")).size(), 1U);
}

TEST_P(Attack, ByNamesThatSpeakToTheTerminal) {
    // git allows bytes above 127 in names, such as marks that reverse the direction of text.
    put("refs/heads/candidates/\xe2\x80\xae" + std::string(8, 'a'), commit(plain()));
    EXPECT_THAT(refusal(), HasSubstr("is not a candidate's branch"));
}

TEST_P(Attack, ByAnIdThatBeginsLikeAnothers) {
    // Two ids with 24 equal bits are found at once.
    std::map<std::string, Genes> seen;
    std::pair<Genes, Genes> alike;
    for (int i = 1; alike.first.empty(); ++i) {
        const Genes genes = {{"optim.bias", 1e-6 * i}};
        auto made = make_candidate(ann_.clone.task.space, ann_.clone.task_id, genes);
        if (!made) continue;
        auto [at, fresh] = seen.emplace(made->id.substr(0, 6), genes);
        if (!fresh) alike = {at->second, genes};
    }
    const std::string one = ann_.keep(alike.first, 2.2).candidate, two = ann_.keep(alike.second, 2.1).candidate;
    ann_.propose();
    bea_->pull();
    const Error error = trouble(bea_->index.resolve_candidate(one.substr(0, 6)));
    EXPECT_THAT(error.message,
                AllOf(HasSubstr("ambiguous"), HasSubstr(one.substr(0, 12)), HasSubstr(two.substr(0, 12))));
    EXPECT_EQ(must(bea_->index.resolve_candidate(one.substr(0, 16))), one);
    EXPECT_EQ(must(bea_->index.standings()).size(), 3U);
}

// --- Journals and archives --------------------------------------------------------------------------------------------

TEST_P(Attack, ByAJournalThatNobodySigned) {
    const Oid lines = blob("{}\n");
    int number = 0;
    for (const Oid& seg : {tree({{"120000", "000000.jsonl", lines}}), tree({{"100644", "../000000.jsonl", lines}}),
                           tree({{"100644", "000001.jsonl", lines}}), tree({{"40000", "000000.jsonl", plain()}})})
        put(fmt::format("refs/heads/journal/zed.box.1234567{}", number++), commit(tree({{"40000", "seg", seg}})));
    EXPECT_THAT(refusal(), HasSubstr("journal/zed.box.12345673: is not signed by its writer"));
}

TEST_P(Attack, ByAnArchiveOfAThousandParentsThatAreNone) {
    const Oid empty = object("tree", "");
    std::vector<Oid> parents;
    for (int i = 0; i < 1000; ++i) parents.push_back(commit(plain(), {}, std::to_string(i)));
    put("refs/heads/archive", commit(empty, parents));
    EXPECT_THAT(refusal(), HasSubstr("is not the commit of its candidate and parents"));
}

TEST_P(Attack, ByAnArtifactThatIsALinkOrTooLarge) {
    const auto run = must(bea_->index.runs(honest_)).at(0);
    const std::string ref = "refs/artifacts/" + run.run.artifact;
    put(ref, commit(tree({{"120000", "weights", blob("/etc/passwd")}})));
    EXPECT_THAT(trouble(load_artifact(bea_->clone, bea_->git.get(), run.run.artifact)).message,
                HasSubstr("not a plain file"));
    put(ref, commit(tree({{"100644", "weights", blob(std::string(20 << 20, '#'))}})));
    EXPECT_THAT(trouble(load_artifact(bea_->clone, bea_->git.get(), run.run.artifact)).message,
                HasSubstr("has 20971520 bytes"));
}

INSTANTIATE_TEST_SUITE_P(Every, Attack, ::testing::Values(By::program, By::library),
                         [](const auto& by) { return by.param == By::program ? "ByGit" : "ByLibgit2"; });

}  // namespace
}  // namespace cultivar
