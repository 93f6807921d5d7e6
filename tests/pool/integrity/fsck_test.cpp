#include "pool/integrity/fsck.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/clone/seeds.h"
#include "pool/storage/segment_log.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FsckTest : public ::testing::Test {
protected:
    FsckTest() : ann_(world_.found("ann")) {
        ann_.keep({}, 2.0);
        ann_.keep({{"optim.lr", 0.3}}, 1.9);
        ann_.propose();
    }
    ~FsckTest() override { Repo::check_hashes(false); }
    // The file of a loose object, made writable.
    std::string loose(const std::string& oid) {
        const std::string path = world_.path("ann") + "/.git/objects/" + oid.substr(0, 2) + "/" + oid.substr(2);
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path;
    }
    void damage(const std::string& oid) { std::ofstream(loose(oid), std::ios::binary) << "no zlib stream"; }
    std::string object(const std::string& name) { return git(world_.path("ann"), "rev-parse " + name).substr(0, 40); }

    World world_;
    Hand ann_;
};

TEST_F(FsckTest, ListsEveryDamagedObjectAndChecksTheRest) {
    EXPECT_THAT(must(fsck(ann_.clone)).problems, IsEmpty());
    const std::vector<std::string> hit = {object(ann_.clone.journal_ref() + ":seg/000000.jsonl"),
                                          object(ann_.clone.journal_ref()),
                                          object(must(ann_.clone.repo.refs("refs/artifacts/"))[0].name + ":weights")};
    for (const std::string& oid : hit) damage(oid);
    Clone again = world_.reopen("ann");
    const FsckReport report = must(fsck(again));
    std::string told;
    for (const Refusal& one : report.problems) told += one.where + " " + one.reason + "\n";
    for (const std::string& oid : hit) EXPECT_THAT(told, HasSubstr("object " + oid + " is damaged"));
    EXPECT_EQ(report.artifacts, 2u) << "all of them are still looked at";
}

// libgit2 reads such an object for ever.
TEST_F(FsckTest, ListsTruncatedObjectsAndGoesOn) {
    const std::string journal = object(ann_.clone.journal_ref());
    const std::vector<Ref> artifacts = must(ann_.clone.repo.refs("refs/artifacts/"));
    const std::vector<std::string> hit = {journal, object(ann_.clone.journal_ref() + ":seg/000000.jsonl"),
                                          object(artifacts[0].name + ":weights")};
    for (const std::string& oid : hit)
        std::filesystem::resize_file(loose(oid), std::filesystem::file_size(loose(oid)) - 5);
    const std::string begun = object(artifacts[1].name + ":weights");
    std::filesystem::resize_file(loose(begun), 12);
    EXPECT_FALSE(world_.reopen("ann").repo.read_commit(journal));
    Clone again = world_.reopen("ann");
    const FsckReport report = must(fsck(again));
    std::string told;
    for (const Refusal& one : report.problems) told += one.where + " " + one.reason + "\n";
    for (const std::string& oid : hit) EXPECT_THAT(told, HasSubstr("object " + oid + " is damaged"));
    EXPECT_THAT(told, HasSubstr("object " + begun + " is damaged"));
    EXPECT_EQ(report.artifacts, 2u) << "all of them are still looked at";
}

// The search goes on with the others.
TEST_F(FsckTest, NamesASeedThatIsNoCandidateAndLeavesTheOthers) {
    must(ann_.clone.commit_main({{"seeds/bad.toml", "no.gene = 1\n"}, {"seeds/good.toml", ""}}, "Seeds"));
    std::vector<Error> faults;
    EXPECT_EQ(must(read_seeds(ann_.clone, &faults)).size(), 1U);
    ASSERT_THAT(faults, SizeIs(1));
    EXPECT_THAT(faults[0].message, HasSubstr("seeds/bad.toml:1:"));
    const FsckReport report = must(fsck(ann_.clone));
    ASSERT_THAT(report.problems, SizeIs(1));
    EXPECT_THAT(report.problems[0].reason, HasSubstr("seeds/bad.toml:1:"));
}

TEST_F(FsckTest, NamesACommitByAnotherKeyWithTheSameFirstDigits) {
    const auto [one, other] = keys_alike(world_.folder());
    const std::string ref = fmt::format("refs/heads/journal/eve.machine.{:.8}", one.fingerprint());
    const auto append = [&](const Key& key) {
        must(append_log(ann_.clone.repo, ref, {"{}"}, {"eve", "eve@example.org", 1795232400}, key));
    };
    append(one);
    append(other);
    append(one);  // the index looks at tips alone
    std::string told;
    for (const Refusal& one_of : must(fsck(ann_.clone)).problems) told += one_of.reason + "\n";
    EXPECT_THAT(told, HasSubstr("another key than its writer's other commits"));
}

TEST_F(FsckTest, SaysOfAnEarlierTaskInsteadOfListingItsRunsAsProblems) {
    auto old = run_by(ann_.clone, {}, 2.0, 5);
    old.task = std::string(64, '0');
    spool(ann_.clone, old);
    must(commit_spool(ann_.clone));
    const FsckReport report = must(fsck(ann_.clone));
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_EQ(report.other_task, 1);
}

// Its candidates have other names in the new task.
TEST_F(FsckTest, CandidatesOfAnEarlierTaskAreNoProblem) {
    Task next = tiny_task();
    next.artifact_cap_bytes += 1;
    commit_by_hand(world_.path("ann"), "refs/heads/main", {{"pool.toml", to_toml(next)}}, ann_.clone.main);
    Clone again = world_.reopen("ann");
    ASSERT_NE(again.task_id, ann_.clone.task_id);
    const FsckReport report = must(fsck(again));
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_EQ(report.other_task, 2);
    EXPECT_EQ(must(must(Index::open(again)).totals()).refused, 0);
}

}  // namespace
}  // namespace cultivar
