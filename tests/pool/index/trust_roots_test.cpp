// Tests the rules for changing a pool's trust roots.
#include "pool/clone/trust_roots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/git/sshsig.h"
#include "pool/storage/segment_log.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Ann founds a pool, Bea and Cai have clones of it; all of them may push main.
class TrustRoots : public ::testing::Test {
protected:
    TrustRoots() : ann_(world_.found("ann")) {
        ann_.propose();
        bea_ = std::make_unique<Hand>(world_.join("bea"));
        cai_ = std::make_unique<Hand>(world_.join("cai"));
    }
    static std::string line(const Hand& who, const std::string& namespaces = "git,cultivar-trust") {
        return fmt_line(who.clone.writer, namespaces, who.clone.key);
    }
    static std::string fmt_line(const std::string& name, const std::string& namespaces, const Key& key) {
        return name + " namespaces=\"" + namespaces + "\" " + key.public_text() + "\n";
    }
    static Roots roots(const Hand& who) { return must(trusted_roots(who.clone)); }
    static void change(Hand& who, const std::string& signers, int threshold) {
        must(who.clone.commit_main(must(change_roots(who.clone, roots(who), signers, threshold)), "Change the roots"));
    }
    static void sign(Hand& who) { must(who.clone.commit_main(must(sign_roots(who.clone, roots(who))), "Sign")); }
    static void pass(Hand& from, Hand& to) {
        from.propose();
        to.pull();
    }
    // Creates version 1, signed by two of three roots.
    void begin() {
        change(ann_, line(ann_) + line(*bea_) + line(*cai_), 2);
        pass(ann_, *bea_);
        sign(*bea_);
        pass(*bea_, ann_);
        cai_->pull();
    }
    // Pushes files to main as a writer that may push main and has no other right.
    void push_main(const std::vector<std::pair<std::string, std::string>>& files) {
        must(cai_->clone.commit_main(files, "Push"));
        cai_->propose();
    }

    World world_;
    Hand ann_;
    std::unique_ptr<Hand> bea_, cai_;
};

TEST_F(TrustRoots, AreNoneAtFirstAndBeginOnceEnoughOfTheirHoldersSigned) {
    EXPECT_EQ(roots(ann_).now.version, 0);
    EXPECT_THAT(roots(ann_).now.verifiers, SizeIs(1));
    change(ann_, line(ann_) + line(*bea_) + line(*cai_), 2);
    Roots waiting = roots(ann_);
    EXPECT_EQ(waiting.now.version, 0);
    EXPECT_THAT(waiting.now.verifiers, SizeIs(1)) << "what waits changes nothing";
    ASSERT_TRUE(waiting.waiting);
    EXPECT_THAT(waiting.waiting->signed_by, SizeIs(1));
    EXPECT_EQ(waiting.needed, 2);
    pass(ann_, *bea_);
    sign(*bea_);
    EXPECT_EQ(roots(*bea_).now.version, 1);
    EXPECT_THAT(roots(*bea_).now.verifiers, SizeIs(3));
    EXPECT_FALSE(roots(*bea_).waiting);
    pass(*bea_, ann_);
    EXPECT_EQ(roots(ann_).now.threshold, 2);
    EXPECT_EQ(must(read_file(ann_.clone.seen_dir() + "roots")), "1 " + roots(ann_).now.digest + "\n");
}

TEST_F(TrustRoots, ChangeByAThresholdOfTheOldOnesHoweverManyNewOnesSign) {
    begin();
    change(*cai_, line(*cai_) + line(*bea_), 1);  // Cai alone
    EXPECT_EQ(roots(*cai_).now.version, 1);
    EXPECT_EQ(trouble(sign_roots(cai_->clone, roots(*cai_))).code, Code::usage) << "nobody signs twice";
    pass(*cai_, *bea_);
    sign(*bea_);
    pass(*bea_, ann_);
    const Roots now = roots(ann_);
    EXPECT_EQ(now.now.version, 2);
    EXPECT_THAT(now.now.holders, SizeIs(2));
    EXPECT_EQ(trouble(change_roots(ann_.clone, now, now.now.text, 1)).message,
              "these are the trust roots in force already");
    // Ann is no root any more: her proposal waits for the signatures of roots.
    change(ann_, line(ann_), 1);
    EXPECT_EQ(roots(ann_).now.version, 2);
    EXPECT_THAT(roots(ann_).waiting->signed_by, SizeIs(0));
    EXPECT_THAT(trouble(sign_roots(ann_.clone, roots(ann_))).message, HasSubstr("holds no trust root"));
}

