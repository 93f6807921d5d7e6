// Tests journals of strangers that are large, full of rubbish, or lie: none of them costs another anything.
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "pool/clone/seeds.h"
#include "pool/index/record_import.h"
#include "pool/storage/bundle.h"
#include "pool/util/text.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class HostileLogTest : public IndexTest {
protected:
    HostileLogTest() : bob_(stranger("bob")), eve_(stranger("eve")), zoe_(stranger("zoe")) {}

    // Publishes these lines of a stranger; an honest run of others lies before and behind.
    void publish_lines(const Stranger& who, const std::vector<std::string>& lines) {
        must(append_log(ann_.repo, who.ref, lines, {who.writer, "x@example.org", 1795232400}, who.key));
    }
    cultivar::Run honest(const Stranger& who, double score) { return scored_run(ann_.task, who.writer, {}, score); }
    // A log that names one file `times` times.
    void publish_bomb(const Stranger& who, int times) {
        std::string segment;
        for (int i = 0; i < 100; ++i) segment += std::string(2000, 'x') + "\n";
        const Oid blob = must(ann_.repo.write_blob(segment));
        std::vector<TreeEntry> entries;
        for (int i = 0; i < times; ++i) entries.push_back({fmt::format("{:06}.jsonl", i), blob, false, true});
        const Oid folder = must(ann_.repo.write_tree(entries));
        const Oid tree = must(ann_.repo.write_tree({{"seg", folder, true, false}}));
        const Identity identity{who.writer, "x@example.org", 1795232400};
        must(ann_.repo.set_ref(who.ref, must(ann_.repo.write_commit({tree, {}, identity, "x\n"}, &who.key)), ""));
    }
    // Parents of a candidate as the index knows them.
    std::vector<std::string> parents(Index& index, const std::string& id) { return must(index.candidate(id))->parents; }
    int rows(const std::string& table = "record") {
        Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
        Statement count = must(database.prepare("SELECT COUNT(*) FROM " + table));
        return must(count.first([](Row& row) { return row.count(); })).value();
    }

    Stranger bob_, eve_, zoe_;
};

TEST_F(HostileLogTest, ABombIsSkippedToldOnceAndCostsNoOtherLog) {
    publish(bob_, {honest(bob_, 2.0)});
    publish_bomb(eve_, 300);
    publish(zoe_, {honest(zoe_, 2.1)});
    {
        Index index = must(Index::open(ann_));
        EXPECT_EQ(index.opened_with().runs, 2);
        EXPECT_EQ(told(index.opened_with()), eve_.ref + ": a log names one file under two names\n");
        EXPECT_EQ(must(index.totals()).refused, 1);
        EXPECT_THAT(must(index.worthless_refs()), testing::ElementsAre(eve_.ref));
    }
    publish(bob_, {scored_run(ann_.task, bob_.writer, {}, 2.2, 1)});
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().runs, 1);
    EXPECT_EQ(told(index.opened_with()), "");
    must(ann_.repo.delete_ref(eve_.ref));
    must(index.refresh());
    EXPECT_EQ(must(index.totals()).refused, 0) << "a refused log that is gone is of no concern";
}

TEST_F(HostileLogTest, RubbishIsCountedAndNotStored) {
    std::vector<std::string> lines;
    for (int i = 0; i < 5000; ++i) lines.push_back(fmt::format("rubbish {}", i));
    lines.push_back(to_line(honest(eve_, 1.0)));
    publish_lines(eve_, lines);
    publish(zoe_, {honest(zoe_, 2.1)});
    {
        Index index = must(Index::open(ann_));
        EXPECT_EQ(index.opened_with().runs, 1) << "what comes after so much rubbish does not count";
        EXPECT_LE(index.opened_with().refused.size(), 22u);
        EXPECT_THAT(told(index.opened_with()), HasSubstr("it is read no further"));
        EXPECT_EQ(must(index.totals()).refused, kMostRubbish);
    }
    EXPECT_EQ(rows(), 1);
    publish(eve_, {honest(eve_, 1.1)});
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().runs, 0);
    EXPECT_EQ(told(index.opened_with()), "");
    EXPECT_EQ(answers(index), rebuilt());
}

