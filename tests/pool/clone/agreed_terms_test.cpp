#include "pool/clone/agreed_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/main_trouble.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class TermsTest : public ::testing::Test {
protected:
    TermsTest() : ann_(world_.found("ann")) {
        ann_.keep({}, 2.0);
        ann_.propose();
    }
    static Task costly() {
        Task task = tiny_task();
        task.budget_s = 1e7;
        return task;
    }
    void publish(const std::string& toml) {
        commit_by_hand(world_.hub(), "refs/heads/main", {{"pool.toml", toml}}, "main");
    }

    World world_;
    Hand ann_;
};

TEST_F(TermsTest, AChangedBudgetIsToldAndNothingRunsByItUntilTheUserAgrees) {
    Hand bea(world_.join("bea"));
    EXPECT_THAT(bea.pull().changed_terms, IsEmpty());
    EXPECT_TRUE(check_terms(bea.clone));
    publish(to_toml(costly()));
    EXPECT_THAT(bea.pull().changed_terms, SizeIs(1));
    const Error error = trouble(check_terms(bea.clone));
    EXPECT_THAT(error.message, HasSubstr("1e+07 s instead of 20 s"));
    EXPECT_EQ(error.hint, "cultivar trust");
    EXPECT_FALSE(check_terms(bea.clone)) << "asking is no agreement";
    must(agree_to_terms(bea.clone));
    EXPECT_TRUE(check_terms(bea.clone));
    EXPECT_THAT(bea.pull().changed_terms, IsEmpty());
}

TEST_F(TermsTest, EveryTermByWhichAContributorWorksIsTold) {
    Hand bea(world_.join("bea"));
    Task other = tiny_task();
    other.record_min_gain_nats = 0.5, other.record_p_value = 0.5, other.record_min_seeds = 2;
    publish(to_toml(other));
    EXPECT_THAT(bea.pull().changed_terms, SizeIs(3));
    EXPECT_THAT(trouble(check_terms(bea.clone)).message, HasSubstr("0.5 nats at least instead of 0.005"));
    must(agree_to_terms(bea.clone));
    EXPECT_TRUE(check_terms(bea.clone));
    Task noiseless = other;
    noiseless.noiseless = true;
    EXPECT_THAT(changed_terms(other, noiseless), SizeIs(1));
}

TEST_F(TermsTest, ABudgetOfOnesOwnAnswersForTheBudgetAlone) {
    Hand bea(world_.join("bea"));
    must(note_terms(bea.clone));
    publish(to_toml(costly()));
    bea.pull();
    EXPECT_TRUE(check_terms(bea.clone, RunBudget::own));
    EXPECT_FALSE(check_terms(bea.clone)) << "that was no agreement";
    Task other = costly();
    other.record_p_value = 0.5;
    publish(to_toml(other));
    bea.pull();
    EXPECT_THAT(trouble(check_terms(bea.clone, RunBudget::own)).message, Not(HasSubstr("1e+07 s")));
}

// As versions before wrote it.
TEST_F(TermsTest, ThatWereNotKeptYetAreAgreedToAsTheyAreFound) {
    Hand bea(world_.join("bea"));
    must(note_terms(bea.clone));
    world_.folder().write("bea/.git/cultivar/terms", "20 0.05\n");
    EXPECT_THAT(must(terms_to_agree(bea.clone)), IsEmpty());
    must(note_terms(bea.clone));
    Task other = tiny_task();
    other.record_min_seeds = 2;
    publish(to_toml(other));
    EXPECT_THAT(bea.pull().changed_terms, SizeIs(1));
    world_.folder().write("bea/.git/cultivar/terms", "20 0.05 0 0.005\n");
    EXPECT_EQ(trouble(terms_to_agree(bea.clone)).code, Code::io);
}

TEST_F(TermsTest, WhoeverChangesTheBudgetAgreesByThat) {
    must(note_terms(ann_.clone));
    must(ann_.clone.commit_main({{"pool.toml", to_toml(costly())}}, "Train longer"));
    must(ann_.clone.reload_task());
    EXPECT_THAT(must(terms_to_agree(ann_.clone)), SizeIs(1));
    EXPECT_TRUE(check_terms(ann_.clone));
    EXPECT_THAT(must(terms_to_agree(ann_.clone)), IsEmpty());
}

TEST_F(TermsTest, MainThatPartedOrThatOthersWouldRefuseIsTold) {
    EXPECT_EQ(must(main_trouble(ann_.clone)), "");
    Task narrow = tiny_task();
    std::vector<Gene> genes = tiny_genes();
    genes[0].high = 16;
    narrow.space = must(Space::make(genes, tiny_constraints()));
    must(ann_.clone.commit_main({{"pool.toml", to_toml(narrow)}}, "Narrow"));
    must(ann_.clone.reload_task());
    EXPECT_THAT(must(main_trouble(ann_.clone)), HasSubstr("others will refuse main"));
    publish(to_toml(costly()));
    git(world_.path("ann"), "fetch -q origin main:refs/remotes/origin/main");
    commit_by_hand(world_.path("ann"), "refs/heads/main", {{"pool.toml", "broken"}}, ann_.clone.main);
    Clone again = world_.reopen("ann");
    EXPECT_EQ(again.task.budget_s, 1e7);
    EXPECT_THAT(must(main_trouble(again)), HasSubstr("this one is broken"));
}

}  // namespace
}  // namespace cultivar
