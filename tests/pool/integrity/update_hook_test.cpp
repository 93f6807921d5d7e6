#include "pool/integrity/update_hook.h"

#include <functional>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/integrity/push_size.h"
#include "pool/lineage/candidate_commits.h"
#include "pool/process/communicate.h"
#include "pool/storage/artifact_commit.h"
#include "pool/storage/segment_log.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

// Pushed objects are in a clone of the pool; the update hook reads them there as a host would after a push.
class GatekeeperTest : public ::testing::Test {
protected:
    GatekeeperTest() : clone_(world_.found("owner", small_cap())), lineage_(clone_.repo, clone_.task) {}

    static Task small_cap() {
        Task task = tiny_task();
        task.artifact_cap_bytes = 1000;
        return task;
    }
    Candidate make(const Genes& changes) { return must(make_candidate(clone_.task.space, clone_.task_id, changes)); }
    CandidateCommit write(const Genes& changes, const std::vector<Oid>& parents = {}) {
        return must(lineage_.write(make(changes), parents));
    }
    static std::string branch(const CandidateCommit& commit) {
        return "refs/heads/" + candidate_branch(commit.candidate.id, commit.oid);
    }
    std::string answer(const std::string& ref, const Oid& before, const Oid& after, bool may_delete = false) {
        auto checked = check_update(clone_.repo, {ref, before, after}, may_delete);
        return checked ? "" : checked.error().message;
    }
    // Returns the refusal of a hand-made commit under a candidate's name that fits it.
    std::string answer_by_hand(const std::vector<std::pair<std::string, std::string>>& files,
                               const std::string& mode = "100644", const std::string& parent = "") {
        Oid oid = commit_by_hand(world_.path("owner"), "refs/heads/x", files, parent, mode);
        return answer(fmt::format("refs/heads/candidates/{}.{:.8}", make({}).id, oid), "", oid);
    }
    Oid append(const std::string& ref, const std::vector<std::string>& lines, const Signer& signer) {
        return must(append_log(clone_.repo, ref, lines, clone_.identity(), signer));
    }
    Key stranger() { return must(Key::load_or_create(world_.path("stranger.pem"))); }

    World world_;
    Clone clone_;
    Lineage lineage_;
};

TEST_F(GatekeeperTest, LetsCandidatesIn) {
    CandidateCommit root = write({{"optim.lr", 0.1}}), other = write({{"optim.bias", 1.0}});
    CandidateCommit child = write({{"optim.lr", 0.2}}, {root.oid}),
                    both = write({{"optim.lr", 0.3}}, {child.oid, other.oid});
    for (const CandidateCommit& commit : {root, child, both}) EXPECT_EQ(answer(branch(commit), "", commit.oid), "");
}

TEST_F(GatekeeperTest, RefusesToMoveACandidatesBranch) {
    CandidateCommit root = write({}), child = write({{"optim.lr", 0.2}}, {root.oid});
    EXPECT_THAT(answer(branch(root), root.oid, child.oid), HasSubstr("never moves"));
}

TEST_F(GatekeeperTest, RefusesACandidateUnderAnotherName) {
    CandidateCommit one = write({}), two = write({{"optim.lr", 0.2}});
    EXPECT_THAT(answer(branch(one), "", two.oid), HasSubstr("but holds"));
    EXPECT_THAT(answer(fmt::format("refs/heads/candidates/{}.{:.8}", one.candidate.id, two.oid), "", two.oid),
                HasSubstr("not to its name"));
    EXPECT_THAT(answer("refs/heads/candidates/mine", "", two.oid), HasSubstr("is not candidates/<id>.<commit>"));
    EXPECT_THAT(answer("refs/heads/candidates/a/" + candidate_branch(two.candidate.id, two.oid), "", two.oid),
                HasSubstr("is not candidates/<id>.<commit>"));
}

TEST_F(GatekeeperTest, RefusesATreeThatIsNotOneCanonicalFile) {
    EXPECT_THAT(answer_by_hand({{"candidate.toml", ""}, {"run.sh", "x"}}), HasSubstr("something else than"));
    EXPECT_THAT(answer_by_hand({{"candidate.toml", ""}}, "100755"), HasSubstr("something else than"));
    EXPECT_THAT(answer_by_hand({{"candidate.toml", "x"}}, "120000"), HasSubstr("something else than"));
    EXPECT_THAT(answer_by_hand({{"candidate.toml", "optim.lr  = 0.1\n"}}), HasSubstr("canonical"));
    EXPECT_THAT(answer_by_hand({{"candidate.toml", "no.such = 1\n"}}), HasSubstr("no.such"));
    EXPECT_THAT(answer_by_hand({{"candidate.toml", std::string(kMaxCandidateBytes + 1, '#')}}), HasSubstr("bytes"));
    EXPECT_THAT(answer_by_hand({{"candidate.toml", ""}}), HasSubstr("not written by cultivar"));
}

