// Tests attacks on claims, verdicts and trust, made with real objects in a real repository. Each is refused with its
// own reason and leaves the pool unchanged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/trust_roots.h"
#include "pool/git/sshsig.h"
#include "pool/sync/artifact_store.h"
#include "pool/util/sha256.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Ann founded the pool and judges; Bob is honest, Eve is not.
class Stage : public IndexTest {
public:
    using IndexTest::ann_;
    using IndexTest::publish;
    using IndexTest::signed_by_hand;
    using IndexTest::Stranger;
    using IndexTest::world_;
    using Edit = std::function<void(cultivar::Run&)>;
    using ClaimEdit = std::function<void(Claim&)>;

    Stage() : bob(stranger("bob")), eve(stranger("eve")), honest(run_of(bob, {}, 2.0)) {
        publish(bob, {honest, claim_by(bob, {honest})});
        Index index = must(Index::open(ann_));
        claim_id = must(index.claims()).at(0).id;
    }
    void TestBody() override {}

    cultivar::Run run_of(const Stranger& who, const Genes& changes, double val_loss, int replicate = 0) {
        auto run = scored_run(ann_.task, who.writer, changes, val_loss, replicate);
        run.artifact = sha256_hex(fmt::format("weights {}", ++made));
        run.trace_loss = {6.9, 6.5 + val_loss / 1000};
        return run;
    }
    Claim claim_by(const Stranger& who, const std::vector<cultivar::Run>& runs) const {
        Claim claim = claim_of(ann_, runs);
        claim.writer = who.writer;
        return claim;
    }
    // Records a manipulated run by Eve and her claim of it.
    void claim_run(const Edit& bend, const ClaimEdit& bend_claim = {}, double val_loss = 1.9) {
        auto run = run_of(eve, {{"optim.lr", 0.1}}, val_loss);
        if (bend) bend(run);
        Claim claim = claim_by(eve, {run});
        if (bend_claim) bend_claim(claim);
        publish(eve, {run, claim});
    }
    std::string verdict(const std::string& verifier, const std::string& result = "rejected",
                        const std::string& claim = "") const {
        Verdict said;
        said.claim = claim.empty() ? claim_id : claim, said.task = ann_.task_id, said.candidate = honest.candidate;
        said.artifact = honest.artifact, said.result = *verdict_result_of(result), said.tier = Tier::rescore,
        said.reason = "because";
        said.verifier = verifier, said.at = "2026-11-21T06:00:00Z", said.slice = std::string(64, '4');
        return to_line(said);
    }
    void judge(const std::string& ref, const std::string& line, const Signer& key, std::int64_t at_s = 1795232400) {
        must(append_log(ann_.repo, ref, {line}, {"v", "v@example.org", at_s}, key));
    }
    std::string ledger(const std::string& writer) const { return "refs/remotes/origin/ledger/" + writer; }
    void list(const std::string& signers) { must(ann_.commit_main({{"allowed_signers", signers}}, "List")); }
    std::string own_line(const std::string& options = "") const {
        return ann_.writer + " " + options + ann_.key.public_text() + "\n";
    }
    // Returns everything that pull, show, verify and fsck would print.
    std::string said() {
        Index index = must(Index::open(ann_));
        std::string text = told(index.opened_with());
        for (const ClaimRow& row : must(index.claims())) {
            text += row.problem + "\n";
            for (const std::string& odd : must(index.suspicions(row))) text += odd + "\n";
        }
        return text;
    }

    int made = 0;  // before `honest`, which counts
    void forget_index() {
        for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(ann_.index_dir() + "index.sqlite" + tail);
    }

    Stranger bob, eve;
    cultivar::Run honest;
    std::string claim_id;
};

struct Attack {
    const char* name;
    const char* reason;
    std::function<void(Stage&)> mount;
    bool put_back = false;  // the first refresh resets the ref to its last good commit
};

