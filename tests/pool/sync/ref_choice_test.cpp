#include "pool/sync/ref_choice.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/lineage/candidate_commit_format.h"
#include "pool/transport/transport.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Oid oid_number(int number) { return fmt::format("{:040x}", number + 0x10000000); }
std::string branch_number(int number, const Oid& oid) {
    return "refs/heads/" + candidate_branch(fmt::format("{:032x}", number), oid);
}
const Oid kMain = oid_number(1);

class RefChoiceTest : public ::testing::Test {
protected:
    RefChooser chooser(const std::string& secret = "a secret", std::vector<Ref> here = {}) {
        return RefChooser(std::move(here), {"refs/heads/main", "refs/heads/journal/me.here.00000000"}, secret,
                          [this](std::string_view, const Oid& oid) {
                              const auto name = right_.find(oid);
                              return name == right_.end() ? std::nullopt : std::optional(name->second);
                          });
    }
    std::map<Oid, std::string> right_;  // by content, of what is here
};

TEST_F(RefChoiceTest, TakesEverythingWhileItIsLittle) {
    RefChooser some = chooser();
    some.offer("refs/heads/main", kMain);
    some.offer(branch_number(1, oid_number(2)), oid_number(2));
    some.offer("refs/heads/archive-of-mine", kMain);
    some.offer("refs/heads/feature", kMain);
    some.offer("refs/pull/1/head", kMain);
    const RefChoice choice = some.choose();
    EXPECT_TRUE(choice.has_main && choice.is_everything());
    EXPECT_THAT(choice.first, ElementsAre(OfferedRef{"refs/heads/main", kMain}));
    EXPECT_THAT(choice.fresh, ElementsAre(OfferedRef{branch_number(1, oid_number(2)), oid_number(2)}));
    EXPECT_THAT(choice.strange, SizeIs(1));
}

