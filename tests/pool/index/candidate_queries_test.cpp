// Tests candidates in the index: their branches, their commits, and hostile ancestries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(IndexTest, RefusesBranchesThatAreNotWhatTheirNameSays) {
    Index index = must(Index::open(ann_));
    auto candidate = must(make_candidate(ann_.task.space, ann_.task_id, {{"optim.lr", 0.1}}));
    auto other = must(make_candidate(ann_.task.space, ann_.task_id, {{"optim.lr", 0.2}}));
    Oid oid = must(index.lineage().write(candidate, {})).oid;
    Oid edited = commit_by_hand(world_.path("ann"), "refs/heads/x", {{"candidate.toml", candidate.toml}});
    const std::string remote = "refs/remotes/origin/";
    const std::pair<std::string, Oid> squatted[] = {
        {remote + candidate_branch(other.id, oid), oid},
        {remote + candidate_branch(candidate.id, std::string(40, '0')), oid},
        {remote + candidate_branch(candidate.id, edited), edited},
        {remote + "candidates/my-favourite", oid}};
    for (const auto& [ref, to] : squatted) must(ann_.repo.set_ref(ref, to, ""));
    RefreshReport report = must(index.refresh());
    EXPECT_THAT(report.refused, SizeIs(4));
    EXPECT_THAT(told(report), AllOf(HasSubstr("holds another candidate than its name says"),
                                    HasSubstr("points to another commit than its name says"),
                                    HasSubstr("is not the commit of its candidate and parents"),
                                    HasSubstr("is not a candidate's branch")));
    EXPECT_THAT(must(index.candidates()), IsEmpty());
    must(ann_.repo.set_ref(remote + candidate_branch(candidate.id, oid), oid, ""));
    report = must(index.refresh());
    EXPECT_EQ(told(report), "");  // reported once
    EXPECT_EQ(report.candidates, 1);
    EXPECT_THAT(must(index.candidate(candidate.id))->commits, ElementsAre(oid));
}

TEST_F(IndexTest, MakesTheCommitOfACandidateFromItsRecords) {
    auto root = run_by(ann_, {{"optim.lr", 0.1}}, 2.0), child = run_by(ann_, {{"optim.lr", 0.2}}, 1.9);
    child.parents = {root.candidate};
    spool(ann_, root);
    spool(ann_, child);
    Index index = must(Index::open(ann_));
    CandidateCommit made = must(index.commit_of(child.candidate));
    EXPECT_EQ(made.candidate.id, child.candidate);
    EXPECT_THAT(made.parents, ElementsAre(must(index.commit_of(root.candidate)).oid));
    EXPECT_EQ(trouble(index.commit_of(std::string(32, '0'))).code, Code::not_found);
}

TEST_F(IndexTest, IsNotHeldUpByRecordsWhoseParentsGoRoundInACircle) {
    Stranger bob = stranger("bob");
    std::vector<cultivar::Run> runs;
    for (int i = 0; i < 4; ++i) runs.push_back(scored_run(ann_.task, bob.writer, {{"optim.bias", 1.0 + i}}, 2.0));
    runs[0].parents = {runs[1].candidate, runs[2].candidate};
    runs[1].parents = {runs[0].candidate, runs[2].candidate};
    runs[2].parents = {runs[1].candidate, runs[0].candidate};
    runs[3].parents = {runs[3].candidate};
    publish(bob, {runs.begin(), runs.end()});
    Index index = must(Index::open(ann_));
    for (const auto& run : runs) EXPECT_TRUE(index.commit_of(run.candidate)) << "such parents count as none";
}

// Two candidates per generation, each with both of the generation before as parents: 2^60 paths lead back to the first.
TEST_F(IndexTest, IsNotHeldUpByACrissCrossOfSixtyGenerations) {
    Stranger bob = stranger("bob");
    std::vector<Record> records;
    std::vector<std::string> two;
    for (int i = 0; i < 120; i += 2) {
        std::vector<std::string> next;
        for (int side : {0, 1}) {
            auto run = scored_run(ann_.task, bob.writer, {{"optim.bias", 0.01 * (i + side + 1)}}, 2.0);
            run.parents = two;
            next.push_back(run.candidate);
            records.push_back(run);
        }
        two = next;
    }
    publish(bob, records);
    Oid tip;
    {
        Index index = must(Index::open(ann_));
        tip = must(index.commit_of(two[0])).oid;
    }
    must(ann_.repo.set_ref("refs/remotes/origin/" + candidate_branch(two[0], tip), tip, ""));
    must(ann_.repo.delete_ref(bob.ref));
    rebuilt();
    Index index = must(Index::open(ann_));
    EXPECT_THAT(must(index.candidates()), SizeIs(119));
    EXPECT_EQ(must(index.commit_of(two[0])).oid, tip);
}

}  // namespace
}  // namespace cultivar
