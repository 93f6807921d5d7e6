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