TEST_F(GatekeeperTest, RefusesAParentThatIsNoCandidate) {
    Candidate candidate = make({{"optim.lr", 0.1}});
    Oid blob = must(clone_.repo.write_blob(candidate.toml));
    Oid tree = must(clone_.repo.write_tree({{"candidate.toml", blob, false, true}}));
    auto commit_on = [&](std::vector<Oid> parents, std::int64_t unix_s, const std::string& more) {
        Oid oid = must(clone_.repo.write_commit({tree,
                                                 std::move(parents),
                                                 {"cultivar", "pool@cultivar.invalid", unix_s},
                                                 more + "\nCandidate: " + candidate.id + "\n"}));
        return answer("refs/heads/" + candidate_branch(candidate.id, oid), "", oid);
    };
    const std::int64_t created = must(parse_utc(clone_.task.created));
    EXPECT_EQ(commit_on({}, created, "x\n"), "");
    EXPECT_THAT(commit_on({clone_.main}, created + 1, "x\n"), HasSubstr("is no candidate"));
    EXPECT_THAT(commit_on({}, created + 1, "x\n"), HasSubstr("date"));
    EXPECT_THAT(commit_on({}, created, std::string(100'000, 'x')), HasSubstr("too large"));
}

TEST_F(GatekeeperTest, NeedsMainBeforeACandidate) {
    CandidateCommit root = write({});
    must(clone_.repo.delete_ref("refs/heads/main"));
    EXPECT_THAT(answer(branch(root), "", root.oid), HasSubstr("push it first"));
}

TEST_F(GatekeeperTest, LetsAJournalGrowAndNothingElse) {
    const std::string ref = clone_.journal_ref();
    const std::vector<std::string> many(150, "{}");
    Oid first = append(ref, many, clone_.key), second = append(ref, {"{\"a\":1}"}, clone_.key);
    EXPECT_EQ(answer(ref, "", first), "");
    EXPECT_EQ(answer(ref, first, second), "");
    EXPECT_THAT(answer(ref, second, first), HasSubstr("was rewound"));
    EXPECT_THAT(answer(ref, second, ""), HasSubstr("never deleted"));
    Oid rewritten = commit_by_hand(world_.path("owner"), "refs/heads/x", {{"seg/000000.jsonl", "{}\n"}}, second);
    EXPECT_THAT(answer(ref, second, rewritten), HasSubstr("not signed"));
}

TEST_F(GatekeeperTest, RefusesAJournalOfAnotherKeyOrShape) {
    const std::string ref = clone_.journal_ref();
    Oid forged = append(ref, {"{}"}, stranger());
    EXPECT_THAT(answer(ref, "", forged), HasSubstr("another key than its name says"));
    EXPECT_THAT(answer("refs/heads/journal/eve", "", forged), HasSubstr("is not name.machine"));
    Oid blob = must(clone_.repo.write_blob("{}"));
    Oid seg = must(clone_.repo.write_tree({{"000000.jsonl", blob, false, true}}));
    Oid tree = must(clone_.repo.write_tree({{"seg", seg, true, false}}));
    Oid torn = must(clone_.repo.write_commit({tree, {}, clone_.identity(), "x\n"}, &clone_.key));
    EXPECT_THAT(answer(ref, "", torn), HasSubstr("line feed"));
}

TEST_F(GatekeeperTest, RefusesALogThatNamesOneFileTwice) {
    Oid blob = must(clone_.repo.write_blob(std::string(1000, 'x') + "\n"));
    std::vector<TreeEntry> entries;
    for (int i = 0; i < 300; ++i) entries.push_back({fmt::format("{:06}.jsonl", i), blob, false, true});
    Oid tree = must(clone_.repo.write_tree({{"seg", must(clone_.repo.write_tree(entries)), true, false}}));
    Oid bomb = must(clone_.repo.write_commit({tree, {}, clone_.identity(), "x\n"}, &clone_.key));
    EXPECT_THAT(answer(clone_.journal_ref(), "", bomb), HasSubstr("one file under two names"));
}

TEST_F(GatekeeperTest, RefusesALogFullOfLinesThatAreNoRecords) {
    const std::string ref = clone_.journal_ref();
    std::vector<std::string> lines;
    for (int i = 0; i < 1500; ++i) lines.push_back(fmt::format("rubbish {}", i));
    EXPECT_THAT(answer(ref, "", append(ref, lines, clone_.key)), HasSubstr("no records"));
    Oid before = *must(clone_.repo.ref(ref));
    EXPECT_EQ(answer(ref, before, append(ref, {"{\"v\":9,\"type\":\"run\"}", "one bad line"}, clone_.key)), "");
}

// 300 MiB of segments in a log of a later format: each is read, and none stays in memory.
TEST_F(GatekeeperTest, ReadsALargeLogInLittleMemory) {
    std::vector<std::string> lines;
    const std::string ref = clone_.journal_ref();
    for (int segment = 0; segment < 12; ++segment) {
        lines.clear();
        for (int i = 0; i < 100; ++i)
            lines.push_back(fmt::format("{{\"v\":9,\"type\":\"run\",\"n\":{},\"x\":\"{}\"}}", segment * 100 + i,
                                        std::string(260'000, 'x')));
        append(ref, lines, clone_.key);
    }
    lines = {};
    const Oid tip = *must(clone_.repo.ref(ref));
    EXPECT_EQ(update_memory_bytes(clone_.repo), 256 << 20);
    Child child = must(Child::copy(
        [&] {
            auto repo = Repo::discover(world_.path("owner"));
            return repo && check_update(*repo, {ref, "", tip}, false) ? 0 : 1;
        },
        {update_memory_bytes(clone_.repo), 0, 0}));
    EXPECT_EQ(must(communicate(child, {}, {})).exit_code, 0);
}

TEST_F(GatekeeperTest, ComparesWholeKeysWhereTheNameOfAWriterShowsEightDigits) {
    const auto [one, other] = keys_alike(world_.folder());
    const std::string writer = fmt::format("eve.machine.{:.8}", one.fingerprint()),
                      ref = "refs/heads/journal/" + writer;
    const Oid first = append(ref, {"{}"}, one);
    EXPECT_EQ(answer(ref, "", first), "");
    const std::string ledger = "refs/heads/ledger/" + writer;
    const Oid forged = append(ledger, {"{}"}, other);
    EXPECT_THAT(answer(ledger, "", forged), HasSubstr("signed by another key than '" + ref));
    must(clone_.repo.delete_ref(ledger));
    EXPECT_THAT(answer("refs/heads/proposal/" + writer, "", forged), HasSubstr("signed by another key than '" + ref));
}

TEST_F(GatekeeperTest, TakesLedgersOfVerifiersOnly) {
    Oid ours = append(clone_.ledger_ref(), {"{}"}, clone_.key);
    EXPECT_EQ(answer(clone_.ledger_ref(), "", ours), "");
    Key other = stranger();
    const std::string ref = fmt::format("refs/heads/ledger/eve.machine.{:.8}", other.fingerprint());
    Oid theirs = append(ref, {"{}"}, other);
    EXPECT_THAT(answer(ref, "", theirs), HasSubstr("not signed by a verifier of this pool"));
}

// Its commit may name any time.
TEST_F(GatekeeperTest, TakesNoVerdictOfAKeyThatExpiredByTheClockOfTheHosting) {
    const Oid ours = append(clone_.ledger_ref(), {"{}"}, clone_.key);
    const std::int64_t dated_s = must(clone_.repo.read_commit(ours)).author.unix_s;
    must(clone_.commit_main(
        {{"allowed_signers", clone_.writer + " valid-before=\"20990101Z\" " + clone_.key.public_text() + "\n"}},
        "End"));
    RefUpdate update{clone_.ledger_ref(), "", ours};
    ASSERT_LT(dated_s, 4'070'908'800);
    update.now_s = 4'070'908'799;
    EXPECT_TRUE(check_update(clone_.repo, update, false));
    update.now_s = 4'070'908'801;
    EXPECT_THAT(trouble(check_update(clone_.repo, update, false)).message, HasSubstr("expired at 2099-01-01"));
}

TEST_F(GatekeeperTest, LetsAnArtifactInThatHashesToItsName) {
    const std::string bytes(1000, 'w'), digest = sha256_hex(bytes);
    must(store_artifact(clone_.repo, digest, bytes));
    const std::string ref = artifact_ref(digest);
    Oid oid = *must(clone_.repo.ref(ref));
    EXPECT_EQ(answer(ref, "", oid), "");
    EXPECT_THAT(answer(ref, oid, clone_.main), HasSubstr("never changes"));
    EXPECT_THAT(answer(artifact_ref(std::string(64, '0')), "", oid), HasSubstr("is not an artifact's"));
    const std::string false_name(64, 'a');
    must(store_artifact(clone_.repo, false_name, bytes));
    EXPECT_THAT(answer(artifact_ref(false_name), "", *must(clone_.repo.ref(artifact_ref(false_name)))),
                HasSubstr("does not hash"));
    const std::string large(1001, 'w'), large_digest = sha256_hex(large);
    must(store_artifact(clone_.repo, large_digest, large));
    EXPECT_THAT(answer(artifact_ref(large_digest), "", *must(clone_.repo.ref(artifact_ref(large_digest)))),
                HasSubstr("the pool allows 1000"));
}

TEST_F(GatekeeperTest, MovesMainForwardWithinThePoolsRules) {
    const Oid before = clone_.main;
    must(clone_.commit_main({{"README", "hello\n"}}, "Say hello"));
    EXPECT_EQ(answer("refs/heads/main", "", before), "");
    EXPECT_EQ(answer("refs/heads/main", before, clone_.main), "");
    EXPECT_THAT(answer("refs/heads/main", clone_.main, before), HasSubstr("rewinds"));
    const Oid hello = clone_.main;
    std::vector<Gene> genes = tiny_genes();
    genes.pop_back();
    Task poorer = small_cap();
    poorer.space = must(Space::make(genes, tiny_constraints()));
    must(clone_.commit_main({{"pool.toml", to_toml(poorer)}}, "Lose a gene"));
    EXPECT_THAT(answer("refs/heads/main", hello, clone_.main), HasSubstr("lost the gene"));
    must(clone_.commit_main({{"pool.toml", "format = 1\nname = 3\n"}}, "Break it"));
    EXPECT_NE(answer("refs/heads/main", hello, clone_.main), "");
    must(clone_.commit_main({{"pool.toml", to_toml(small_cap())},
                             {"allowed_signers", "ann cert-authority " + clone_.key.public_text() + "\n"}},
                            "Trust an authority"));
    EXPECT_THAT(answer("refs/heads/main", hello, clone_.main), HasSubstr("cert-authority"));
}

TEST_F(GatekeeperTest, KeepsTheArchiveGrowingAndEmpty) {
    const std::string ref = "refs/heads/archive";
    Oid empty = must(clone_.repo.write_tree({}));
    Oid first = must(clone_.repo.write_commit({empty, {}, clone_.identity(), "1\n"}, &clone_.key));
    Oid second = must(clone_.repo.write_commit({empty, {first}, clone_.identity(), "2\n"}, &clone_.key));
    EXPECT_EQ(answer(ref, "", first), "");
    EXPECT_EQ(answer(ref, first, second), "");
    EXPECT_THAT(answer(ref, second, first), HasSubstr("rewinds"));
    EXPECT_THAT(answer(ref, "", clone_.main), HasSubstr("holds files"));
}

TEST_F(GatekeeperTest, TakesAnArchiveThatIsSignedAndCarriesCandidatesAndJournalsAlone) {
    const std::string ref = "refs/heads/archive";
    const Oid empty = must(clone_.repo.write_tree({}));
    const Oid journal = append("refs/heads/journal/" + clone_.writer, {"{}"}, clone_.key);
    const Oid forged = append("refs/heads/x", {"{}"}, stranger());
    const CandidateCommit one = write({{"optim.lr", 0.1}}), two = write({{"optim.lr", 0.2}}, {one.oid});
    auto archive = [&](std::vector<Oid> parents, const Signer* signer) {
        return must(clone_.repo.write_commit({empty, std::move(parents), clone_.identity(), "x\n"}, signer));
    };
    const Oid first = archive({journal, one.oid}, &clone_.key), second = archive({first, two.oid}, &clone_.key);
    EXPECT_EQ(answer(ref, "", second), "");
    EXPECT_EQ(answer(ref, first, second), "");
    const Oid unsigned_one = archive({first}, nullptr);
    EXPECT_THAT(answer(ref, first, unsigned_one), HasSubstr("is not signed"));
    EXPECT_THAT(answer(ref, first, archive({unsigned_one, two.oid}, &clone_.key)), HasSubstr("is not signed"));
    EXPECT_THAT(answer(ref, first, archive({first, clone_.main}, &clone_.key)), HasSubstr("carries something else"));
    EXPECT_THAT(answer(ref, first, archive({first, forged}, &clone_.key)), HasSubstr("signed by another key"));
    const Oid bad = commit_by_hand(world_.path("owner"), "refs/heads/y", {{"candidate.toml", "no.such = 1\n"}});
    EXPECT_THAT(answer(ref, first, archive({first, bad}, &clone_.key)), HasSubstr("no.such"));
}

// A proposal made by `propose --pr` in another clone, checked in the repository of its branch.
class ProposalTest : public GatekeeperTest {
protected:
    ProposalTest() {
        git(world_.path("owner"), "push -q origin main");
        bob_ = std::make_unique<Hand>(world_.join("bob"));
    }
    Oid propose() {
        EXPECT_THAT(bob_->propose({}, {"", true}).refused, ::testing::IsEmpty());
        return git(world_.hub(), "rev-parse " + ref()).substr(0, 40);
    }
    std::string ref() const { return "refs/heads/proposal/" + bob_->clone.writer; }
    std::string at_hub(const Oid& before, const Oid& after, const std::string& name = "") {
        Repo hub = must(Repo::discover(world_.hub()));
        auto checked = check_update(hub, {name.empty() ? ref() : name, before, after}, false);
        return checked ? "" : checked.error().message;
    }
    // Pushes the proposal's commit after a change, signed again by `signer`.
    Oid changed(const Oid& from, const std::function<void(Commit&)>& change, const Signer* signer) {
        Commit commit = must(bob_->clone.repo.read_commit(from));
        change(commit);
        const Oid oid = must(bob_->clone.repo.write_commit(commit, signer));
        git(world_.path("bob"), fmt::format("push -q -f origin {}:refs/heads/x", oid));
        return oid;
    }

    std::unique_ptr<Hand> bob_;
};

TEST_F(ProposalTest, IsLetInAndGrows) {
    bob_->keep({{"optim.lr", 0.1}}, 2.0);
    const Oid first = propose();
    EXPECT_EQ(at_hub("", first), "");
    bob_->keep({{"optim.lr", 0.2}}, 1.9);
    const Oid second = propose();
    EXPECT_EQ(at_hub(first, second), "");
    EXPECT_EQ(at_hub("", second), "");
    EXPECT_THAT(at_hub(second, first), HasSubstr("rewinds"));
    EXPECT_THAT(at_hub(second, ""), HasSubstr("only maintainers delete"));
}

TEST_F(ProposalTest, IsRefusedUnderAnotherName) {
    bob_->keep({{"optim.lr", 0.1}}, 2.0);
    const Oid first = propose();
    EXPECT_THAT(at_hub("", first, "refs/heads/proposal/" + clone_.writer), HasSubstr("another key than its name says"));
    EXPECT_THAT(at_hub("", first, "refs/heads/proposal/bob"), HasSubstr("is not name.machine"));
}

TEST_F(ProposalTest, IsRefusedWhenItCarriesAnythingElse) {
    bob_->keep({{"optim.lr", 0.1}}, 2.0);
    const Oid first = propose();
    const Key& key = bob_->clone.key;
    const Key other = stranger();
    Repo& repo = bob_->clone.repo;
    const std::string theirs = fmt::format("eve.machine.{:.8}", other.fingerprint());
    const Oid foreign = must(append_log(repo, "refs/heads/y", {"{}"}, {theirs, "e@example.org", 1795232400}, other));
    const Oid large = must(repo.write_blob(std::string(1001, 'w')));
    const std::string digest = sha256_hex(std::string(1001, 'w'));
    const Oid weights = must(repo.write_commit({must(repo.write_tree({{"weights", large, false, true}})),
                                                {},
                                                {"cultivar", "pool@cultivar.invalid", 0},
                                                fmt::format("artifact {}\n", digest)}));
    const Oid hand = commit_by_hand(world_.path("bob"), "refs/heads/z", {{"candidate.toml", ""}});
    const Oid junk = commit_by_hand(world_.path("bob"), "refs/heads/j", {{"virus", "x"}});
    const Oid main2 = commit_by_hand(world_.path("bob"), "refs/heads/m", {{"pool.toml", "format = 1\n"}});
    const Oid blob = must(repo.write_blob("x"));
    const std::pair<std::function<void(Commit&)>, const char*> cases[] = {
        {[&](Commit& c) { c.parents.push_back(foreign); }, "carries one journal"},
        {[&](Commit& c) { c.parents[1] = foreign; }, "its own writer's journal"},
        {[&](Commit& c) { c.parents.push_back(weights); }, "the pool allows 1000"},
        {[&](Commit& c) { c.parents.push_back(hand); }, "not written by cultivar"},
        {[&](Commit& c) { c.parents.push_back(junk); }, "something else than its writer's finds"},
        {[&](Commit& c) { c.parents.push_back(main2); }, "something else than its writer's finds"},
        {[&](Commit& c) { c.parents[0] = main2; }, "on a commit of main that is here"},
        {[&](Commit& c) { c.parents.erase(c.parents.begin()); }, "on a commit of main that is here"},
        {[&](Commit& c) { c.message.append(70'000, 'x'); }, "too large"},
        {[&](Commit& c) {
             auto entries = must(repo.read_tree(c.tree));
             entries[0].oid = blob;
             c.tree = must(repo.write_tree(entries));
         },
         "files are main's"},
        {[&](Commit& c) {
             auto entries = must(repo.read_tree(c.tree));
             entries.push_back({"README", blob, false, true});
             c.tree = must(repo.write_tree(entries));
         },
         "files are main's"},
    };
    for (const auto& [change, why] : cases) EXPECT_THAT(at_hub("", changed(first, change, &key)), HasSubstr(why));
    auto nothing = [](Commit&) {};
    EXPECT_EQ(at_hub("", changed(first, nothing, &key)), "");
    EXPECT_THAT(at_hub("", changed(first, nothing, nullptr)), HasSubstr("is not signed"));
    EXPECT_THAT(at_hub("", changed(first, nothing, &other)), HasSubstr("another key"));
}

TEST_F(GatekeeperTest, RefusesWhatIsNoPartOfAPool) {
    for (const char* ref : {"refs/heads/work", "refs/tags/v1", "refs/heads/main2", "refs/notes/commits"})
        EXPECT_THAT(answer(ref, "", clone_.main), HasSubstr("a pool has no ref")) << ref;
}

TEST_F(GatekeeperTest, LetsMaintainersDeleteWhatIsArchived) {
    CandidateCommit root = write({});
    EXPECT_THAT(answer(branch(root), root.oid, ""), HasSubstr("only maintainers delete"));
    EXPECT_EQ(answer(branch(root), root.oid, "", true), "");
    EXPECT_THAT(answer("refs/heads/main", clone_.main, "", true), HasSubstr("never deleted"));
    EXPECT_THAT(answer("refs/heads/archive", clone_.main, "", true), HasSubstr("never deleted"));
}

// Each ref is below its limits, but a push may move many.
TEST_F(GatekeeperTest, CountsWhatAWholePushUnfoldsTo) {
    const std::string line(600, 'x'), journal = "refs/heads/journal/a.box.12345678";
    const Oid before = append(journal, {line}, clone_.key), after = append(journal, {line}, clone_.key);
    const Oid other = append("refs/heads/journal/b.box.12345678", {line}, clone_.key);
    const std::string bytes(600, 'y'), digest = sha256_hex(bytes);
    must(store_artifact(clone_.repo, digest, bytes));
    const RefUpdate first{journal, "", before}, more{journal, before, after},
        second{"refs/heads/journal/b.box.12345678", "", other},
        weights{artifact_ref(digest), "", *must(clone_.repo.ref(artifact_ref(digest)))};
    const auto fits = [&](const std::vector<RefUpdate>& updates, std::int64_t most_bytes) {
        return check_push_size(clone_.repo, updates, most_bytes).has_value();
    };
    EXPECT_TRUE(fits({first}, 1000));
    EXPECT_TRUE(fits({more}, 1300));
    EXPECT_FALSE(fits({first, second}, 1000));
    EXPECT_FALSE(fits({first, weights}, 1000));
    EXPECT_TRUE(fits({first, second, weights}, 2000));
    EXPECT_TRUE(
        fits({{journal, after, ""}, {"refs/heads/journal/x", "", *must(clone_.repo.ref("refs/heads/main"))}}, 0));
    EXPECT_FALSE(fits(std::vector<RefUpdate>(kMostPushRefs + 1, {journal, "", ""}), 1000));
}

}  // namespace
}  // namespace cultivar