TEST_F(HostileLogTest, StopsAtTheSameRecordHoweverTheRubbishCame) {
    int number = 0;
    for (int push = 0; push < 6; ++push) {
        std::vector<std::string> lines;
        for (int i = 0; i < 230; ++i) lines.push_back(fmt::format("rubbish {}", ++number));
        lines.push_back(to_line(scored_run(ann_.task, eve_.writer, {}, 2.0, push)));
        publish_lines(eve_, lines);
        must(Index::open(ann_));
    }
    std::string grown;
    {
        Index index = must(Index::open(ann_));
        EXPECT_THAT(must(index.runs()), SizeIs(4));  // 4 x 230 < 1000 <= 5 x 230
        grown = answers(index);
    }
    EXPECT_EQ(rebuilt(), grown);
}

TEST_F(HostileLogTest, RecordsThatFailTheirChecksEndALogTheSameWay) {
    std::vector<Record> records;
    for (int i = 0; i < 1100; ++i) {
        Lease lease{ann_.task_id,          std::string(32, 'a'), "cpu-20s-e10.5", 20, i, "somebody.else.01234567",
                    "2026-11-21T04:00:00Z"};
        records.push_back(lease);
    }
    publish(eve_, records);
    Index index = must(Index::open(ann_));
    EXPECT_EQ(must(index.totals()).refused, kMostRubbish);
    EXPECT_LE(index.opened_with().refused.size(), 22u);
}

// Each of many claims names a hundred runs that nobody has.
TEST_F(HostileLogTest, ClaimsThatNameFarMoreRunsThanWerePublishedAreRubbish) {
    const auto run = honest(eve_, 2.0);
    const auto boast = [&](int number) {
        Claim claim = claim_of(ann_, {run});
        claim.writer = eve_.writer, claim.at = fmt::format("2026-11-22T05:{:02}:{:02}Z", number / 60, number % 60);
        for (int i = 0; i < 99; ++i) claim.runs.push_back(fmt::format("{:032x}{:032x}", number, i));
        return claim;
    };
    std::vector<Record> records{run};
    for (int number = 0; number < 100; ++number) records.emplace_back(boast(number));
    publish(eve_, records);
    publish(bob_, {honest(bob_, 2.1)});
    {
        Index index = must(Index::open(ann_));
        EXPECT_EQ(index.opened_with().runs, 2);
        EXPECT_THAT(told(index.opened_with()), HasSubstr("name far more runs than it has published"));
        EXPECT_EQ(must(index.totals()).claims, 100);
        EXPECT_EQ(must(index.totals()).refused, 90);
    }
    EXPECT_EQ(rows("claim_run"), kFreeLinks);
    publish(eve_, {boast(100)});
    {
        Index index = must(Index::open(ann_));
        EXPECT_EQ(must(index.totals()).refused, 91) << "it is remembered";
        EXPECT_EQ(answers(index), rebuilt());
    }
    EXPECT_EQ(rows("claim_run"), kFreeLinks);
}

TEST_F(HostileLogTest, ALogThatIsAllRubbishGoesOnceItIsDeletedOnTheHosting) {
    std::vector<std::string> lines;
    for (int i = 0; i < kMostRubbish; ++i) lines.push_back(fmt::format("rubbish {}", i));
    publish_lines(eve_, lines);
    lines.insert(lines.begin(), to_line(honest(bob_, 2.0)));
    publish_lines(bob_, lines);
    Index index = must(Index::open(ann_));
    EXPECT_THAT(must(index.worthless_refs()), testing::ElementsAre(eve_.ref)) << "Bob's holds a good record";
    must(ann_.repo.delete_ref(eve_.ref));
    must(index.refresh());
    EXPECT_EQ(must(index.totals()).refused, kMostRubbish) << "Bob's";
    EXPECT_THAT(must(index.worthless_refs()), IsEmpty());
}

