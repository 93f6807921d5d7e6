// Tests which of several records is the first one: names and times that a stranger may choose do not decide it.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/index/index_fixture.h"
#include "tests/pool/support/twin_keys.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Adam and Zoe publish the same candidate with other parents. Adam's log is read first.
class FirstRecordTest : public IndexTest {
protected:
    FirstRecordTest() {
        must(write_file_atomically(world_.path("adam.pem"), kTwinKeys[0]));
        must(write_file_atomically(world_.path("zoe.pem"), kTwinKeys[1]));
        adam_ = stranger("adam");
        zoe_ = stranger("zoe");
    }
    void publish_both() {
        publish(adam_, runs_of(adam_, {{"optim.lr", 0.1}}));
        publish(zoe_, runs_of(zoe_, {{"optim.lr", 0.2}}));
    }
    std::vector<Record> runs_of(const Stranger& who, const Genes& parent_genes) {
        const auto parent = scored_run(ann_.task, who.writer, parent_genes, 2.2);
        auto run = scored_run(ann_.task, who.writer, {}, 2.0);
        run.parents = {parent.candidate};
        run.ended = run.started = who.writer == adam_.writer ? "2020-01-01T00:00:00Z" : "2026-11-21T04:00:00Z";
        child_ = run.candidate;
        parents_[who.writer] = parent.candidate;
        return {parent, run};
    }
    // The writer who counts as the first.
    std::string first() {
        Index index = must(Index::open(ann_));
        std::string contributor;
        for (const Standing& row : must(index.standings())) {
            if (row.candidate == child_) contributor = row.contributor;
        }
        EXPECT_THAT(must(index.candidate(child_))->parents, ElementsAre(parents_[contributor]));
        return contributor;
    }

    Stranger adam_ = stranger("nobody"), zoe_ = adam_;
    std::string child_;
    std::map<std::string, std::string> parents_;
};

TEST_F(FirstRecordTest, IsTheOneThatThisCloneSawFirstInARebuiltIndexToo) {
    publish_both();
    must(Index::open(ann_));
    must(write_file_atomically(ann_.seen_dir() + "first", fmt::format("1000 2 {}\n2000 2 {}\n", zoe_.ref, adam_.ref)));
    rebuilt();
    EXPECT_EQ(first(), zoe_.writer);
}

// Nobody signs a candidate's commit, and anybody may push one.
TEST_F(FirstRecordTest, IsTheSignedOneWhateverACommitOfSomebodySays) {
    const auto push_commit = [&](const Genes& parent_genes) {
        const Candidate parent = must(make_candidate(ann_.task.space, ann_.task_id, parent_genes));
        const Candidate child = must(make_candidate(ann_.task.space, ann_.task_id, {}));
        Lineage lineage(ann_.repo, ann_.task);
        const Oid root = must(lineage.write(parent, {})).oid, made = must(lineage.write(child, {root})).oid;
        must(ann_.repo.set_ref("refs/remotes/origin/candidates/" + child.id + "." + made.substr(0, 8), made, ""));
        return parent.id;
    };
    const std::string said = push_commit({{"optim.lr", 0.4}});
    const std::vector<Record> runs = runs_of(adam_, {{"optim.lr", 0.1}});
    const auto parents = [&] { return must(must(Index::open(ann_)).candidate(child_))->parents; };
    EXPECT_THAT(parents(), ElementsAre(said)) << "nobody else says anything";
    publish(adam_, runs);
    EXPECT_THAT(parents(), ElementsAre(parents_[adam_.writer]));
    rebuilt();
    EXPECT_THAT(parents(), ElementsAre(parents_[adam_.writer]));
    push_commit({{"optim.lr", 0.5}});
    EXPECT_THAT(parents(), ElementsAre(parents_[adam_.writer]));
}

TEST_F(FirstRecordTest, OfOnePullIsThatOfAVerifier) {
    must(ann_.commit_main({{"allowed_signers", zoe_.writer + " " + zoe_.key.public_text() + "\n"}}, "Trust zoe"));
    publish_both();
    EXPECT_EQ(first(), zoe_.writer);
    rebuilt();
    EXPECT_EQ(first(), zoe_.writer);
}

TEST_F(FirstRecordTest, OfOnePullIsDrawnBySecretLotAmongStrangers) {
    publish_both();
    must(Index::open(ann_));
    std::set<std::string> firsts;
    for (char digit : std::string("0123456789abcdef")) {
        must(write_file_atomically(ann_.seen_dir() + "order", std::string(32, digit)));
        rebuilt();
        const std::string once = first();
        rebuilt();
        EXPECT_EQ(first(), once);
        firsts.insert(once);
    }
    EXPECT_THAT(firsts, SizeIs(2)) << "no name is always first";
}

}  // namespace
}  // namespace cultivar
