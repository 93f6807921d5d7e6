#include "pool/index/index.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sqlite.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(IndexTest, RanksCandidatesByTheMeanOfTheirRuns) {
    auto good = run_by(ann_, {{"optim.lr", 0.1}}, 2.0), again = run_by(ann_, {{"optim.lr", 0.1}}, 2.2, 1);
    auto better = run_by(ann_, {{"optim.lr", 0.2}}, 2.05), failed = run_by(ann_, {{"optim.lr", 0.3}}, 1.0);
    failed.status = RunStatus::failed;
    failed.decision = Decision::none;
    better.decision = Decision::reverted;
    for (const auto& run : {good, again, better, failed}) spool(ann_, run);
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().runs, 4);
    EXPECT_EQ(index.opened_with().candidates, 3);
    EXPECT_EQ(told(index.opened_with()), "");
    auto rows = must(index.standings());
    ASSERT_THAT(rows, SizeIs(2));
    EXPECT_EQ(rows[0].candidate, better.candidate);
    EXPECT_FALSE(rows[0].kept);
    EXPECT_EQ(rows[1].runs, 2);
    EXPECT_TRUE(rows[1].kept);
    EXPECT_NEAR(rows[1].val_bpb, (*good.val_bpb + *again.val_bpb) / 2, 1e-12);
    EXPECT_EQ(rows[1].contributor, ann_.writer);
    EXPECT_EQ(must(index.replicates(good.candidate)), 2);
    auto totals = must(index.totals());
    EXPECT_EQ((std::vector{totals.runs, totals.done, totals.failed, totals.kept, totals.candidates}),
              (std::vector{4, 3, 1, 1, 3}));
}

TEST_F(IndexTest, NamesTheFirstContributorAndTheMeanCostOfACandidate) {
    Stranger bob = stranger("bob");
    auto first = run_by(ann_, {}, 2.0), second = run_by(ann_, {}, 2.0, 1);
    first.decision = Decision::undecided;
    first.energy.train_joules = 81.92;
    second.energy.train_joules = 245.76;
    auto old = run_by(ann_, {}, 2.0, 2);  // from before that was recorded
    auto other = scored_run(ann_.task, bob.writer, {}, 3.0, 3);
    other.energy.train_joules = 300;
    spool(ann_, first);
    must(Index::open(ann_));  // imported first
    spool(ann_, second);
    spool(ann_, old);
    publish(bob, {other});
    Index index = must(Index::open(ann_));
    auto rows = must(index.standings());
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].runs, 3);
    EXPECT_TRUE(rows[0].kept);
    EXPECT_EQ(rows[0].contributor, ann_.writer);
    EXPECT_EQ(rows[0].cost.parameters, 1234);
    EXPECT_EQ(rows[0].cost.forward_flops_per_token, 2468);
    EXPECT_NEAR(rows[0].cost.joules_per_token.value(), 2e-4, 1e-12);
}

TEST_F(IndexTest, MeasuresNoiseWithinCandidates) {
    const auto one = run_by(ann_, {}, 2.0), again = run_by(ann_, {}, 2.2, 1),
               other = run_by(ann_, {{"optim.lr", 0.1}}, 9);
    spool(ann_, one);
    spool(ann_, other);
    EXPECT_FALSE(must(must(Index::open(ann_)).noise(one.category)));
    spool(ann_, again);
    Index index = must(Index::open(ann_));
    EXPECT_NEAR(must(index.noise(one.category)).value(), std::abs(*again.val_bpb - *one.val_bpb) / std::sqrt(2), 1e-12);
    EXPECT_FALSE(must(index.noise("another")));
}