const Attack kAttacks[] = {
    {"EditedScore", "does not follow from val_loss",
     [](Stage& on) { on.claim_run([](auto& run) { run.val_bpb = *run.val_bpb - 0.1; }); }},
    {"BytesCountedOtherwise", "by the pool's tokens/bytes it would be",
     [](Stage& on) { on.claim_run([](auto& run) { run.val_bpb = *run.val_bpb * 160'000 / 170'000; }); }},
    {"LossWithoutItsChunks", "chunk losses do not add up",
     [](Stage& on) { on.claim_run([](auto& run) { run.chunk_loss_sums[7] *= 0.9; }); }},
    {"ChunksLeftOut", "does not give its 64 chunk losses",
     [](Stage& on) { on.claim_run([](auto& run) { run.chunk_loss_sums.clear(); }); }},
    {"ArtifactOverTheCap", "its artifact is over the cap",
     [](Stage& on) { on.claim_run([&](auto& run) { run.artifact_bytes = on.ann_.task.artifact_cap_bytes + 1; }); }},
    {"NoArtifact", "names no artifact", [](Stage& on) { on.claim_run([](auto& run) { run.artifact.clear(); }); }},
    {"WeightsOfAnotherConfiguration", "its configuration hashes to",
     [](Stage& on) { on.claim_run([](auto& run) { run.toml = "model.layers = 6\n"; }); }},
    {"SeedThatWasPicked", "its seed is not the derived one",
     [](Stage& on) { on.claim_run([](auto& run) { run.seed = 42; }); }},
    {"MoreTimeThanTheBudget", "it trained 60 s on a budget of 20 s",
     [](Stage& on) { on.claim_run([](auto& run) { run.train_s = 60; }); }},
    {"ScoreWithoutSteps", "it is scored but made no step",
     [](Stage& on) { on.claim_run([](auto& run) { run.steps = 0; }); }},
    {"JoulesThatDoNotAddUp", "took more joules than the whole run",
     [](Stage& on) { on.claim_run([](auto& run) { run.energy.train_joules = 2 * run.energy.joules; }); }},
    {"ClaimBetterThanItsRuns", "it claims",
     [](Stage& on) { on.claim_run({}, [](Claim& claim) { claim.val_bpb -= 0.1; }); }},
    {"ClaimOfNothing", "it names no runs",
     [](Stage& on) { on.claim_run({}, [](Claim& claim) { claim.runs.clear(); }); }},
    {"RunThatIsNamedTwice", "it names its run",
     [](Stage& on) { on.claim_run({}, [](Claim& claim) { claim.runs.push_back(claim.runs[0]); }); }},
    {"ClaimOfAnothersRun", "is another writer's",
     [](Stage& on) { on.publish(on.eve, {on.claim_by(on.eve, {on.honest})}); }},
    {"ClaimOfAnothersArtifact", "its artifact is not that of the run",
     [](Stage& on) { on.claim_run({}, [&](Claim& claim) { claim.artifact = on.honest.artifact; }); }},
    {"RecordInAnothersName", "as its writer",
     [](Stage& on) {
         on.publish(on.eve, {on.run_of(on.bob, {{"optim.lr", 0.1}}, 1.5)});
     }},
    {"CopiedArtifact", "its artifact is that of run",
     [](Stage& on) { on.claim_run([&](auto& run) { run.artifact = on.honest.artifact; }); }},
    {"CopiedWeightsPackedAnew", "lose the same on every part of the slice",
     [](Stage& on) { on.claim_run([](auto& run) { run.train_s = 19; }, {}, 2.0); }},
    {"ReplayedRecord", "repeats the times and losses of run", [](Stage& on) { on.claim_run({}, {}, 2.0); }},
    {"ReplayedAsAnotherSeed", "repeats the times and losses of run",
     [](Stage& on) {
         const auto first = on.run_of(on.eve, {{"optim.lr", 0.1}}, 1.9);
         auto second = on.run_of(on.eve, {{"optim.lr", 0.1}}, 1.9, 1);
         second.ended = "2026-11-21T05:00:25Z";
         on.publish(on.eve, {first, second, on.claim_by(on.eve, {first, second})});
     }},
    {"BestSeedOfMany", "it leaves out 3 of the writer's 4 runs",
     [](Stage& on) {
         std::vector<Record> records;
         for (int i = 0; i < 3; ++i) records.push_back(on.run_of(on.eve, {{"optim.lr", 0.1}}, 2.1 + 0.1 * i, i));
         const auto best = on.run_of(on.eve, {{"optim.lr", 0.1}}, 1.9, 3);
         records.insert(records.end(), {best, on.claim_by(on.eve, {best})});
         on.publish(on.eve, records);
     }},
    {"BestSeedOfManyUnpublished", "some were not published",
     [](Stage& on) {
         const auto best = on.run_of(on.eve, {{"optim.lr", 0.1}}, 1.9, 9);
         on.publish(on.eve, {best, on.claim_by(on.eve, {best})});
     }},
    {"MoreComputeThanTheMachineHas", "times as fast as the same writer's 8 other runs",
     [](Stage& on) {
         std::vector<Record> records;
         for (int i = 0; i < 8; ++i)
             records.push_back(on.run_of(on.eve, {{"optim.lr", 0.01 + 0.01 * i}}, 2.1 + 0.01 * i));
         auto fast = on.run_of(on.eve, {{"optim.lr", 0.5}}, 1.7);
         fast.tokens *= 10;
         records.insert(records.end(), {fast, on.claim_by(on.eve, {fast})});
         on.publish(on.eve, records);
     }},
    {"RejectedRunClaimedAgain", "was rejected with the claim",
     [](Stage& on) {
         const auto run = on.run_of(on.eve, {{"optim.lr", 0.1}}, 1.9);
         Claim first = on.claim_by(on.eve, {run}), second = first;
         second.at = "2026-11-22T05:00:00Z";
         on.publish(on.eve, {run, first, second});
         on.judge(on.ann_.ledger_ref(), on.verdict(on.ann_.writer, "rejected", record_id(to_line(first))), on.ann_.key);
     }},
    {"SybilsThatAgree", "is not signed by a verifier of this pool",
     [](Stage& on) {
         for (int i = 0; i < 5; ++i) {
             const Key key = must(Key::load_or_create(on.world_.path(fmt::format("sybil{}.pem", i))));
             const std::string name = fmt::format("sybil{}.box.{}", i, key.fingerprint().substr(0, 8));
             on.judge(on.ledger(name), on.verdict(name), key);
         }
     }},
    {"ForgedLedger", "is signed by another key than its name says",
     [](Stage& on) { on.judge(on.ledger(on.ann_.writer), on.verdict(on.ann_.writer), on.eve.key); }},
    {"UnsignedLedger", "is not signed by its writer",
     [](Stage& on) {
         commit_by_hand(on.world_.path("ann"), on.ledger(on.ann_.writer),
                        {{"seg/000000.jsonl", on.verdict(on.ann_.writer) + "\n"}});
     }},
    {"SignatureForAnotherPurpose", "is of another namespace",
     [](Stage& on) {
         struct AsRoot : Signer {
             explicit AsRoot(const Key& from) : key(from) {}
             Result<std::string> sign(std::string_view bytes) const override { return key.sign_as(kRoots, bytes); }
             const Key& key;
         };
         on.judge(on.ledger(on.ann_.writer), on.verdict(on.ann_.writer), AsRoot(on.ann_.key));
     }},
    {"VerdictInAnothersName", "as its verifier",
     [](Stage& on) {
         on.list(on.own_line() + on.eve.writer + " " + on.eve.key.public_text() + "\n");
         on.judge(on.ledger(on.eve.writer), on.verdict(on.ann_.writer), on.eve.key);
     }},
    {"ExpiredKey", "is signed by a key that expired at 2026-01-01T00:00:00Z",
     [](Stage& on) {
         on.list(on.own_line("valid-before=\"20260101Z\" "));
         on.judge(on.ann_.ledger_ref(), on.verdict(on.ann_.writer), on.ann_.key);
     }},
    {"KeyOfNextYear", "is signed by a key that holds from 2027-01-01T00:00:00Z on",
     [](Stage& on) {
         on.list(on.own_line("valid-after=\"20270101Z\" "));
         on.judge(on.ann_.ledger_ref(), on.verdict(on.ann_.writer), on.ann_.key);
     }},
    {"KeyOfAnAuthority", "certificates are not honoured",
     [](Stage& on) {
         on.list(on.own_line("cert-authority "));
         on.judge(on.ann_.ledger_ref(), on.verdict(on.ann_.writer), on.ann_.key);
     }},
    {"KeyTakenOffTheList", "is not signed by a verifier of this pool",
     [](Stage& on) {
         on.judge(on.ann_.ledger_ref(), on.verdict(on.ann_.writer), on.ann_.key);
         on.said();
         on.list("# nobody\n");
     }},
    {"RewoundLedger", "was rewound since it was last seen",
     [](Stage& on) {
         const std::string ref = on.ledger(on.ann_.writer);
         on.judge(ref, on.verdict(on.ann_.writer, "inconclusive"), on.ann_.key);
         const Oid first = must(on.ann_.repo.ref(ref)).value();
         on.judge(ref, on.verdict(on.ann_.writer, "inconclusive", std::string(64, 'c')), on.ann_.key);
         on.said();
         const Oid last = must(on.ann_.repo.ref(ref)).value();
         must(on.ann_.repo.set_ref(ref, first, last));
     },
     true},
    {"RewrittenLedger", "was rewritten since it was last seen",
     [](Stage& on) {
         const std::string ref = on.ledger(on.ann_.writer);
         on.judge(ref, on.verdict(on.ann_.writer, "inconclusive"), on.ann_.key);
         on.said();
         const Oid last = must(on.ann_.repo.ref(ref)).value();
         const Stage::Stranger as_ann{on.ann_.key, on.ann_.writer, ref};
         must(on.ann_.repo.set_ref(
             ref, on.signed_by_hand(as_ann, "seg", "000000.jsonl", on.verdict(on.ann_.writer) + "\n", {last}), last));
     },
     true},
    {"ListChangedPastTheRoots", "allowed_signers differs from trust root 1",
     [](Stage& on) {
         const Roots none = must(trusted_roots(on.ann_));
         must(on.ann_.commit_main(must(change_roots(on.ann_, none, on.own_line(), 1)), "Begin"));
         must(trusted_roots(on.ann_));
         on.list(on.own_line() + on.eve.writer + " " + on.eve.key.public_text() + "\n");
         on.judge(on.ledger(on.eve.writer), on.verdict(on.eve.writer), on.eve.key);
     }},
    {"RootsRolledBack", "its trust roots were rolled back from version 2 to 1",
     [](Stage& on) {
         Roots roots = must(trusted_roots(on.ann_));
         const std::string both = on.own_line() + on.eve.writer + " " + on.eve.key.public_text() + "\n";
         must(on.ann_.commit_main(must(change_roots(on.ann_, roots, both, 1)), "Eve judges"));
         const Oid then = on.ann_.main;
         roots = must(trusted_roots(on.ann_));
         must(on.ann_.commit_main(must(change_roots(on.ann_, roots, on.own_line(), 1)), "No more"));
         must(trusted_roots(on.ann_));
         must(on.ann_.repo.set_ref("refs/heads/main", then, on.ann_.main));
         must(on.ann_.reload_task());
         on.judge(on.ledger(on.eve.writer), on.verdict(on.eve.writer), on.eve.key);
     }},
    {"SignatureOfTheRootsByAStranger", "allowed_signers differs from trust root 1",
     [](Stage& on) {
         Roots roots = must(trusted_roots(on.ann_));
         must(on.ann_.commit_main(must(change_roots(on.ann_, roots, on.own_line(), 1)), "Begin"));
         std::string text = must(trusted_roots(on.ann_)).now.text;
         text.replace(text.find("version 1"), 9, "version 2");
         text += on.eve.writer + " " + on.eve.key.public_text() + "\n";
         must(on.ann_.commit_main(
             {{"trust/2.allowed_signers", text},
              {"trust/2." + on.eve.key.fingerprint().substr(0, 16) + ".sig", must(on.eve.key.sign_as(kRoots, text))},
              {"allowed_signers", text}},
             "Eve too"));
         on.judge(on.ledger(on.eve.writer), on.verdict(on.eve.writer), on.eve.key);
     }},
};