// Valid records cost nothing to write: a thousand times more of them must not bury those of others.
class ManyRecordsTest : public HostileLogTest {
protected:
    // Publishes as many failed runs, and as many leases.
    void publish_both(int first, int count) {
        std::vector<Record> records;
        auto run = scored_run(ann_.task, eve_.writer, {}, 2.0);
        run.status = RunStatus::failed, run.val_bpb = run.val_loss = std::nullopt, run.artifact = "";
        run.chunk_loss_sums.clear(), run.curve.clear();
        for (int i = first; i < first + count; ++i) {
            run.replicate = i, run.seed = run_seed(run.candidate, i);
            records.push_back(run);
            records.push_back(Lease{ann_.task_id, run.candidate, run.category, 20, i, eve_.writer, run.ended});
        }
        publish(eve_, records);
    }
    // As if so many of either kind had come from eve so far.
    void count_as(int so_many) {
        Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
        const std::string update =
            fmt::format("UPDATE log SET failures = {0}, leases = {0} WHERE failures > 0", so_many);
        must(database.execute(update.c_str()));
    }
    int most(int LogTally::*kind) {
        for (const auto& [limited, most] : kMostOfAWriter) {
            if (limited == kind) return most;
        }
        return 0;
    }
    const int kMost = most(&LogTally::failures);
};

TEST_F(ManyRecordsTest, OfOneWriterTheFirstOfEachKindAreTakenAndTheRestIsCounted) {
    ASSERT_EQ(kMost, most(&LogTally::leases));
    publish_both(1, 2);
    must(Index::open(ann_));
    count_as(kMost - 1);
    publish_both(3, 6);
    publish(eve_, {honest(eve_, 2.0)});
    publish(zoe_, {honest(zoe_, 2.1)});
    {
        Index index = must(Index::open(ann_));
        EXPECT_EQ(told(index.opened_with()),
                  eve_.ref + ": holds more records of a kind than are taken of one writer: 10 are passed over\n");
        EXPECT_EQ(must(index.totals()).failed, 3);
        EXPECT_EQ(must(index.totals()).done, 2) << "of other kinds there is room";
        EXPECT_EQ(must(index.totals()).refused, 10);
    }
    EXPECT_EQ(rows(), 2 * 3 + 2);
    publish(eve_, {scored_run(ann_.task, eve_.writer, {{"optim.lr", 0.1}}, 2.0)});
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().runs, 1);
    EXPECT_EQ(told(index.opened_with()), "") << "it is told once";
}

TEST_F(ManyRecordsTest, AVerifierMayHaveAnyNumber) {
    must(ann_.commit_main({{"allowed_signers", eve_.writer + " " + eve_.key.public_text() + "\n"}}, "Trust eve"));
    publish_both(1, 2);
    must(Index::open(ann_));
    count_as(kMost);
    publish_both(3, 6);
    Index index = must(Index::open(ann_));
    EXPECT_EQ(told(index.opened_with()), "");
    EXPECT_EQ(must(index.totals()).failed, 8);
}

// A pack holds a commit of a megabyte in a few bytes.
TEST_F(HostileLogTest, ABundleOfHugeCommitsIsRefusedBeforeTheyAreRead) {
    must(ann_.repo.write_tree({}));
    const Oid blob = must(ann_.repo.write_blob(""));
    const Oid tree = must(ann_.repo.write_tree({{"candidate.toml", blob, false, true}}));
    const std::string huge(1'000'000, 'm');
    const Identity identity{eve_.writer, "x@example.org", 1795232400};
    Bundle bundle;
    for (int i = 0; i < 70; ++i)
        bundle.candidates.push_back(
            must(ann_.repo.write_commit({tree, {}, identity, fmt::format("{} {}\n", huge, i)}, &eve_.key)));
    const Oid commit = must(write_bundle(ann_.repo, bundle, kEmptyTree, identity, "x\n", eve_.key));
    must(ann_.repo.set_ref("refs/sources/s/bundle/1", commit, ""));
    publish(bob_, {honest(bob_, 2.0)});
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().runs, 1);
    EXPECT_EQ(told(index.opened_with()), "refs/sources/s/bundle/1: carries commits of too many bytes\n");
}

