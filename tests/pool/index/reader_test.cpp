// Tests an index that reads new refs in another process.
#include <gmock/gmock.h>

#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

class IndexReaderTest : public IndexTest {
protected:
    // Does the work of that process.
    Reader reader() {
        return [this]() -> Result<RefreshReport> {
            ++asked_;
            Clone again = world_.reopen("ann");
            TRY_ASSIGN(Index index, Index::open(again));
            return index.opened_with();
        };
    }
    int asked_ = 0;
};

TEST_F(IndexReaderTest, AsksItForWhatCameAndForNothingElse) {
    Index index = must(Index::open(ann_, reader()));
    EXPECT_EQ(asked_, 1);
    Stranger bob = stranger("bob");
    publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.0)});
    EXPECT_EQ(must(index.refresh()).runs, 1);
    EXPECT_EQ(asked_, 2);
    EXPECT_EQ(must(index.refresh()).runs, 0);
    spool(ann_, run_by(ann_, {}, 2.1, 1));
    EXPECT_EQ(must(index.refresh()).runs, 1);  // this clone's own
    EXPECT_EQ(asked_, 2);
    EXPECT_EQ(must(index.runs()).size(), 2u);
    EXPECT_EQ(answers(index), rebuilt());
}

TEST_F(IndexReaderTest, AsksItForNoRefThatThisProcessMade) {
    Index index = must(Index::open(ann_, reader()));
    const cultivar::Run root = run_by(ann_, {}, 2.1), child = run_by(ann_, {{"optim.lr", 0.1}}, 2.0, 1);
    std::vector<std::int64_t> versions;
    for (const cultivar::Run& run : {root, child}) {
        spool(ann_, run);
        must(index.refresh());
        const CandidateCommit commit = must(index.commit_of(run.candidate));
        const Stranger bob = stranger("bob");
        if (run.candidate == child.candidate) publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.0)});
        must(ensure_candidate_branch(ann_.repo, commit));
        must(index.refresh({"refs/heads/" + candidate_branch(run.candidate, commit.oid)}));
        versions.push_back(must(index.version()));
        EXPECT_EQ(asked_, run.candidate == child.candidate ? 2 : 1) << "a stranger's ref came with the second";
    }
    EXPECT_NE(versions[0], versions[1]) << "another process wrote";
    EXPECT_EQ(must(index.runs()).size(), 3u);
}

TEST_F(IndexReaderTest, TellsOnceWhatItRefusedAndPutBack) {
    Index index = must(Index::open(ann_, reader()));
    Stranger bob = stranger("bob");
    publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.0)});
    must(index.refresh());
    const Oid good = must(ann_.repo.ref(bob.ref)).value();
    must(ann_.repo.set_ref(bob.ref, signed_by_hand(bob, "seg", "000000.jsonl", "rewritten\n", {good}), good));
    EXPECT_THAT(told(must(index.refresh())), testing::HasSubstr(bob.ref));
    EXPECT_EQ(must(ann_.repo.ref(bob.ref)).value(), good);
    EXPECT_EQ(told(must(index.refresh())), "");
    EXPECT_EQ(must(index.runs()).size(), 1u);
}

TEST_F(IndexReaderTest, KeepsWhatItHasWhereTheReaderFails) {
    bool fails = false;
    Index index = must(Index::open(ann_, [&]() -> Result<RefreshReport> {
        if (fails) return fail(Code::io, "it crashed");
        return reader()();
    }));
    spool(ann_, run_by(ann_, {}, 2.1));
    must(index.refresh());
    fails = true;
    Stranger bob = stranger("bob");
    publish(bob, {scored_run(ann_.task, bob.writer, {}, 2.0)});
    EXPECT_EQ(trouble(index.refresh()).message, "it crashed");
    EXPECT_EQ(must(index.runs()).size(), 1u);
    fails = false;
    EXPECT_EQ(must(index.refresh()).runs, 1);
}

}  // namespace
}  // namespace cultivar