TEST_F(IndexTest, ResolvesPrefixesAsGitDoes) {
    std::string id = run_by(ann_, {{"optim.lr", 0.1}}, 2.0).candidate;
    std::string record = spool(ann_, run_by(ann_, {{"optim.lr", 0.1}}, 2.0));
    for (int i = 0; i < 300; ++i) spool(ann_, run_by(ann_, {{"optim.bias", 0.01 * i}}, 2.0));
    Index index = must(Index::open(ann_));
    EXPECT_EQ(must(index.resolve_candidate(id.substr(0, 12))), id);
    EXPECT_EQ(must(index.resolve_any(record.substr(0, 12))), record);
    for (const char* bad : {"", "abc"}) EXPECT_EQ(trouble(index.resolve_candidate(bad)).code, Code::usage) << bad;
    for (const char* bad : {"zzzz", "ABCDEF", "%%%%", "'; DROP TABLE record; --", "*", "[0-9]*"})
        EXPECT_EQ(trouble(index.resolve_candidate(bad)).code, Code::not_found) << bad;
    EXPECT_EQ(trouble(index.resolve_candidate(std::string(65, '0'))).code, Code::not_found);
}

// Tests the reason for each refusal, and that the honest run beside them is accepted.
TEST_F(IndexTest, RefusesRecordsThatDoNotHoldTogether) {
    Stranger bob = stranger("bob");
    const std::pair<const char*, std::function<void(cultivar::Run&)>> cases[] = {
        {"hashes to", [](auto& run) { run.candidate[0] = run.candidate[0] == '0' ? '1' : '0'; }},
        {"hashes to", [](auto& run) { run.toml += "optim.lr = 0.5\n"; }},
        {"not in canonical form", [](auto& run) { run.toml += "\n"; }},
        {"unknown gene", [](auto& run) { run.toml = "nonsense = 1\n"; }},
        {"seed is not the derived one", [](auto& run) { ++run.seed; }},
        {"seed is not the derived one", [](auto& run) { ++run.replicate; }},
        {"category is not a plain word", [](auto& run) { run.category = "cpu\x1b[2J"; }},
        {"category is not a plain word", [](auto& run) { run.category.clear(); }},
        {"as its writer", [&](auto& run) { run.writer = ann_.writer; }},
        {"does not follow from val_loss", [](auto& run) { *run.val_bpb *= 0.97; }},
        {"do not add up", [](auto& run) { run.chunk_loss_sums[5] *= 1.01; }},
        {"64 chunk losses", [](auto& run) { run.chunk_loss_sums.pop_back(); }},
        {"no artifact", [](auto& run) { run.artifact.clear(); }},
        {"over the cap", [](auto& run) { run.artifact_bytes = 16'000'001; }},
        {"made no step", [](auto& run) { run.steps = 0; }},
        {"on a budget of", [](auto& run) { run.train_s = 40; }}};
    std::vector<Record> records = {scored_run(ann_.task, bob.writer, {}, 2.0)};
    for (const auto& [why, spoil] : cases) {
        auto run = scored_run(ann_.task, bob.writer, {{"model.layers", whole(7)}}, 2.0);
        spoil(run);
        records.push_back(run);
    }
    publish(bob, records);
    Index index = must(Index::open(ann_));
    const auto& refused = index.opened_with().refused;
    ASSERT_EQ(refused.size(), std::size(cases)) << told(index.opened_with());
    for (std::size_t i = 0; i < refused.size(); ++i) {
        EXPECT_THAT(refused[i].reason, HasSubstr(cases[i].first));
        EXPECT_THAT(refused[i].where,
                    AllOf(HasSubstr(bob.writer), HasSubstr(record_id(to_line(records[i + 1])).substr(0, 8))));
    }
    EXPECT_THAT(must(index.standings()), SizeIs(1));
    EXPECT_THAT(must(index.candidates()), SizeIs(1));
    EXPECT_EQ(must(index.totals()).refused, static_cast<int>(std::size(cases)));
}