// The new end of an archive can be read, its beginning cannot.
TEST_F(HostileLogTest, AnArchiveWithADamagedBeginningKeepsNobodyFromARebuiltIndex) {
    must(ann_.repo.write_tree({}));
    const Identity identity{ann_.writer, "x@example.org", 1795232400};
    const std::string ref = "refs/remotes/origin/archive";
    Bundle bundle;
    const Oid first = must(write_bundle(ann_.repo, bundle, kEmptyTree, identity, "one\n", ann_.key));
    bundle.before = first;
    const Oid second = must(write_bundle(ann_.repo, bundle, kEmptyTree, identity, "two\n", ann_.key));
    must(ann_.repo.set_ref(ref, second, ""));
    publish(bob_, {honest(bob_, 2.0)});
    EXPECT_EQ(told(must(Index::open(ann_)).opened_with()), "");
    std::filesystem::remove(ann_.repo.git_dir() + "objects/" + first.substr(0, 2) + "/" + first.substr(2));
    ann_ = world_.reopen("ann");
    std::filesystem::remove(ann_.index_dir() + "index.sqlite");
    Index index = must(Index::open(ann_));
    EXPECT_EQ(index.opened_with().runs, 1);
    EXPECT_THAT(told(index.opened_with()), HasSubstr(ref + ": "));
}

TEST_F(HostileLogTest, AReportHasABoundWhoeverWritesItsLines) {
    RefreshReport report;
    for (int i = 0; i < 100'000; ++i) report.refuse("refs/remotes/origin/candidates/x", "is wrong");
    EXPECT_EQ(report.refused.size(), RefreshReport::kMostRefusals);
    EXPECT_EQ(report.more_refused, 100'000 - static_cast<int>(RefreshReport::kMostRefusals));
}

TEST_F(HostileLogTest, LongTextIsCutBetweenItsCharacters) {
    auto run = honest(bob_, 2.0);
    run.status = RunStatus::unfit, run.val_bpb = run.val_loss = std::nullopt, run.artifact = "";
    for (int i = 0; i < 500; ++i) run.reason += "\u5b66";
    publish(bob_, {run});
    Index index = must(Index::open(ann_));
    const std::string reason = must(index.unfit()).at(0).reason;
    EXPECT_GT(reason.size(), 200u);
    EXPECT_EQ(valid_utf8(reason), reason);
}

// --- Parents ----------------------------------------------------------------------------------------------------------

TEST_F(HostileLogTest, ParentsThatNobodyHasCountAsNone) {
    auto run = honest(bob_, 2.0);
    run.parents = {std::string(32, 'd')};
    auto self = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.1}}, 2.0);
    self.parents = {self.candidate};
    publish(bob_, {run, self});
    Index index = must(Index::open(ann_));
    for (const cultivar::Run& one : {run, self}) {
        EXPECT_THAT(parents(index, one.candidate), IsEmpty());
        EXPECT_THAT(must(index.commit_of(one.candidate)).parents, IsEmpty());
    }
}

TEST_F(HostileLogTest, ParentsCountOnceTheyAreKnown) {
    auto parent = honest(zoe_, 2.0), child = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.1}}, 1.9);
    child.parents = {parent.candidate};
    publish(bob_, {child});
    { EXPECT_THAT(must(must(Index::open(ann_)).candidate(child.candidate))->parents, IsEmpty()); }
    publish(zoe_, {parent});
    Index index = must(Index::open(ann_));
    EXPECT_THAT(parents(index, child.candidate), testing::ElementsAre(parent.candidate));
    EXPECT_EQ(must(index.commit_of(child.candidate)).parents.size(), 1u);
}

TEST_F(HostileLogTest, ParentsInACircleCountAsNoneFromWhereverOneLooks) {
    auto one = honest(bob_, 2.0), two = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.1}}, 2.0);
    one.parents = {two.candidate};
    two.parents = {one.candidate};
    publish(bob_, {one, two});
    Oid first, second;
    {
        Index index = must(Index::open(ann_));
        first = must(index.commit_of(one.candidate)).oid;
        second = must(index.commit_of(two.candidate)).oid;
    }
    Index index = must(Index::open(ann_));
    EXPECT_EQ(must(index.commit_of(two.candidate)).oid, second) << "it does not depend on the order of the questions";
    EXPECT_EQ(must(index.commit_of(one.candidate)).oid, first);
}