TEST_F(RefChoiceTest, TakesFourNamesOfAnObjectAndThenTheRightOne) {
    const Oid victim = oid_number(7);
    const OfferedRef honest{branch_number(77'777, victim), victim};
    auto flood = [&] {
        RefChooser some = chooser();
        for (int i = 0; i < 100'000; ++i) some.offer(branch_number(i, victim), victim);
        return some.choose();
    };
    RefChoice first = flood();
    EXPECT_THAT(first.fresh, SizeIs(4));
    EXPECT_EQ(first.left, 99'996U);
    right_[victim] = honest.name;  // the object came by a wrong name
    EXPECT_THAT(flood().fresh, ElementsAre(honest));
}

TEST_F(RefChoiceTest, TakesNoFurtherNameOfAnObjectThatHasFourHereAndNoneOfItsOwn) {
    const Oid rubbish = oid_number(7);
    std::vector<Ref> here;
    for (int i = 0; i < 4; ++i) here.push_back({tracking_ref(branch_number(i, rubbish)), rubbish});
    RefChooser some = chooser("a secret", here);
    for (int i = 0; i < 100; ++i) some.offer(branch_number(i, rubbish), rubbish);
    const RefChoice choice = some.choose();
    EXPECT_TRUE(choice.is_empty());
    EXPECT_EQ(choice.left, 96U);
}

TEST_F(RefChoiceTest, TakesTwentyThousandNewBranchesDrawnByTheSecret) {
    auto taken = [&](const std::string& secret) {
        RefChooser some = chooser(secret);
        for (int i = 0; i < 100'000; ++i) some.offer(branch_number(i, oid_number(i)), oid_number(i));
        RefChoice choice = some.choose();
        EXPECT_THAT(choice.fresh, SizeIs(20'000));
        EXPECT_EQ(choice.left, 80'000U);
        std::set<std::string> names;
        for (const OfferedRef& ref : choice.fresh) names.insert(ref.name);
        return names;
    };
    const std::set<std::string> one = taken("one"), other = taken("other");
    std::vector<std::string> both;
    std::ranges::set_intersection(one, other, std::back_inserter(both));
    EXPECT_NEAR(static_cast<double>(both.size()), 4000, 300);  // a fifth of a fifth; 5 standard deviations
}

TEST_F(RefChoiceTest, NeverCrowdsOutMainOwnOrKnownBranchesNorAnotherKind) {
    const Oid old = oid_number(3), now = oid_number(4);
    const std::string known = branch_number(5, now), log = "refs/heads/journal/new.there.0123abcd";
    RefChooser some = chooser("a secret", {{"refs/remotes/origin/" + known.substr(11), old}});
    for (int i = 0; i < 30'000; ++i) some.offer(branch_number(i + 10, oid_number(i + 10)), oid_number(i + 10));
    for (const std::string& name : {std::string("refs/heads/journal/me.here.00000000"), known, log})
        some.offer(name, now);
    some.offer("refs/heads/main", kMain);
    const RefChoice choice = some.choose();
    EXPECT_THAT(choice.first, ElementsAre(OfferedRef{"refs/heads/journal/me.here.00000000", now},
                                          OfferedRef{"refs/heads/main", kMain}));
    EXPECT_THAT(choice.known, ElementsAre(OfferedRef{known, now}));
    EXPECT_THAT(choice.fresh, Contains(OfferedRef{log, now}));
    EXPECT_FALSE(choice.is_everything());
}

TEST_F(RefChoiceTest, NamesThatNoBranchOfAPoolHasAreAFloodToo) {
    RefChooser some = chooser();
    for (int i = 0; i < 5000; ++i) some.offer(fmt::format("refs/heads/archive{}", i), kMain);
    some.offer("refs/heads/candidates/" + std::string(1 << 20, 'x'), kMain);
    some.offer(branch_number(1, oid_number(2)), std::string(40, 'f'));  // names another object
    const RefChoice choice = some.choose();
    EXPECT_THAT(choice.strange, SizeIs(1000));
    EXPECT_EQ(choice.left, 4002U);
    EXPECT_THAT(choice.fresh, IsEmpty());
}

TEST_F(RefChoiceTest, SaysWhichRefsTheRemoteHasNoMore) {
    RefChooser some =
        chooser("", {{"refs/remotes/origin/journal/a.b.00000000", kMain}, {"refs/remotes/origin/main", kMain}});
    some.offer("refs/heads/main", kMain);
    const RefChoice choice = some.choose();
    EXPECT_TRUE(choice.is_empty());
    EXPECT_THAT(choice.gone, ElementsAre("refs/remotes/origin/journal/a.b.00000000"));
}

class FloodTest : public ::testing::TestWithParam<bool> {
protected:
    FloodTest() : ann_(world_.found("ann")) {
        ann_.keep({{"optim.lr", 0.1}}, 2.0);
        ann_.propose();
    }
    std::unique_ptr<Transport> transport(const Hand& hand) const {
        return GetParam() ? git_cli_transport(hand.clone.repo.git_dir()) : libgit2_transport(hand.clone.repo.git_dir());
    }
    // Names of one commit, 12 MB of them; written as git keeps them, since 100,000 pushes take long.
    void flood(const Oid& commit, int count) {
        git(world_.hub(), "pack-refs --all");
        std::ifstream in(world_.hub() + "/packed-refs");
        std::vector<std::string> lines;
        for (std::string line; std::getline(in, line);) {
            if (!line.starts_with('#') && !line.starts_with('^')) lines.push_back(line);
        }
        for (int i = 0; i < count; ++i) lines.push_back(commit + " " + branch_number(i, commit));
        std::ranges::sort(lines, {}, [](const std::string& line) { return line.substr(41); });
        std::ofstream out(world_.hub() + "/packed-refs");
        out << "# pack-refs with: peeled fully-peeled sorted \n";
        for (const std::string& line : lines) out << line << "\n";
    }

    World world_;
    Hand ann_;
};
INSTANTIATE_TEST_SUITE_P(Backends, FloodTest, ::testing::Values(true, false),
                         [](const auto& backend) { return backend.param ? "Git" : "Libgit2"; });

TEST_P(FloodTest, OfBranchNamesStopsNeitherAPullNorACandidateThatItImitates) {
    const auto find = ann_.keep({{"optim.lr", 0.2}}, 1.9);
    ann_.propose();
    const Oid commit = must(ann_.index.candidate(find.candidate))->commits.at(0);
    flood(commit, 100'000);
    must(create_clone(world_.path("bea"), true, world_.hub(), {"bea", "machine"}));
    git(world_.path("bea"), "fetch -q origin main:refs/remotes/origin/main");
    Hand bea(must(open_clone(world_.path("bea"))));
    const auto line = transport(bea);
    const PullReport first = must(pull(bea.clone, bea.index, *line));
    EXPECT_EQ(first.runs, 2);
    EXPECT_GE(first.left, 99'996U);
    must(pull(bea.clone, bea.index, *line));
    EXPECT_THAT(must(bea.index.candidate(find.candidate))->commits, ElementsAre(commit));
    EXPECT_THAT(must(bea.clone.repo.refs("refs/remotes/origin/candidates/")), SizeIs(::testing::Le(6U)));
    EXPECT_TRUE(must(bea.clone.repo.ref("refs/remotes/origin/" + candidate_branch(find.candidate, commit))));
}

// Tells that it has too much to tell.
class Endless : public Transport {
public:
    explicit Endless(std::unique_ptr<Transport> inner) : inner_(std::move(inner)) {}
    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        return inner_->fetch(remote, refspecs);
    }
    Result<void> each_ref(const std::string&, const RefVisitor&) override {
        return fail(Code::git, "out of memory", "", Reason::too_large);
    }
    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        return inner_->push(remote, items);
    }

private:
    std::unique_ptr<Transport> inner_;
};

TEST_P(FloodTest, ThatCannotEvenBeListedLeavesMainAndTheLogsThatAreHere) {
    Hand bea(world_.join("bea"));
    ann_.keep({{"optim.lr", 0.2}}, 1.9);
    ann_.propose();
    Endless line(transport(bea));
    const PullReport report = must(pull(bea.clone, bea.index, line));
    EXPECT_EQ(report.runs, 1);
    ASSERT_THAT(report.refused, SizeIs(1));
    EXPECT_EQ(report.refused[0].where, "origin");
}

}  // namespace
}  // namespace cultivar
