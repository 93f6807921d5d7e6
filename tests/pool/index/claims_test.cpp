// Tests claims, verdicts and leases in the index, and the rights of writers over them.
#include <algorithm>
#include <ctime>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/index/index_fixture.h"
#include "tests/pool/support/twin_keys.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(IndexTest, FindsWhatIsWrongWithAClaim) {
    Stranger bob = stranger("bob");
    std::vector<cultivar::Run> runs = {scored_run(ann_.task, bob.writer, {}, 2.0),
                                       scored_run(ann_.task, bob.writer, {}, 2.2, 1)};
    auto own = run_by(ann_, {}, 2.1, 2);
    auto fresh = [&](std::vector<cultivar::Run> named) {
        Claim claim = claim_of(ann_, named);
        claim.writer = bob.writer;
        return claim;
    };
    const std::pair<const char*, std::function<Claim()>> cases[] = {{"", [&] { return fresh(runs); }},
                                                                    {"it claims",
                                                                     [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.val_bpb -= 0.01;
                                                                         return claim;
                                                                     }},
                                                                    {"artifact is not that of the run",
                                                                     [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.artifact = std::string(64, 'f');
                                                                         return claim;
                                                                     }},
                                                                    {"is not in the journal",
                                                                     [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.runs[1] = std::string(64, 'f');
                                                                         return claim;
                                                                     }},
                                                                    {"another writer's",
                                                                     [&] {
                                                                         return fresh({runs[0], own});
                                                                     }},
                                                                    {"of this candidate and category",
                                                                     [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.category = "cpu-600s-e11";
                                                                         return claim;
                                                                     }},
                                                                    {"names no runs",
                                                                     [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.runs.clear();
                                                                         return claim;
                                                                     }},
                                                                    {"hashes to",
                                                                     [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.toml = "optim.lr = 0.5\n";
                                                                         return claim;
                                                                     }},
                                                                    {"as its writer", [&] {
                                                                         Claim claim = fresh(runs);
                                                                         claim.writer = ann_.writer;
                                                                         return claim;
                                                                     }}};
    std::vector<Record> records = {runs[0], runs[1]};
    for (const auto& [why, make] : cases) records.push_back(make());
    spool(ann_, own);
    publish(bob, records);
    Index index = must(Index::open(ann_));
    auto rows = must(index.claims());
    ASSERT_EQ(rows.size(), std::size(cases));
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_THAT(rows[i].problem, HasSubstr(cases[i].first)) << i;
    EXPECT_EQ(rows[0].problem, "");
}

class VerdictTest : public IndexTest {
protected:
    VerdictTest() : bob_(stranger("bob")), run_(scored_run(ann_.task, bob_.writer, {}, 2.0)) {
        Claim claim = claim_of(ann_, {run_});
        claim.writer = bob_.writer;
        claim_ = record_id(to_line(claim));
        publish(bob_, {run_, claim});
    }
    std::string verdict(const std::string& result, const std::string& verifier, const std::string& at) {
        Verdict made;
        made.claim = claim_, made.task = ann_.task_id, made.candidate = run_.candidate, made.artifact = run_.artifact;
        made.result = *verdict_result_of(result), made.tier = Tier::rescore, made.reason = "because",
        made.verifier = verifier, made.at = at;
        made.evaluator = "test", made.slice = std::string(64, '4'), made.seconds = 2, made.joules = 30;
        return to_line(made);
    }
    void judge(const std::string& ref, const std::string& line, const Signer& key) {
        must(append_log(ann_.repo, ref, {line}, {"v", "v@example.org", 1795232400}, key));
    }
    Standing standing() {
        Index index = must(Index::open(ann_));
        report_ = told(index.opened_with());
        return must(index.standings()).at(0);
    }

    Stranger bob_;
    cultivar::Run run_;
    std::string claim_, report_;
};