TEST_F(HostileLogTest, AnOwnRecordIsBelievedBeforeAStrangers) {
    auto parent = run_by(ann_, {{"optim.lr", 0.3}}, 2.0), own = run_by(ann_, {}, 2.0), other = honest(bob_, 2.0);
    auto false_parent = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.7}}, 2.0);
    own.parents = {parent.candidate};
    other.parents = {false_parent.candidate};
    publish(bob_, {false_parent, other});
    { EXPECT_THAT(parents(*std::make_unique<Index>(must(Index::open(ann_))), own.candidate), SizeIs(1)); }
    spool(ann_, parent);
    spool(ann_, own);
    {
        Index index = must(Index::open(ann_));
        EXPECT_THAT(parents(index, own.candidate), testing::ElementsAre(parent.candidate));
    }
    must(commit_spool(ann_));
    rebuilt();
    Index index = must(Index::open(ann_));
    EXPECT_THAT(parents(index, own.candidate), testing::ElementsAre(parent.candidate));
}

TEST_F(HostileLogTest, ASeedHasNoParentsWhateverAStrangerSays) {
    must(ann_.commit_main({{"seeds/start.toml", "optim.lr = 0.02\n"}}, "Add a seed"));
    auto known = honest(bob_, 2.0), seed = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.02}}, 2.0);
    seed.parents = {known.candidate};
    publish(bob_, {known, seed});
    Index index = must(Index::open(ann_));
    ASSERT_EQ(must(read_seeds(ann_)).front().candidate.id, seed.candidate);
    EXPECT_THAT(parents(index, seed.candidate), IsEmpty());
}

// Anybody may publish a commit of any candidate, with parents as they like.
TEST_F(HostileLogTest, ACommitOfAStrangerCountsBehindAnyRecordAndASeed) {
    must(ann_.commit_main({{"seeds/start.toml", "optim.lr = 0.02\n"}}, "Add a seed"));
    auto parent = run_by(ann_, {{"optim.lr", 0.3}}, 2.0), own = run_by(ann_, {}, 2.0);
    auto third = scored_run(ann_.task, bob_.writer, {{"optim.lr", 0.5}}, 2.0);
    own.parents = {parent.candidate};
    const auto candidate_with = [&](const Genes& genes) {
        return must(make_candidate(ann_.task.space, ann_.task_id, genes));
    };
    const std::string seed = candidate_with({{"optim.lr", 0.02}}).id;
    {
        Index index = must(Index::open(ann_));
        const Oid root = must(index.lineage().write(candidate_with({{"optim.lr", 0.7}}), {})).oid;
        for (const Genes& genes : {Genes{}, Genes{{"optim.lr", 0.02}}, Genes{{"optim.lr", 0.5}}}) {
            const Candidate child = candidate_with(genes);
            const Oid commit = must(index.lineage().write(child, {root})).oid;
            must(ann_.repo.set_ref("refs/remotes/origin/" + candidate_branch(child.id, commit), commit, ""));
        }
    }
    publish(bob_, {third});
    spool(ann_, parent);
    spool(ann_, own);
    for (int time = 0; time < 2; ++time) {
        Index index = must(Index::open(ann_));
        EXPECT_THAT(parents(index, own.candidate), testing::ElementsAre(parent.candidate));
        EXPECT_THAT(parents(index, seed), IsEmpty());
        EXPECT_THAT(parents(index, third.candidate), IsEmpty()) << "as a stranger's record says, which is signed";
        const CandidateCommit made = must(index.commit_of(own.candidate));
        EXPECT_THAT(made.parents, testing::ElementsAre(must(index.commit_of(parent.candidate)).oid));
        EXPECT_THAT(must(index.commit_of(seed)).parents, IsEmpty());
        rebuilt();
    }
}

// --- Categories -------------------------------------------------------------------------------------------------------

TEST_F(HostileLogTest, OwnCategoriesComeBeforeInventedOnes) {
    std::vector<Record> invented;
    for (int i = 0; i < 30; ++i) {
        auto run = honest(bob_, 1.0);
        run.replicate = i;
        run.seed = run_seed(run.candidate, i);
        run.category = fmt::format("cpu-20s-e{}", i);
        invented.push_back(run);
    }
    publish(bob_, invented);
    spool(ann_, run_by(ann_, {}, 2.0));
    Index index = must(Index::open(ann_));
    const auto rows = must(index.categories());
    ASSERT_THAT(rows, SizeIs(31));
    EXPECT_TRUE(rows[0].own);
    EXPECT_EQ(rows[0].name, "cpu-20s-e10.5");
    EXPECT_EQ(rows[0].scored, 1);
    EXPECT_FALSE(rows[1].own || rows[1].verified);
}

}  // namespace
}  // namespace cultivar
