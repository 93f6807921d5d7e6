// Tests one writer in two places: copied clones, restored backups, and names that another writer took.
#include "pool/sync/journal_merge.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/storage/extra_remote.h"
#include "pool/storage/segment_log.h"
#include "tests/pool/index/index_fixture.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JournalMergeTest : public ::testing::Test {
protected:
    JournalMergeTest() {
        Hand founder(world_.found("founder"));
        founder.propose();
        world_.join("ann");
    }

    void copy(const std::string& from, const std::string& to) const {
        shell(fmt::format("rm -rf '{1}' && cp -a '{0}' '{1}'", world_.path(from), world_.path(to)));
    }
    // Returns the lines of ann's journal on the hosting.
    std::vector<std::string> delivered(const Hand& ann) {
        Repo hub = must(Repo::discover(world_.hub()));
        auto tip = must(hub.ref(ann.clone.journal_ref()));
        return tip ? must(read_log(hub, *tip, 0)) : std::vector<std::string>();
    }
    std::multiset<std::string> delivered_runs(const Hand& ann) {
        std::multiset<std::string> ids;
        for (const std::string& line : delivered(ann)) {
            if (std::holds_alternative<cultivar::Run>(must(parse_line(line)))) ids.insert(record_id(line));
        }
        return ids;
    }
    static std::size_t claims_in(const std::vector<std::string>& lines) {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines, [](const std::string& line) { return std::holds_alternative<Claim>(must(parse_line(line))); }));
    }
    static std::multiset<std::string> in_any_order(const std::string& text) {
        std::istringstream lines(text);
        std::multiset<std::string> sorted;
        for (std::string line; std::getline(lines, line);) sorted.insert(line);
        return sorted;
    }
    static std::string id_of(const cultivar::Run& run) { return record_id(to_line(run)); }

    World world_;
};

TEST_F(JournalMergeTest, TwoCopiesOfOneCloneDeliverEveryRecordOnce) {
    std::multiset<std::string> made;
    {
        Hand ann(world_.reopen("ann"));
        made.insert(id_of(ann.keep({{"optim.lr", 0.1}}, 2.0)));  // in the spool of both
    }
    copy("ann", "copy");
    Hand ann(world_.reopen("ann")), twin(world_.reopen("copy"));
    ASSERT_EQ(ann.clone.writer, twin.clone.writer);
    made.insert(id_of(ann.keep({{"optim.lr", 0.2}}, 1.9)));
    ann.propose();
    made.insert(id_of(twin.keep({{"optim.lr", 0.3}}, 1.8)));
    ProposeReport sent = twin.propose();
    EXPECT_THAT(sent.refused, IsEmpty());
    EXPECT_GE(sent.rejoined.theirs,
              2u);  // a run, its claim, and the common run's claim unless both were made in the same second
    EXPECT_EQ(sent.records, 2u);  // a run and its claim; the common run is claimed already
    EXPECT_EQ(delivered_runs(ann), made);
    EXPECT_EQ(claims_in(delivered(ann)), 3u);
    for (Hand* hand : {&ann, &twin, &ann}) {
        made.insert(id_of(hand->keep({{"optim.bias", 0.25 * static_cast<double>(made.size())}}, 1.5)));
        EXPECT_THAT(hand->propose().refused, IsEmpty());
        EXPECT_EQ(delivered_runs(ann), made);
    }
    Hand bea(world_.join("bea"));
    EXPECT_THAT(must(bea.index.runs()), SizeIs(made.size()));
    EXPECT_THAT(bea.index.opened_with().refused, IsEmpty());
}

TEST_F(JournalMergeTest, WhatACopyKnowsOfItselfIsWhatARebuiltIndexKnows) {
    {
        Hand ann(world_.reopen("ann"));
        ann.keep({{"optim.lr", 0.1}}, 2.0);
    }
    copy("ann", "copy");
    Hand ann(world_.reopen("ann")), twin(world_.reopen("copy"));
    ann.keep({{"optim.lr", 0.2}}, 1.9);
    ann.propose();
    twin.keep({{"optim.lr", 0.3}}, 1.8);
    auto offline =
        propose(twin.clone, twin.index, *git_cli_transport(world_.hub()), {});  // commits without a connection
    EXPECT_FALSE(offline.has_value());
    PullReport pulled = twin.pull();
    EXPECT_GE(pulled.rejoined.theirs, 2u);
    EXPECT_EQ((std::pair{pulled.runs, pulled.claims}), (std::pair{1, 1}));
    EXPECT_THAT(pulled.refused, IsEmpty());
    EXPECT_THAT(must(twin.index.runs()), SizeIs(3));
    EXPECT_THAT(must(twin.index.claims()), SizeIs(3));
    Index rebuilt = must(Index::read_anew(twin.clone));
    EXPECT_EQ(in_any_order(answers(rebuilt)), in_any_order(answers(twin.index)));
    EXPECT_EQ(twin.propose().records, 2u);
    EXPECT_EQ(twin.pull().rejoined.theirs, 0u);
}