TEST_F(IndexTest, CountsRunsOfAnEarlierTaskApartFromWhatIsRefused) {
    Stranger bob = stranger("bob");
    auto old = scored_run(ann_.task, bob.writer, {}, 2.0), spooled = run_by(ann_, {}, 2.0);
    old.task = spooled.task = std::string(64, '0');
    publish(bob, {old});
    spool(ann_, spooled);
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().other_task, 2);
    EXPECT_EQ(told(index.opened_with()), "");
    EXPECT_EQ(must(index.totals()).other_task, 2);
    EXPECT_EQ(must(index.totals()).refused, 0);
    EXPECT_THAT(must(index.runs()), IsEmpty());
}

TEST_F(IndexTest, KeepsAnOwnersRecordWhoeverCopiedItFirst) {
    Stranger aaron = stranger("aaron"), zoe = stranger("zoe");  // journals are read in this order
    auto run = scored_run(ann_.task, zoe.writer, {}, 2.0);
    Lease lease{ann_.task_id, std::string(32, 'a'), "cpu-20s-e10.5", 20, 0, zoe.writer, "2026-11-21T04:00:00Z"};
    publish(aaron, {run, lease});
    { EXPECT_THAT(must(must(Index::open(ann_)).standings()), IsEmpty()); }
    publish(zoe, {run, lease});
    std::string incremental;
    {
        Index index = must(Index::open(ann_));
        EXPECT_THAT(must(index.standings()), SizeIs(1));
        EXPECT_THAT(must(index.leases()), SizeIs(1));
        incremental = answers(index);
    }
    EXPECT_EQ(rebuilt(), incremental);
    Index index = must(Index::open(ann_));
    EXPECT_THAT(must(index.runs()), SizeIs(1));
    EXPECT_FALSE(must(index.runs())[0].refused);
}

TEST_F(IndexTest, AnswersTheSameWhetherGrownOrRebuilt) {
    Stranger bob = stranger("bob");
    std::string last;
    for (int push = 0; push < 6; ++push) {
        std::vector<Record> theirs;
        for (int i = 0; i < 40; ++i) {
            auto run =
                scored_run(ann_.task, bob.writer, {{"optim.bias", 0.1 * (i % 7)}}, 2.0 + 0.001 * i, push * 10 + i);
            if (i % 9 == 0) ++run.seed;
            theirs.push_back(run);
        }
        publish(bob, theirs);
        auto own = run_by(ann_, {{"optim.lr", 0.1 + 0.1 * push}}, 2.0);
        give_artifact(ann_, own, "weights");
        spool(ann_, own);
        spool(ann_, claim_of(ann_, {own}));
        if (push % 2) must(commit_spool(ann_));
        Index index = must(Index::open(ann_));
        CandidateCommit commit = must(index.commit_of(own.candidate));
        std::string branch = "refs/heads/" + candidate_branch(own.candidate, commit.oid);
        if (!must(ann_.repo.ref(branch))) must(ann_.repo.set_ref(branch, commit.oid, ""));
        must(index.refresh());
        must(index.refresh());
        last = answers(index);
    }
    must(commit_spool(ann_));
    std::string grown;
    {
        Index index = must(Index::open(ann_));
        EXPECT_EQ(index.opened_with().runs, 0);  // already known from the spool
        grown = answers(index);
    }
    EXPECT_EQ(grown, last);
    auto sorted = [](const std::string& text) {
        std::vector<std::string> lines;
        for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
            lines.push_back(text.substr(begin, end - begin));
        std::sort(lines.begin(), lines.end());
        return lines;
    };
    EXPECT_EQ(sorted(rebuilt()), sorted(grown));  // records may be imported in another order
}

TEST_F(IndexTest, TellsByItsVersionThatAnotherProcessWroteToIt) {
    Index index = must(Index::open(ann_));
    const std::int64_t before = must(index.version());
    must(index.refresh());
    EXPECT_EQ(must(index.version()), before);
    spool(ann_, run_by(ann_, {}, 2.0));
    EXPECT_EQ(must(index.version()), before) << "nothing is read before a refresh";
    Index other = must(Index::open(ann_));
    EXPECT_EQ(must(index.refresh()).runs, 0) << "the other one read it";
    EXPECT_NE(must(index.version()), before);
}