TEST_F(TrustRoots, AreFollowedThroughVersionsThatAClientMissed) {
    begin();
    for (int version = 2; version <= 4; ++version) {
        change(*bea_, line(ann_) + line(*bea_) + line(*cai_, version == 3 ? "git" : "cultivar-trust"), 2);
        pass(*bea_, ann_);
        sign(ann_);
        pass(ann_, *bea_);
        EXPECT_EQ(roots(*bea_).now.version, version);
    }
    EXPECT_EQ(roots(*cai_).now.version, 1);
    cai_->pull();
    EXPECT_EQ(roots(*cai_).now.version, 4);
}

TEST_F(TrustRoots, RefuseListsThatNobodySignedAndRollbacksOfMain) {
    begin();
    const Key eve = must(Key::load_or_create(world_.path("eve.pem")));
    const std::string evil = fmt_line("eve.box.00000000", "git,cultivar-trust", eve);
    // A list edited by hand.
    push_main({{"allowed_signers", evil}});
    EXPECT_THAT(bea_->pull().main_refused->message,
                HasSubstr("main is refused: allowed_signers differs from trust root 1"));
    EXPECT_THAT(must(trusted_roots(bea_->clone)).now.verifiers, SizeIs(3)) << "main stays where it was good";
    // A completely new set of roots, validly signed by itself, with the same version number and with a higher one.
    const std::string first =
        "# cultivar trust root, format 1\n# version 1\n# threshold 1\n# pool " + bea_->clone.task.created + "\n" + evil;
    auto signature = [&](int version, const std::string& text) {
        return std::pair("trust/" + std::to_string(version) + "." + eve.fingerprint().substr(0, 16) + ".sig",
                         must(eve.sign_as(kRoots, text)));
    };
    push_main({{"trust/1.allowed_signers", first}, signature(1, first), {"allowed_signers", first}});
    EXPECT_THAT(bea_->pull().main_refused->message, HasSubstr("its trust root 1 is another one than before"));
    std::string second = first;
    second.replace(second.find("version 1"), 9, "version 2");
    push_main({{"trust/2.allowed_signers", second}, signature(2, second), {"allowed_signers", second}});
    EXPECT_THAT(bea_->pull().main_refused->message, HasSubstr("is another one than before"));
    // The roots removed by a plain git push.
    git(world_.path("ann"), "symbolic-ref HEAD refs/heads/main");
    git(world_.path("ann"), "fetch -q origin main");
    git(world_.path("ann"), "reset -q --hard FETCH_HEAD");
    git(world_.path("ann"), "rm -q -r trust");
    git(world_.path("ann"), "commit -q -m 'no roots'");
    git(world_.path("ann"), "push -q origin HEAD:main");
    EXPECT_THAT(bea_->pull().main_refused->message, HasSubstr("rolled back from version 1 to 0"));
}

TEST_F(TrustRoots, OfAnotherPoolOrWithTooFewHoldersAreRefused) {
    EXPECT_EQ(trouble(change_roots(ann_.clone, roots(ann_), line(ann_), 2)).message,
              "trust root 1: its threshold is 2 of 1 keys");
    EXPECT_EQ(trouble(change_roots(ann_.clone, roots(ann_), line(ann_) + line(ann_), 2)).message,
              "trust root 1: its threshold is 2 of 1 keys");
    EXPECT_EQ(trouble(change_roots(ann_.clone, roots(ann_), line(ann_, "git"), 1)).code, Code::usage);
    const std::string text =
        "# cultivar trust root, format 1\n# version 1\n# threshold 1\n# pool 2020-01-01T00:00:00Z\n" + line(ann_);
    must(ann_.clone.commit_main({{"trust/1.allowed_signers", text}}, "Of another pool"));
    EXPECT_THAT(trouble(trusted_roots(ann_.clone)).message, HasSubstr("does not begin with its version"));
}