TEST_F(JournalMergeTest, ABackupThatForgotWhatItSentGoesOnWhereTheHostingStands) {
    std::multiset<std::string> made;
    {
        Hand ann(world_.reopen("ann"));
        for (double rate : {0.1, 0.2}) made.insert(id_of(ann.keep({{"optim.lr", rate}}, 2.0)));
    }
    copy("ann", "backup");  // taken with records in the spool and nothing in the journal
    {
        Hand ann(world_.reopen("ann"));
        ann.propose();
        for (double rate : {0.3, 0.4, 0.5}) made.insert(id_of(ann.keep({{"optim.lr", rate}}, 1.9)));
        ann.propose();
    }
    copy("backup", "ann");
    Hand ann(world_.reopen("ann"));
    PullReport pulled = ann.pull();
    EXPECT_EQ(pulled.rejoined.theirs, 8u);
    EXPECT_THAT(must(spooled_lines(ann.clone)), IsEmpty());
    EXPECT_THAT(must(ann.index.runs()), SizeIs(5));  // all its runs are known again
    const std::string before = world_.hub_refs();
    EXPECT_EQ(ann.propose().records, 0u);
    EXPECT_EQ(world_.hub_refs(), before);
    made.insert(id_of(ann.keep({{"optim.lr", 0.6}}, 1.8)));
    EXPECT_EQ(ann.propose().records, 2u);
    EXPECT_EQ(delivered_runs(ann), made);
}

TEST_F(JournalMergeTest, ABackupThatNeverPulledFindsOutWhenItProposes) {
    std::multiset<std::string> made;
    {
        Hand ann(world_.reopen("ann"));
        made.insert(id_of(ann.keep({{"optim.lr", 0.1}}, 2.0)));
        ann.propose();
    }
    copy("ann", "backup");
    {
        Hand ann(world_.reopen("ann"));
        made.insert(id_of(ann.keep({{"optim.lr", 0.2}}, 2.0)));
        ann.propose();
    }
    copy("backup", "ann");
    Hand ann(world_.reopen("ann"));
    made.insert(id_of(ann.keep({{"optim.lr", 0.3}}, 2.0)));
    ProposeReport sent = ann.propose();
    EXPECT_EQ(sent.rejoined.theirs, 2u);
    EXPECT_EQ(sent.records, 2u);
    EXPECT_THAT(sent.refused, IsEmpty());
    EXPECT_EQ(delivered_runs(ann), made);
    EXPECT_THAT(must(ann.index.runs()), SizeIs(3));
}

TEST_F(JournalMergeTest, CopiesOfAVerifierKeepAllTheirVerdicts) {
    copy("founder", "copy");
    Hand one(world_.reopen("founder")), two(world_.reopen("copy"));
    Hand ann(world_.reopen("ann"));
    auto run = ann.keep({{"optim.lr", 0.1}}, 2.0);
    ann.propose();
    auto judge = [&](Hand& by, const char* result) {
        by.pull();
        ClaimRow row = must(by.index.claims()).at(0);
        Verdict verdict;
        verdict.claim = row.id;
        verdict.task = by.clone.task_id;
        verdict.candidate = row.claim.candidate;
        verdict.artifact = row.claim.artifact;
        verdict.result = *verdict_result_of(result);
        verdict.tier = Tier::rescore;
        verdict.verifier = by.clone.writer;
        verdict.at = fmt::format("2026-11-21T0{}:00:00Z", &by == &one ? 5 : 6);
        must(append_log(by.clone.repo, by.clone.ledger_ref(), {to_line(verdict)}, by.clone.identity(), by.clone.key));
    };
    judge(one, "inconclusive");
    judge(two, "accepted");
    one.propose();
    ProposeReport sent = two.propose();
    EXPECT_THAT(sent.refused, IsEmpty());
    EXPECT_TRUE(sent.verdicts);
    ann.pull();
    EXPECT_EQ(must(ann.index.claims()).at(0).verdict->result, VerdictResult::accepted);
    Repo hub = must(Repo::discover(world_.hub()));
    EXPECT_EQ(must(log_size(hub, *must(hub.ref(one.clone.ledger_ref())))), 2u);
}