TEST_F(IndexTest, IsRebuiltWhenItsFileIsBroken) {
    for (int i = 0; i < 200; ++i) spool(ann_, run_by(ann_, {{"optim.bias", 0.01 * i}}, 2.0));
    const std::string path = ann_.index_dir() + "index.sqlite", sound = rebuilt();
    const char* const injuries[] = {"printf 'not a database, but long enough to be taken for one' > ",
                                    "dd if=/dev/urandom bs=4096 seek=2 count=30 conv=notrunc of=", "truncate -s 5000 ",
                                    "truncate -s 0 "};
    for (const char* injury : injuries) {
        std::filesystem::remove(path + "-wal");
        shell(std::string(injury) + path);
        auto index = Index::open(ann_);
        ASSERT_TRUE(index) << injury << ": " << index.error().message;
        EXPECT_EQ(answers(*index), sound) << injury;
    }
}

// Pages that are damaged where an open does not look are met by a query.
TEST_F(IndexTest, TellsADamagedIndexApartWhoeverMeetsIt) {
    for (int i = 0; i < 700; ++i) spool(ann_, run_by(ann_, {{"optim.bias", 0.001 * i}}, 2.0));
    const std::string path = ann_.index_dir() + "index.sqlite";
    {
        Index index = must(Index::open(ann_));
        Database database = must(Database::open(path));
        must(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
    shell("dd if=/dev/zero bs=16384 seek=8 count=60 conv=notrunc of=" + path);
    bool met = false;
    Index index = must(Index::open(ann_));
    auto look = [&](const auto& answer) { met = met || (!answer && answer.error().reason == Reason::bad_index); };
    look(index.runs());
    look(index.standings());
    look(index.candidates());
    EXPECT_TRUE(met);
}

TEST_F(IndexTest, SaysWhereToLookForRoomWhenItsDiskIsFull) {
    Database database = must(Database::open(ann_.state_dir + "full.sqlite"));
    must(database.execute("CREATE TABLE t (text); PRAGMA max_page_count = 4"));
    auto written = database.execute("INSERT INTO t VALUES (zeroblob(1000000))");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::io);
    EXPECT_THAT(written.error().message, HasSubstr("full"));
    const std::string folder = std::filesystem::path(ann_.state_dir).parent_path().string();  // less the last slash
    EXPECT_EQ(written.error().hint, "df -h " + folder);
}

// The ref of a refused log is also reset to its last good commit, so that it can be followed again once it is repaired.
TEST_F(IndexTest, RefusesAJournalThatWasRewoundOrRewrittenEvenWhenItIsRebuilt) {
    Stranger bob = stranger("bob");
    publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.0)});
    Oid first = *must(ann_.repo.ref(bob.ref));
    publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.1, 1)});
    Oid second = *must(ann_.repo.ref(bob.ref));
    { EXPECT_EQ(must(Index::open(ann_)).opened_with().runs, 2); }
    std::string other = to_line(scored_run(ann_.task, bob.writer, {}, 1.0)) + "\n";
    Oid edited = signed_by_hand(bob, "seg", "000000.jsonl", other + other, {second});
    const std::pair<Oid, const char*> cases[] = {{first, "was rewound since it was last seen"},
                                                 {edited, "was rewritten since it was last seen"}};
    for (const auto& [tip, why] : cases) {
        for (bool rebuild : {false, true}) {
            must(ann_.repo.set_ref(bob.ref, tip, second));
            if (rebuild) std::filesystem::remove(ann_.index_dir() + "index.sqlite");
            Index index = must(Index::open(ann_));
            EXPECT_EQ(told(index.opened_with()), bob.ref + ": " + why + "\n");
            EXPECT_THAT(must(index.runs()), SizeIs(2));
            EXPECT_EQ(must(ann_.repo.ref(bob.ref)), second);
        }
    }
    publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.2, 2)});
    Index index = must(Index::open(ann_));
    EXPECT_EQ(told(index.opened_with()), "");
    EXPECT_THAT(must(index.runs()), SizeIs(3));
}