TEST_F(TrustRoots, OfALaterFormatAreLeftToALaterProgram) {
    must(ann_.clone.commit_main({{"trust/1.allowed_signers", "# cultivar trust root, format 2\n"}}, "Later"));
    EXPECT_EQ(trouble(trusted_roots(ann_.clone)).code, Code::newer);
}

// OpenSSH's ssh-keygen checks a change of roots against the previous roots and makes a signature that counts.
TEST_F(TrustRoots, AreSignedAndCheckedBySshKeygenToo) {
    const std::string key = world_.path("openssh");
    shell("ssh-keygen -q -t ed25519 -N '' -C vera@example.org -f " + key);
    const Key vera = must(Key::of_user(key));
    change(ann_, line(ann_) + fmt_line("vera@example.org", "cultivar-trust", vera), 2);
    const std::string text = roots(ann_).waiting->text, file = world_.path("root");
    must(write_file_atomically(file, text));
    shell("ssh-keygen -q -Y sign -n cultivar-trust -f " + key + " " + file);
    must(ann_.clone.commit_main(
        {{"trust/1." + vera.fingerprint().substr(0, 16) + ".sig", must(read_file(file + ".sig"))},
         {"allowed_signers", text}},
        "Vera signs"));
    EXPECT_EQ(roots(ann_).now.version, 1);
    change(ann_, line(ann_) + line(*bea_), 1);
    const std::string next = roots(ann_).waiting->text;
    must(write_file_atomically(world_.path("next"), next));
    must(write_file_atomically(
        world_.path("next.sig"),
        must(ann_.clone.repo.file(ann_.clone.main, "trust/2." + ann_.clone.key.fingerprint().substr(0, 16) + ".sig",
                                  8192))
            .value()));
    EXPECT_THAT(shell("ssh-keygen -Y verify -n cultivar-trust -I " + ann_.clone.writer + " -f " + file + " -s " +
                      world_.path("next.sig") + " <" + world_.path("next")),
                HasSubstr("Good \"cultivar-trust\" signature"));
}

TEST_F(TrustRoots, ThatChangeTakeTheVerdictsOfWhoIsOffTheListWithThem) {
    begin();
    EXPECT_EQ(must(ann_.index.totals()).verify_s, 0);
    const auto run = ann_.keep({}, 2.0);
    ann_.propose();
    bea_->pull();
    Verdict verdict;
    const auto claims = must(bea_->index.claims());
    ASSERT_THAT(claims, SizeIs(1));
    verdict.claim = claims[0].id, verdict.task = bea_->clone.task_id, verdict.candidate = run.candidate;
    verdict.artifact = run.artifact, verdict.result = VerdictResult::accepted, verdict.tier = Tier::rescore,
    verdict.reason = "fits";
    verdict.verifier = bea_->clone.writer, verdict.at = "2026-11-21T06:00:00Z", verdict.slice = std::string(64, '4');
    must(append_log(bea_->clone.repo, bea_->clone.ledger_ref(), {to_line(verdict)}, bea_->clone.identity(),
                    bea_->clone.key));
    pass(*bea_, ann_);
    EXPECT_EQ(must(ann_.index.standings()).at(0).verdict, "accepted");
    change(ann_, line(ann_) + line(*cai_), 1);
    pass(ann_, *cai_);
    sign(*cai_);
    pass(*cai_, ann_);
    Index index = must(Index::open(ann_.clone));
    EXPECT_EQ(must(index.standings()).at(0).verdict, "pending");
    EXPECT_EQ(must(Index::read_anew(ann_.clone)).opened_with().verdicts, 0);
}

}  // namespace
}  // namespace cultivar