TEST_F(VerdictTest, TellsTheJudgedClaimsOfAKeyInTheOrderOfTheirNewestVerdicts) {
    auto judged = [&] {
        Index index = must(Index::open(ann_));
        return must(index.judged_claims());
    };
    EXPECT_THAT(judged(), IsEmpty());
    judge(ann_.ledger_ref(), verdict("inconclusive", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T07:00:00Z"), ann_.key);
    ASSERT_THAT(judged(), SizeIs(1)) << "the same claim again is no second one";
    EXPECT_EQ(judged()[0].key, bob_.key.fingerprint());
    EXPECT_EQ(judged()[0].result, VerdictResult::accepted);
    EXPECT_EQ(judged()[0].seconds, 4) << "of both verdicts";
    EXPECT_EQ(judged()[0].budget_s, 20);
    EXPECT_TRUE(judged()[0].fresh);
}

TEST_F(VerdictTest, OfAClaimThatIsMadeAgainEarnsNothing) {
    Claim again = claim_of(ann_, {run_});
    again.writer = bob_.writer, again.at = "2026-11-22T05:00:00Z";
    publish(bob_, {again});
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    claim_ = record_id(to_line(again));
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T06:00:00Z"), ann_.key);
    Index index = must(Index::open(ann_));
    const std::vector<ClaimRow> claims = must(index.claims());
    EXPECT_FALSE(claims.at(0).repeats);
    EXPECT_TRUE(claims.at(1).repeats);
    EXPECT_TRUE(must(index.judged_claims()).at(0).fresh);
    EXPECT_FALSE(must(index.judged_claims()).at(1).fresh);
    const std::vector<Contributor> rows = must(index.contributors());
    const auto bob = std::ranges::find(rows, bob_.key.fingerprint(), &Contributor::key);
    ASSERT_NE(bob, rows.end());
    EXPECT_EQ(bob->claims, 1);
    EXPECT_EQ(bob->valid, 1);
}

TEST_F(VerdictTest, OfOneTrainingThatAKeyClaimsUnderAnotherNameRepeatsIt) {
    const std::string other = "robert" + bob_.writer.substr(bob_.writer.find('.'));
    const Stranger same_key{bob_.key, other, "refs/remotes/origin/journal/" + other};
    const auto claimed = [&](const Stranger& who, int replicate) {
        const auto run = scored_run(ann_.task, who.writer, {}, 2.0, replicate);
        Claim claim = claim_of(ann_, {run});
        claim.writer = who.writer;
        publish(who, {run, claim});
        Index index = must(Index::open(ann_));
        return must(index.claims()).back().repeats;
    };
    EXPECT_TRUE(claimed(same_key, 0));
    EXPECT_FALSE(claimed(same_key, 1)) << "another training";
    EXPECT_FALSE(claimed(stranger("eve"), 0)) << "another key";
}

TEST_F(VerdictTest, CountsWhenItsKeyIsTrustedAndTheNewestWins) {
    EXPECT_EQ(standing().verdict, "pending");
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    EXPECT_EQ(standing().verdict, "accepted");
    EXPECT_EQ(standing().runs, 1);
    judge(ann_.ledger_ref(), verdict("rejected", ann_.writer, "2026-11-21T06:00:00Z"), ann_.key);
    Standing rejected = standing();
    EXPECT_EQ(rejected.verdict, "rejected");
    EXPECT_EQ(rejected.runs, 0);  // the claim's runs no longer count
    EXPECT_NEAR(rejected.val_bpb, *run_.val_bpb, 1e-12);
    {
        Index index = must(Index::open(ann_));
        EXPECT_TRUE(must(index.runs())[0].refused);
        EXPECT_EQ(must(index.totals()).rejected, 1);
        EXPECT_EQ(must(index.totals()).verify_s, 4);
    }
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T07:00:00Z"), ann_.key);
    EXPECT_EQ(standing().runs, 1);
    std::string grown;
    {
        Index index = must(Index::open(ann_));
        grown = answers(index);
    }
    EXPECT_EQ(rebuilt(), grown);
}

TEST_F(VerdictTest, CountsForNothingFromAnyoneElse) {
    Stranger eve = stranger("eve");
    const std::string ledgers = "refs/remotes/origin/ledger/";
    judge(ledgers + eve.writer, verdict("rejected", eve.writer, "2026-11-21T05:00:00Z"), eve.key);
    EXPECT_EQ(standing().verdict, "pending");
    EXPECT_THAT(report_, HasSubstr("not signed by a verifier of this pool"));
    // Under the verifier's name, by another key or by none.
    must(ann_.repo.delete_ref(ledgers + eve.writer));
    judge(ledgers + ann_.writer, verdict("rejected", ann_.writer, "2026-11-21T05:00:00Z"), eve.key);
    EXPECT_EQ(standing().verdict, "pending");
    EXPECT_THAT(report_, HasSubstr("signed by another key"));
    commit_by_hand(world_.path("ann"), ledgers + ann_.writer,
                   {{"seg/000000.jsonl", verdict("rejected", ann_.writer, "2026-11-21T05:00:00Z") + "\n"}});
    EXPECT_EQ(standing().verdict, "pending");
    EXPECT_THAT(report_, HasSubstr("not signed by its writer"));
}

TEST_F(VerdictTest, CountsForNothingOnOnesOwnClaimOrInAnothersName) {
    must(ann_.commit_main({{"allowed_signers", bob_.writer + " " + bob_.key.public_text() + "\n"}}, "Trust bob"));
    const std::string ledger = "refs/remotes/origin/ledger/" + bob_.writer;
    judge(ledger, verdict("accepted", bob_.writer, "2026-11-21T05:00:00Z"), bob_.key);
    EXPECT_EQ(standing().verdict, "pending");
    judge(ledger, verdict("accepted", ann_.writer, "2026-11-21T06:00:00Z"), bob_.key);
    EXPECT_EQ(standing().verdict, "pending");
    EXPECT_THAT(report_, HasSubstr("as its verifier"));
}

// Eight digits of a fingerprint can be met by trying: a key that begins like a verifier's is another key.
TEST_F(VerdictTest, OfAVerifierCountsOnAClaimByAKeyThatBeginsLikeHis) {
    must(write_file_atomically(world_.path("twin.pem"), kTwinKeys[0]));
    must(write_file_atomically(ann_.state_dir + "key.pem", kTwinKeys[1]));
    ann_ = world_.reopen("ann");
    must(ann_.commit_main({{"allowed_signers", ann_.writer + " " + ann_.key.public_text() + "\n"}}, "Trust the twin"));
    Stranger twin = stranger("twin");
    ASSERT_EQ(key_digits(twin.writer), key_digits(ann_.writer));
    run_ = scored_run(ann_.task, twin.writer, {{"optim.lr", 0.1}}, 1.9);
    Claim claim = claim_of(ann_, {run_});
    claim.writer = twin.writer;
    claim_ = record_id(to_line(claim));
    publish(twin, {run_, claim});
    judge(ann_.ledger_ref(), verdict("rejected", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    Index index = must(Index::open(ann_));
    const std::vector<ClaimRow> claims = must(index.claims(run_.candidate));
    ASSERT_TRUE(claims.at(0).verdict) << "it is not the verifier's own claim";
    EXPECT_EQ(claims.at(0).verdict->result, VerdictResult::rejected);
    EXPECT_EQ(claims.at(0).key, twin.key.fingerprint());
    EXPECT_TRUE(must(index.runs(run_.candidate)).at(0).refused);
}

TEST_F(VerdictTest, OfALedgerIsLeftAsideWhenTheListOfVerifiersIsMalformed) {
    must(ann_.commit_main({{"allowed_signers", "ann ssh-ed25519\n"}}, "A slip"));
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    EXPECT_EQ(standing().verdict, "pending");
    EXPECT_THAT(report_, HasSubstr("allowed_signers"));
}

TEST_F(VerdictTest, PlanCandidatesAndSummariesSayWhatVerdictsSaid) {
    auto candidate = [&] {
        Index index = must(Index::open(ann_));
        const auto rows = must(index.plan_candidates());
        EXPECT_EQ(rows.size(), 1u);
        const std::set<std::string> none;
        EXPECT_THAT(must(index.plan_candidates(&none)), IsEmpty());
        return rows.at(0);
    };
    auto accepted = [&] {
        Index index = must(Index::open(ann_));
        const auto runs = must(index.summaries(run_.category));
        EXPECT_EQ(must(index.runs_elsewhere("another", 10)).size(), runs.size());
        return runs.size() == 1 && runs[0].accepted && must(index.runs_elsewhere("another", 10)).at(0).accepted;
    };
    EXPECT_EQ(candidate().id, run_.candidate);
    EXPECT_EQ(candidate().toml, run_.toml);
    EXPECT_TRUE(candidate().kept) << "it is claimed";
    EXPECT_FALSE(candidate().retired);
    EXPECT_EQ(candidate().runs, 1);
    EXPECT_FALSE(accepted());
    judge(ann_.ledger_ref(), verdict("accepted", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    EXPECT_FALSE(candidate().rejected);
    EXPECT_TRUE(accepted());
    judge(ann_.ledger_ref(), verdict("rejected", ann_.writer, "2026-11-21T06:00:00Z"), ann_.key);
    EXPECT_FALSE(candidate().rejected) << "a false claim says nothing of the candidate";
    EXPECT_FALSE(candidate().kept) << "nor does it recommend it";
    EXPECT_EQ(candidate().runs, 0);
    EXPECT_FALSE(accepted());
}

// A stranger claims too much of a candidate that somebody else found.
TEST_F(VerdictTest, OfAnExaggeratedClaimSetsACandidateAsideOnlyIfItsFreshSeedsAreBad) {
    const auto rejected = [&] {
        Index index = must(Index::open(ann_));
        const auto rows = must(index.plan_candidates());
        const auto row = std::ranges::find(rows, run_.candidate, &PlanCandidate::id);
        return row != rows.end() && row->rejected;
    };
    const auto refuted_at = [&](double val_bpb, const std::string& at) {
        Verdict rerun = must(parse_verdict(verdict("rejected", ann_.writer, at)));
        rerun.tier = Tier::rerun, rerun.reruns = {{1, val_bpb}};
        judge(ann_.ledger_ref(), to_line(rerun), ann_.key);
    };
    const double claimed = *run_.val_bpb;
    refuted_at(claimed + 0.1, "2026-11-21T05:00:00Z");
    EXPECT_FALSE(rejected()) << "there is nothing to compare it with";
    Stranger cai = stranger("cai");
    publish(cai, {scored_run(ann_.task, cai.writer, {{"optim.lr", 0.2}}, 0.1)});
    EXPECT_FALSE(rejected()) << "what nobody verified makes no other candidate bad";
    spool(ann_, run_by(ann_, {{"optim.lr", 0.1}}, 2.8));
    EXPECT_FALSE(rejected()) << "less than claimed, and better than what is known";
    spool(ann_, run_by(ann_, {{"optim.lr", 0.3}}, 2.0));
    EXPECT_FALSE(rejected()) << "better than half of it";
    spool(ann_, run_by(ann_, {{"optim.lr", 0.4}}, 2.0));
    EXPECT_TRUE(rejected()) << "worse than most";
}

TEST_F(VerdictTest, RejectsAClaimAndItsRunsNeverTheCandidateOfOthers) {
    Stranger cai = stranger("cai");
    publish(cai, {scored_run(ann_.task, cai.writer, {}, 2.1, 1)});
    judge(ann_.ledger_ref(), verdict("rejected", ann_.writer, "2026-11-21T05:00:00Z"), ann_.key);
    EXPECT_EQ(standing().runs, 1);
    EXPECT_EQ(standing().verdict, "") << "Cai's run counts, and nobody has claimed it";
    EXPECT_NEAR(standing().val_bpb, *run_.val_bpb * 2.1 / 2.0, 1e-9);
}

TEST_F(IndexTest, ShowsLeasesOfOthersUntilTheirRunArrives) {
    Stranger bob = stranger("bob");
    auto run = scored_run(ann_.task, bob.writer, {}, 2.0);
    Lease lease{ann_.task_id, run.candidate, run.category, 20, 0, bob.writer, "2020-01-01T00:00:00Z"};
    lease.toml = run.toml;
    Lease ended = lease, foreign = lease, swapped = lease;
    swapped.toml = "optim.lr = 0.5\n", swapped.replicate = 3;
    ended.budget_s = 0, ended.replicate = 1;
    foreign.task = std::string(64, '0'), foreign.replicate = 2;
    publish(bob, {lease, ended, foreign, swapped});
    spool(ann_, Lease{ann_.task_id, run.candidate, run.category, 20, 0, ann_.writer, "2026-11-21T04:00:00Z"});
    Index index = must(Index::open(ann_));
    auto live = must(index.leases());
    ASSERT_THAT(live, SizeIs(1));  // valid from the moment when this clone first saw it, whatever the writer's clock
    EXPECT_EQ(live[0].replicate, 0);
    EXPECT_EQ(live[0].writer, bob.writer);
    publish(bob, {run});
    must(index.refresh());
    EXPECT_THAT(must(index.leases()), IsEmpty());
}

// A clone that sees the lease at `seen_s` after now by its clock, and is asked again when the clock is right.
class LeaseTest : public IndexTest {
protected:
    std::size_t live(double budget_s, std::int64_t seen_s) {
        Stranger bob = stranger("bob");
        auto run = scored_run(ann_.task, bob.writer, {}, 2.0);
        publish(bob,
                {Lease{ann_.task_id, run.candidate, run.category, budget_s, 0, bob.writer, "2026-11-21T04:00:00Z"}});
        Index index = must(Index::open(ann_));
        Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
        must(database.execute(fmt::format("UPDATE record SET seen_s = seen_s + {}", seen_s).c_str()));
        return must(index.leases()).size();
    }
    static constexpr std::int64_t kYear_s = 365 * 86400;
};

TEST_F(IndexTest, RemembersItsOwnRunsOfOtherCategoriesHoweverManyStrangersPush) {
    Stranger bob = stranger("bob");
    spool(ann_, run_by(ann_, {{"optim.lr", 0.1}}, 2.0));
    Index index = must(Index::open(ann_));
    std::vector<Record> forged;
    for (int i = 0; i < 20; ++i)
        forged.emplace_back(scored_run(ann_.task, bob.writer, {{"optim.lr", 0.2}}, 2.0 + 0.01 * i, i));
    publish(bob, forged);
    must(index.refresh());
    const auto runs = must(index.runs_elsewhere("another", 5));
    ASSERT_THAT(runs, SizeIs(5));
    EXPECT_EQ(runs[0].writer, ann_.writer) << "oldest first";
    EXPECT_EQ(runs[4].writer, bob.writer);
}

TEST_F(LeaseTest, OfOneCandidateIsBelievedThreeTimes) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    auto run = scored_run(ann_.task, bob.writer, {}, 2.0);
    auto lease = [&](const Stranger& who, int number) {
        return Lease{ann_.task_id, run.candidate, run.category, 20, number, who.writer, "2026-11-21T04:00:00Z"};
    };
    publish(bob, {lease(bob, 0), lease(bob, 1), lease(bob, 2), lease(bob, 3)});
    Index index = must(Index::open(ann_));
    EXPECT_THAT(must(index.leases()), SizeIs(3));
    Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
    must(database.execute("UPDATE record SET seen_s = seen_s - 31"));
    publish(eve, {lease(eve, 4)});
    must(index.refresh());
    EXPECT_THAT(must(index.leases()), IsEmpty()) << "another key does not hold it on and on";
}

TEST_F(LeaseTest, IsGoodForOneAndAHalfBudgets) { EXPECT_EQ(live(20, -20), 1u); }
TEST_F(LeaseTest, EndsAfterOneAndAHalfBudgets) { EXPECT_EQ(live(20, -31), 0u); }
TEST_F(LeaseTest, IsBelievedForThePoolsBudgetAtMost) { EXPECT_EQ(live(1e6, -31), 0u); }
TEST_F(LeaseTest, OfAHugeBudgetIsGoodAtFirst) { EXPECT_EQ(live(1e6, -20), 1u); }
TEST_F(LeaseTest, SeenByAClockThatWasAYearAheadIsNotGoodForAYear) { EXPECT_EQ(live(20, kYear_s), 0u); }
TEST_F(LeaseTest, SeenByAClockThatWasAYearBehindIsOver) { EXPECT_EQ(live(20, -kYear_s), 0u); }

// Clocks that are years ahead or behind: times are shown as recorded, and the runs neither hide nor outlive others.
TEST_F(IndexTest, RunsOfAClockThatIsAheadDoNotStayTheNewest) {
    Stranger ahead = stranger("ahead"), behind = stranger("behind"), right = stranger("right");
    auto run_at = [&](const Stranger& who, int replicate, const std::string& ended) {
        auto run = scored_run(ann_.task, who.writer, {}, 2.0, replicate);
        run.started = run.ended = ended;
        return run;
    };
    publish(ahead, {run_at(ahead, 0, "2999-01-01T00:00:00Z")});
    publish(behind, {run_at(behind, 1, "1999-01-01T00:00:00Z")});
    Index index = must(Index::open(ann_));
    EXPECT_THAT(index.opened_with().refused, IsEmpty());
    publish(right, {run_at(right, 2, utc_text(std::time(nullptr) + 60))});
    must(index.refresh());
    auto rows = must(index.newest_runs(10));
    ASSERT_THAT(rows, SizeIs(3));
    EXPECT_EQ(rows[0].run.writer, right.writer);
    EXPECT_EQ(rows[1].run.ended, "2999-01-01T00:00:00Z");
    EXPECT_EQ(rows[2].run.writer, behind.writer);
    EXPECT_THAT(must(index.standings()), SizeIs(1));
}

}  // namespace
}  // namespace cultivar