TEST_F(IndexTest, RefusesJournalsOfOtherNamesKeysAndForms) {
    Stranger bob = stranger("bob"), eve = stranger("eve"), dan = stranger("dan"), flo = stranger("flo");
    std::string line = to_line(scored_run(ann_.task, bob.writer, {}, 2.0)) + "\n";
    must(ann_.repo.set_ref(bob.ref, signed_by_hand(eve, "seg", "000000.jsonl", line), ""));
    must(ann_.repo.set_ref(dan.ref, signed_by_hand(dan, "log", "000000.jsonl", line), ""));
    must(ann_.repo.set_ref(flo.ref, signed_by_hand(flo, "seg", "000000.jsonl", "{}"), ""));
    commit_by_hand(world_.path("ann"), eve.ref, {{"seg/000000.jsonl", line}});
    const std::string nobody = "refs/remotes/origin/journal/nobody";
    must(ann_.repo.set_ref(nobody, signed_by_hand(eve, "seg", "000000.jsonl", line), ""));
    Index index = must(Index::open(ann_));
    EXPECT_EQ(told(index.opened_with()), bob.ref + ": is signed by another key than its name says\n" +  //
                                             dan.ref + ": a log's tree holds something else than seg/\n" + eve.ref +
                                             ": is not signed by its writer\n" + flo.ref +
                                             ": a log's segment does not end with a line feed\n" + nobody +
                                             ": is not a writer's name\n");
    EXPECT_THAT(must(index.runs()), IsEmpty());
}

TEST_F(IndexTest, PassesOverWhatItCannotReadInAJournal) {
    Stranger bob = stranger("bob");
    must(append_log(ann_.repo, bob.ref,
                    {"garbage", "{\"v\":9,\"type\":\"run\"}", to_line(scored_run(ann_.task, bob.writer, {}, 2.0))},
                    {"bob", "b@x.org", 1}, bob.key));
    Index index = must(Index::open(ann_));
    EXPECT_THAT(told(index.opened_with()), AllOf(HasSubstr("is not JSON"), HasSubstr("newer cultivar")));
    EXPECT_THAT(must(index.standings()), SizeIs(1));
}

TEST_F(IndexTest, IsRebuiltWhenThePoolsSpaceWidens) {
    Stranger bob = stranger("bob");
    Task wider = ann_.task;
    std::vector<Gene> genes = tiny_genes();
    genes[0].high = 64;
    wider.space = must(Space::make(genes, tiny_constraints()));
    publish(bob, {scored_run(wider, bob.writer, {{"model.layers", whole(50)}}, 2.0)});
    { EXPECT_THAT(told(must(Index::open(ann_)).opened_with()), HasSubstr("out of range")); }
    must(ann_.commit_main({{"pool.toml", to_toml(wider)}}, "Widen"));
    must(ann_.reload_task());
    Index index = must(Index::open(ann_));
    EXPECT_EQ(told(index.opened_with()), "");
    EXPECT_THAT(must(index.standings()), SizeIs(1));
}

TEST_F(IndexTest, IsSharedByProcessesThatOpenItAtOnce) {
    for (int i = 0; i < 50; ++i) spool(ann_, run_by(ann_, {{"optim.bias", 0.01 * i}}, 2.0));
    std::vector<pid_t> readers;
    for (int i = 0; i < 6; ++i) {
        pid_t pid = ::fork();
        if (pid == 0) {
            Clone own = world_.reopen("ann");
            auto index = Index::open(own);
            if (!index) ADD_FAILURE() << index.error().message;
            ::_exit(index && must(index->standings()).size() == 50 ? 0 : 1);
        }
        readers.push_back(pid);
    }
    for (pid_t pid : readers) {
        int status = -1;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    }
}

}  // namespace
}  // namespace cultivar