class ClaimAttack : public ::testing::TestWithParam<Attack> {};

TEST_P(ClaimAttack, IsRefusedWithItsReasonAndLeavesThePoolAsItWas) {
    Stage stage;
    EXPECT_THAT(stage.said(), Not(HasSubstr(GetParam().reason))) << "of an honest pool";
    GetParam().mount(stage);
    EXPECT_THAT(stage.said(), HasSubstr(GetParam().reason));
    stage.forget_index();
    if (!GetParam().put_back) {
        EXPECT_THAT(stage.said(), HasSubstr(GetParam().reason)) << "whoever comes later";
    }
    Index index = must(Index::open(stage.ann_));
    bool honest = false;
    for (const Standing& row : must(index.standings())) {
        EXPECT_NE(row.verdict, "accepted");
        honest = honest || (row.candidate == stage.honest.candidate && row.runs >= 1 && row.verdict != "rejected");
    }
    EXPECT_TRUE(honest) << "Bob's claim is what it was";
}

INSTANTIATE_TEST_SUITE_P(Gallery, ClaimAttack, ::testing::ValuesIn(kAttacks),
                         [](const auto& attack) { return std::string(attack.param.name); });

// One key is one person, under any name.
TEST(OneKey, DoesNotAcceptItsOwnClaimUnderAnotherName) {
    Stage stage;
    const std::string other = "elsewhere.box." + stage.eve.key.fingerprint().substr(0, 8);
    stage.list(stage.own_line() + other + " " + stage.eve.key.public_text() + "\n");
    stage.claim_run({});
    Index before = must(Index::open(stage.ann_));
    const std::string claim = must(before.claims()).at(1).id;
    stage.judge(stage.ledger(other), stage.verdict(other, "accepted", claim), stage.eve.key);
    Index index = must(Index::open(stage.ann_));
    EXPECT_EQ(must(index.claims()).at(1).verdict, std::nullopt);
    EXPECT_EQ(must(index.totals()).accepted, 0);
}

