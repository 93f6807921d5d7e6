// Tests objects of a newer cultivar: this one reports them and changes nothing. Later formats of records, verdicts and
// pool.toml: record_test, verdict_test, task_test.
#include "pool/storage/format_marker.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/storage/segment_log.h"
#include "pool/sync/archive.h"
#include "tests/pool/index/index_fixture.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string kNewer = "needs a newer cultivar";

class FormatMarker : public ::testing::Test {
protected:
    FormatMarker() : ann_(world_.found("ann")) {}

    // Returns a commit on top of the tip, with the marker of a later format in its tree.
    static Oid marked(Clone& clone, const Oid& tip, const Signer& key) {
        auto tree = must(clone.repo.read_tree(must(clone.repo.read_commit(tip)).tree));
        tree.insert(tree.begin(), {"cultivar-format", must(clone.repo.write_blob("2\n")), false, true});
        return must(clone.repo.write_commit({must(clone.repo.write_tree(tree)), {tip}, clone.identity(), "2\n"}, &key));
    }

    World world_;
    Hand ann_;
};

TEST_F(FormatMarker, OfAJournalIsToldAndItsRecordsStayAsTheyWere) {
    ann_.propose();
    Hand bea(world_.join("bea"));
    bea.keep({{"optim.lr", 0.3}}, 1.5);
    bea.propose();
    ann_.pull();
    const std::string ref = "refs/remotes/origin/journal/" + bea.clone.writer;
    const Oid good = *must(ann_.clone.repo.ref(ref));
    const Oid later = marked(bea.clone, *must(bea.clone.repo.ref(bea.clone.journal_ref())), bea.clone.key);
    git(world_.path("bea"), "push -q origin " + later + ":" + bea.clone.journal_ref());
    EXPECT_EQ(told(ann_.pull()), ref + ": a log of a later format needs a newer cultivar\n");
    EXPECT_THAT(must(ann_.index.runs()), SizeIs(1));
    EXPECT_EQ(must(ann_.clone.repo.ref(ref)), good);
    EXPECT_THAT(world_.hub_refs(), HasSubstr(later));
}

TEST_F(FormatMarker, OfThisClonesOwnJournalIsNotAddedTo) {
    ann_.keep({{"optim.lr", 0.3}}, 1.5);
    must(commit_spool(ann_.clone));
    const Oid tip = *must(ann_.clone.repo.ref(ann_.clone.journal_ref()));
    const Oid later = marked(ann_.clone, tip, ann_.clone.key);
    must(ann_.clone.repo.set_ref(ann_.clone.journal_ref(), later, tip));
    spool(ann_.clone, run_by(ann_.clone, {{"optim.lr", 0.4}}, 1.4));
    const Error error = trouble(commit_spool(ann_.clone));
    EXPECT_EQ(error.code, Code::newer);
    EXPECT_THAT(error.message, HasSubstr(kNewer));
    EXPECT_EQ(must(ann_.clone.repo.ref(ann_.clone.journal_ref())), later);
    EXPECT_THAT(must(spooled_lines(ann_.clone)), SizeIs(1));
}

TEST_F(FormatMarker, OfTheArchiveIsToldAndTheArchiveIsNotAddedTo) {
    for (double rate : {0.1, 0.2, 0.3}) ann_.keep({{"optim.lr", rate}}, 3 - rate);
    ann_.propose();
    auto archive_all_but = [&](std::size_t keep) {
        ann_.pull();
        return archive(ann_.clone, ann_.index, *ann_.git, must(plan_archive(ann_.clone, ann_.index, keep)));
    };
    must(archive_all_but(2));
    Hand bea(world_.join("bea"));
    const std::string ref = "refs/remotes/origin/archive";
    const Oid later = marked(bea.clone, *must(bea.clone.repo.ref(ref)), bea.clone.key);
    git(world_.path("bea"), "push -q origin " + later + ":refs/heads/archive");
    EXPECT_THAT(told(bea.pull()), HasSubstr(ref + ": is of a later format and needs a newer cultivar"));
    EXPECT_THAT(must(bea.index.candidates()), SizeIs(3));
    EXPECT_FALSE(archive_all_but(0));
    EXPECT_EQ(git(world_.hub(), "rev-parse archive"), later + "\n");
    EXPECT_EQ(git(world_.hub(), "for-each-ref refs/heads/candidates | wc -l"), "2\n");
    Hand cid(world_.join("cid"));
    EXPECT_THAT(told(cid.index.opened_with()), HasSubstr(kNewer));
    EXPECT_THAT(must(cid.index.candidates()), SizeIs(3)) << "known by their records";
}

TEST_F(FormatMarker, OfFilesThatNoLineOfACandidateNamesIsToldAndTheCandidateIsNotTaken) {
    const std::string branch = "refs/heads/candidates/" + std::string(32, 'a') + ".";
    const Oid commit = commit_by_hand(world_.path("ann"), "refs/heads/made",
                                      {{"candidate.toml", ""}, {"files/train.py", "print(1)\n"}});
    git(world_.path("ann"), "branch -m made " + branch.substr(11) + commit.substr(0, 8));
    EXPECT_THAT(told(must(ann_.index.refresh())), HasSubstr("holds files that candidate.toml does not name"));
    EXPECT_THAT(must(ann_.index.candidates()), SizeIs(0));
}

TEST_F(FormatMarker, OfTheLastSeenTipsStopsEveryCommandAndTheFileStays) {
    const std::string file = ann_.clone.seen_dir() + "tips", text = "tips 2\nwhatever\n";
    ann_.keep({{"optim.lr", 0.3}}, 1.5);
    must(commit_spool(ann_.clone));
    std::filesystem::create_directories(ann_.clone.seen_dir());
    must(write_file_atomically(file, text));
    const Error error = trouble(ann_.index.refresh());
    EXPECT_EQ(error.code, Code::newer);
    EXPECT_THAT(error.message, HasSubstr(kNewer));
    EXPECT_EQ(must(read_file(file)), text);
}

TEST_F(FormatMarker, OfTheIndexIsReadAgainFromThePool) {
    ann_.keep({{"optim.lr", 0.3}}, 1.5);
    const std::string before = answers(ann_.index);
    Database database = must(Database::open(ann_.clone.index_dir() + "index.sqlite"));
    must(
        database.execute("UPDATE meta SET value = '999 ' || value; ALTER TABLE record ADD COLUMN mood TEXT;"
                         "DELETE FROM standing"));
    Index again = must(Index::open(ann_.clone));
    EXPECT_EQ(answers(again), before);
}

TEST_F(FormatMarker, OfARecordInTheSpoolIsToldAndTravelsAsItIs) {
    const std::string line = R"({"v":9,"type":"run","mood":"good"})";
    ann_.keep({{"optim.lr", 0.3}}, 1.5);
    const std::string file = ann_.clone.state_dir + "spool.jsonl";
    must(write_file_atomically(file, must(read_file(file)) + line + "\n"));
    EXPECT_THAT(told(must(ann_.index.refresh())), HasSubstr(kNewer));
    ann_.propose();
    EXPECT_THAT(git(world_.hub(), "show " + ann_.clone.journal_ref() + ":seg/000000.jsonl"), HasSubstr(line + "\n"));
}

}  // namespace
}  // namespace cultivar