TEST_F(JournalMergeTest, ANameThatSomebodyElseTookIsToldAndLosesNothing) {
    Hand ann(world_.reopen("ann"));
    auto run = ann.keep({{"optim.lr", 0.1}}, 2.0);
    const std::string ref = ann.clone.journal_ref();
    Clone eve = world_.join("eve");
    must(append_log(eve.repo, ref, {"{}"}, eve.identity(), eve.key));
    git(world_.path("eve"), "push -q origin " + ref);
    for (int i = 0; i < 2; ++i) {
        ProposeReport sent = ann.propose();
        ASSERT_THAT(sent.refused, SizeIs(1));
        EXPECT_EQ(sent.refused[0].remote, ref);
        EXPECT_THAT(sent.refused[0].reason, HasSubstr("somebody else holds its name there"));
        EXPECT_THAT(sent.refused[0].reason, HasSubstr("signed by another key"));
        EXPECT_EQ(sent.records, 0u);
        EXPECT_EQ(sent.hint, "git push origin :" + ref + " && cultivar propose");
        EXPECT_THAT(told(ann.pull()), HasSubstr("signed by another key than this clone's"));
    }
    // Runs the hint as the user would.
    git(world_.path("ann"), "push -q origin :" + ref);
    ProposeReport sent = ann.propose();
    EXPECT_THAT(sent.refused, IsEmpty());
    EXPECT_EQ(sent.records, 2u);
    EXPECT_EQ(delivered_runs(ann), std::multiset<std::string>{id_of(run)});
}

TEST_F(JournalMergeTest, PeopleWhoChoseOneNameAreTwoWriters) {
    Hand ann(world_.reopen("ann"));
    Clone other = world_.join("other");
    must(other.repo.set_config("cultivar.name", "ann"));
    Hand namesake(world_.reopen("other"));
    EXPECT_EQ(ann.clone.writer.substr(0, 12), namesake.clone.writer.substr(0, 12));
    ann.keep({{"optim.lr", 0.1}}, 2.0);
    namesake.keep({{"optim.lr", 0.2}}, 1.9);
    for (Hand* hand : {&ann, &namesake}) EXPECT_THAT(hand->propose().refused, IsEmpty());
    ann.pull();
    EXPECT_THAT(must(ann.index.runs()), SizeIs(2));
    EXPECT_EQ(must(ann.index.totals()).contributors, 2);
}

TEST_F(JournalMergeTest, ACloneThatWasRenamedLosesNothing) {
    std::multiset<std::string> made;
    {
        Hand ann(world_.reopen("ann"));
        made.insert(id_of(ann.keep({{"optim.lr", 0.1}}, 2.0)));
        const std::string away = world_.path("away.git");
        std::filesystem::rename(world_.hub(), away);
        EXPECT_FALSE(propose(ann.clone, ann.index, *ann.git, {}).has_value());  // committed, not sent
        std::filesystem::rename(away, world_.hub());
        made.insert(id_of(ann.keep({{"optim.lr", 0.2}}, 1.9)));  // still in the spool
    }
    const std::string old_name = world_.reopen("ann").writer;
    git(world_.path("ann"), "config cultivar.name anne");
    {
        Hand anne(world_.reopen("ann"));
        Error error = trouble(propose(anne.clone, anne.index, *anne.git, {}));
        EXPECT_EQ(error.code, Code::usage);
        EXPECT_THAT(error.message, HasSubstr("made as '" + old_name + "'"));
        ASSERT_EQ(error.hint,
                  "git config cultivar.name ann && git config cultivar.machine machine && cultivar propose");
    }
    git(world_.path("ann"), "config cultivar.name ann");
    Hand ann(world_.reopen("ann"));
    EXPECT_THAT(ann.propose().refused, IsEmpty());
    EXPECT_EQ(delivered_runs(ann), made);
    EXPECT_THAT(must(ann.index.standings()), SizeIs(2));
    EXPECT_EQ(must(ann.index.totals()).refused, 0);
    // With an empty spool another name is fine, and the old journal stays as it is.
    git(world_.path("ann"), "config cultivar.name anne");
    Hand anne(world_.reopen("ann"));
    anne.keep({{"optim.lr", 0.3}}, 1.8);
    EXPECT_THAT(anne.propose().refused, IsEmpty());
    EXPECT_EQ(delivered_runs(ann), made);
    EXPECT_EQ(delivered_runs(anne).size(), 1u);
}