// Weights with another digest than their name: the reader gets an error.
TEST(Artifact, OfOtherBytesUnderAClaimedNameIsRefused) {
    Stage stage;
    must(store_artifact(stage.ann_.repo, stage.honest.artifact, "other bytes"));
    EXPECT_THAT(trouble(load_artifact(stage.ann_, nullptr, stage.honest.artifact)).message,
                HasSubstr("does not hash to its name"));
}

// A key that was stolen after it had expired signs commits of any time.
TEST(ExpiredKey, DatesNoVerdictBackThatCameAfterAPull) {
    Stage stage;
    stage.list(stage.own_line("valid-before=\"20261122Z\" "));  // 1795305600
    const std::string ref = stage.ledger(stage.ann_.writer);
    const auto pulled_at = [&](int at_s) {
        must(write_file_atomically(stage.ann_.seen_dir() + "first", fmt::format("{} 2 {}\n", at_s, stage.bob.ref)));
    };
    const auto result = [&] {
        Index index = must(Index::open(stage.ann_));
        const auto verdict = must(index.claims()).at(0).verdict;
        return verdict ? std::string(name(verdict->result)) : "none";
    };
    pulled_at(1795300000);
    stage.judge(ref, stage.verdict(stage.ann_.writer, "accepted"), stage.ann_.key);
    EXPECT_EQ(result(), "accepted") << "it may have come in time";
    pulled_at(1795310000);
    const Oid good = must(stage.ann_.repo.ref(ref)).value();
    stage.judge(ref, stage.verdict(stage.ann_.writer, "rejected"), stage.ann_.key);
    EXPECT_THAT(stage.said(), HasSubstr("expired at 2026-11-22T00:00:00Z (allowed_signers on main), and came later"));
    EXPECT_EQ(result(), "accepted");
    EXPECT_EQ(must(stage.ann_.repo.ref(ref)), good);
    stage.forget_index();
    EXPECT_EQ(result(), "accepted");
}

}  // namespace
}  // namespace cultivar