TEST_F(JournalMergeTest, AJournalThatWasCommittedUnderAnOlderNameIsSentToo) {
    Hand ann(world_.reopen("ann"));
    auto run = ann.keep({{"optim.lr", 0.1}}, 2.0);
    must(commit_spool(ann.clone));
    git(world_.path("ann"), "config cultivar.name anne");
    Hand anne(world_.reopen("ann"));
    EXPECT_THAT(anne.propose().refused, IsEmpty());
    EXPECT_EQ(delivered_runs(ann), std::multiset<std::string>{id_of(run)});
}

TEST_F(JournalMergeTest, CopiesThatProposeByPullRequestShareOneBranch) {
    copy("ann", "copy");
    Hand ann(world_.reopen("ann")), twin(world_.reopen("copy"));
    const Destination as_bundle{"", true};
    std::multiset<std::string> made;
    for (Hand* hand : {&ann, &twin, &ann}) {
        made.insert(id_of(hand->keep({{"optim.lr", 0.1 * static_cast<double>(made.size() + 1)}}, 2.0)));
        EXPECT_THAT(hand->propose({}, as_bundle).refused, IsEmpty());
    }
    Hand founder(world_.reopen("founder"));
    must(add_extra_remote(founder.clone.repo, {"pr", world_.hub(), "refs/heads/proposal/*"}));
    EXPECT_EQ(told(founder.pull()), "");
    std::multiset<std::string> came;
    for (const RunRow& row : must(founder.index.runs())) came.insert(row.id);
    EXPECT_EQ(came, made);
}

// An administrator restored an old state of the hosting.
TEST_F(JournalMergeTest, AHostingThatLostRecordsGetsThemAgain) {
    Hand ann(world_.reopen("ann"));
    const std::string early = world_.path("early.git");
    auto first = ann.keep({{"optim.lr", 0.1}}, 2.0);
    ann.propose();
    copy("hub.git", "early.git");
    auto second = ann.keep({{"optim.lr", 0.2}}, 1.9);
    ann.propose();
    const std::string before = world_.hub_refs();
    copy("early.git", "hub.git");
    ASSERT_NE(world_.hub_refs(), before);
    EXPECT_THAT(told(ann.pull()), HasSubstr("was rewound on the remote; 'cultivar propose' sends it again"));
    ProposeReport sent = ann.propose();
    EXPECT_TRUE(sent.sent_again && sent.anything);
    EXPECT_THAT(sent.candidates, ::testing::ElementsAre(second.candidate));
    EXPECT_THAT(sent.artifacts, ::testing::ElementsAre(second.artifact));
    EXPECT_EQ(world_.hub_refs(), before);
    ProposeReport idle = ann.propose();
    EXPECT_FALSE(idle.sent_again || idle.anything);
}

TEST_F(JournalMergeTest, AHostingThatWasEmptiedGetsThePoolAgain) {
    Hand founder(world_.reopen("founder"));
    founder.keep({{"optim.lr", 0.1}}, 2.0);
    founder.propose();
    const std::string before = world_.hub_refs();
    git(world_.hub(), "for-each-ref --format='delete %(refname)' | git -C " + world_.hub() + " update-ref --stdin");
    EXPECT_EQ(world_.hub_refs(), "");
    EXPECT_TRUE(founder.propose().sent_again);
    EXPECT_EQ(world_.hub_refs(), before);
}

// A journal was rewound, and then a copy of the clone pushed on top of the rest.
TEST_F(JournalMergeTest, ARewoundJournalThatACopyGrewLosesNothing) {
    std::multiset<std::string> made;
    Hand ann(world_.reopen("ann"));
    made.insert(id_of(ann.keep({{"optim.lr", 0.1}}, 2.0)));
    ann.propose();
    copy("ann", "copy");
    copy("hub.git", "early.git");
    made.insert(id_of(ann.keep({{"optim.lr", 0.2}}, 1.9)));
    ann.propose();
    copy("early.git", "hub.git");
    Hand twin(world_.reopen("copy"));
    made.insert(id_of(twin.keep({{"optim.lr", 0.3}}, 1.8)));
    twin.propose();
    ann.pull();
    ProposeReport sent = ann.propose();
    EXPECT_THAT(sent.refused, IsEmpty());
    EXPECT_EQ(sent.rejoined.theirs, 2u);
    EXPECT_EQ(delivered_runs(ann), made);
    EXPECT_THAT(must(ann.index.runs()), SizeIs(3));
}

}  // namespace
}  // namespace cultivar
