#include "bandit/planner/planner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "bandit/history/candidate_stats.h"
#include "pool/types/surface.h"
#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

using testing::add;
using testing::candidate_of;
using testing::done;

class Planner : public ::testing::Test {
protected:
    Space space_ = testing::model_space();
    History history_;

    Planner() { history_.category = "cpu-10s-e11"; }

    Result<Plan> plan(std::uint64_t seed = 1) {
        return plan_next({&space_, testing::kTask, &history_, seed, testing::mixing_crosser(space_, history_)});
    }
    std::string seed_of(double rate) { return add(history_, candidate_of(space_, {{"optim.rate", rate}}), {}, true); }
    std::string child_of(const std::string& parent, double rate) {
        return add(history_, candidate_of(space_, {{"optim.rate", rate}}), {parent});
    }
    // Two runs of something else that nobody knows any more, so that no plan has to measure the noise first.
    void know_the_noise() {
        for (double score : {8.99, 9.01}) record("measured", RunStatus::done, score);
    }
    void record(const std::string& id, RunStatus status, double score = 0, Decision decision = Decision::none) {
        history_.trials.push_back(done(id, score, decision));
        history_.trials.back().status = status;
    }
};

TEST_F(Planner, DoesNothingMoreWithARetiredCandidateButLearnsFromItsRuns) {
    std::string first = seed_of(0.1), second = seed_of(0.2), untried = seed_of(0.3);
    record(first, RunStatus::done, 2, Decision::kept);
    record(second, RunStatus::done, 3, Decision::kept);
    std::string open = child_of(first, 0.15);
    record(open, RunStatus::done, 1.9, Decision::undecided);
    for (const std::string& id : {first, untried, open}) testing::known(history_, id).retired = true;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        EXPECT_TRUE(next->child.id != first && next->child.id != untried && next->child.id != open) << next->choice;
        for (const std::string& parent : next->parents) EXPECT_EQ(parent, second);
    }
    testing::known(history_, second).retired = true;
    EXPECT_FALSE(plan());
}

TEST_F(Planner, RunsEverySeedOnceInOrderThenImproves) {
    std::string first = seed_of(0.1), second = seed_of(0.2);
    auto one = plan();
    ASSERT_TRUE(one);
    EXPECT_EQ(one->child.id, first);
    EXPECT_EQ(one->operator_name, "seed");
    EXPECT_TRUE(one->parents.empty());
    record(first, RunStatus::unfit);
    EXPECT_EQ(plan()->child.id, second);
    record(second, RunStatus::done, 3, Decision::kept);
    know_the_noise();
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        EXPECT_NE(next->child.id, first) << "an unfit seed is not tried again";
        EXPECT_EQ(next->parents, std::vector<std::string>{second});
        EXPECT_TRUE(next->operator_name == "tune" || next->operator_name == "switch") << next->operator_name;
        EXPECT_NE(next->choice.find("parent " + short_id(second) + " drawn at"), std::string::npos) << next->choice;
        EXPECT_NE(next->choice.find("odds"), std::string::npos);
        EXPECT_NE(next->choice.find(" -> "), std::string::npos) << next->choice;
        EXPECT_EQ(next->choice.find('\n'), std::string::npos);
    }
}

TEST_F(Planner, SaysWhatToDoWhenNoSeedFits) {
    record(seed_of(0.1), RunStatus::unfit);
    record(seed_of(0.2), RunStatus::unfit);
    auto next = plan();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, Code::unfit);
    EXPECT_NE(next.error().message.find("'cpu-10s-e11'"), std::string::npos);
    EXPECT_EQ(next.error().hint, "cultivar explore --budget 20s");
}

TEST_F(Planner, RunsTheLeaderAgainAtOnceWhileTheNoiseIsUnknown) {
    std::string root = seed_of(0.1), other = seed_of(0.2);
    record(root, RunStatus::done, 3, Decision::kept);
    EXPECT_EQ(plan()->child.id, other) << "every seed first";
    for (int day = 0; day < 6; ++day) record(other, RunStatus::failed);
    record(other, RunStatus::done, 2, Decision::kept);
    EXPECT_EQ(plan()->child.id, other) << "its failures before are of no matter";
    EXPECT_EQ(plan()->operator_name, "replicate");
    testing::known(history_, other).in_flight = true;
    EXPECT_NE(plan()->operator_name, "replicate") << "that run is under way";
    testing::known(history_, other).in_flight = false;
    record(other, RunStatus::done, 2.1, Decision::kept);
    EXPECT_NE(plan()->operator_name, "replicate");
}

// Else a search has nothing beside others' source, however badly that does here.
TEST_F(Planner, RunsASeedBesideOthersSourceWhoeverScoredIt) {
    const std::string seed = seed_of(0.1);
    record(seed, RunStatus::done, 3, Decision::kept);
    history_.trials.back().trusted = false;
    history_.trials.back().of_proven_key = true;
    const std::string changed = child_of(seed, 0.2);
    record(changed, RunStatus::done, 5, Decision::kept);
    history_.noiseless = true;
    EXPECT_NE(plan()->child.id, seed);
    testing::known(history_, changed).candidate.files = {{"src/a.sh", std::string(64, 'a')}};
    EXPECT_EQ(plan()->child.id, seed);
    record(seed, RunStatus::done, 3, Decision::kept);
    EXPECT_NE(plan()->child.id, seed);
}

// Source that runs for its maker and fails in all that is made of it.
TEST_F(Planner, TurnsAwayFromSourceThatFailsInItsChildren) {
    Surface surface;
    surface.edit = {"src/**"};
    space_.set_surface(std::make_shared<const Surface>(surface));
    const std::string plain = seed_of(0.1);
    for (double score : {3.0, 3.01}) record(plain, RunStatus::done, score, Decision::kept);
    const std::string bomb = child_of(plain, 0.2);
    for (double score : {2.0, 2.01}) record(bomb, RunStatus::done, score, Decision::kept);
    for (double rate : {0.3, 0.4, 0.5}) record(child_of(plain, rate), RunStatus::done, 3 + rate, Decision::reverted);
    const SourceFiles files = {{"src/a.sh", std::string(64, 'a')}};
    testing::known(history_, bomb).candidate.files = files;
    int failed = 0;
    for (std::uint64_t run = 0; run < 40; ++run) {
        const Plan next = *plan(run);
        const bool known = CandidateTable(history_).knows(next.child.id);
        if (!known) add(history_, next.child, next.parents);
        const bool fails = next.child.files == files;
        failed += fails;
        record(next.child.id, fails ? RunStatus::failed : RunStatus::done, 3.2 + 0.001 * static_cast<double>(run),
               Decision::reverted);
    }
    EXPECT_LE(failed, 12);
    EXPECT_GE(failed, 1) << "else this shows nothing";
}

// Source that fails when it likes must not pass for a broken machine.
TEST_F(Planner, JudgesTheMachineByACandidateWithoutSource) {
    const std::string plain = seed_of(0.1), worse = seed_of(0.2), changed = seed_of(0.3);
    testing::known(history_, changed).candidate.files = {{"src/a.sh", std::string(64, 'a')}};
    record(plain, RunStatus::done, 3, Decision::kept);
    record(worse, RunStatus::done, 4, Decision::kept);
    record(changed, RunStatus::done, 2, Decision::kept);
    PlannerInput input{&space_, testing::kTask, &history_, 1, testing::mixing_crosser(space_, history_)};
    input.control = true;
    EXPECT_EQ(plan_next(input)->child.id, plain);
    testing::known(history_, plain).retired = testing::known(history_, worse).retired = true;
    EXPECT_EQ(plan_next(input)->child.id, changed) << "where there is no other";
}

TEST_F(Planner, RunsNothingTwiceWhereTheTaskDeclaresNoNoise) {
    auto space = Space::make({testing::choice("only", {"a", "b"})}, {});
    ASSERT_TRUE(space);
    history_.noiseless = true;
    std::string a = add(history_, candidate_of(*space, {}), {}, true);
    record(a, RunStatus::done, 2, Decision::kept);
    auto next = plan_next({&*space, testing::kTask, &history_, 1, {}});
    ASSERT_TRUE(next);
    EXPECT_EQ(next->operator_name, "tune");
    record(add(history_, next->child, {a}), RunStatus::done, 1, Decision::kept);
    next = plan_next({&*space, testing::kTask, &history_, 1, {}});
    ASSERT_FALSE(next);
    EXPECT_NE(next.error().message.find("nothing new is left to try"), std::string::npos) << next.error().message;
}

TEST_F(Planner, TriesASeedOnceMoreAfterAFailureBeforeItImproves) {
    std::string first = seed_of(0.1), second = seed_of(0.2);
    record(first, RunStatus::failed);
    EXPECT_EQ(plan()->child.id, first);
    record(first, RunStatus::failed);
    EXPECT_EQ(plan()->child.id, second) << "twice is its own fault";
}

TEST_F(Planner, RunsASeedThatRunsElsewhereAgainRatherThanNothing) {
    std::string seed = seed_of(0.1);
    testing::known(history_, seed).in_flight = true;
    ASSERT_TRUE(plan()) << "anybody may lease it, so a lease must not leave a newcomer idle";
    EXPECT_EQ(plan()->child.id, seed);
    EXPECT_EQ(plan()->operator_name, "seed");
    record(seed, RunStatus::done, 3, Decision::kept);
    history_.trials.back().trusted = false;
    history_.trials.back().of_proven_key = true;
    ASSERT_TRUE(plan());
    EXPECT_EQ(plan()->child.id, seed);
    EXPECT_EQ(plan()->operator_name, "import");
    testing::known(history_, seed).held_here = true;
    EXPECT_FALSE(plan()) << "it was asked for here";
}

TEST_F(Planner, TakesCandidatesThatOthersLeaseOnceNothingElseIsLeft) {
    auto space = Space::make({testing::whole("cell", 0, 0, 2)}, {});
    ASSERT_TRUE(space);
    history_.noiseless = true;
    const std::string root = add(history_, candidate_of(*space, {}), {}, true);
    record(root, RunStatus::done, 3, Decision::kept);
    const std::string leased = add(history_, candidate_of(*space, {{"cell", std::int64_t{1}}}));
    const std::string held = add(history_, candidate_of(*space, {{"cell", std::int64_t{2}}}));
    for (const std::string& id : {held, leased}) testing::known(history_, id).in_flight = true;
    testing::known(history_, held).held_here = true;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto next = plan_next({&*space, testing::kTask, &history_, seed, {}});
        ASSERT_TRUE(next) << next.error().message;
        EXPECT_EQ(next->child.id, leased) << next->choice;
        EXPECT_NE(next->choice.find("others lease"), std::string::npos) << next->choice;
    }
    testing::known(history_, leased).held_here = true;
    EXPECT_FALSE(plan_next({&*space, testing::kTask, &history_, 1, {}})) << "both run here";
}

TEST_F(Planner, TriesAFailedSeedAgainWhateverOthersSayOfIt) {
    std::string seed = seed_of(0.1);
    for (int day = 0; day < 3; ++day) record(seed, RunStatus::failed);
    record(seed, RunStatus::unfit);
    history_.trials.back().trusted = false;
    ASSERT_TRUE(plan()) << "somebody says that it does not fit";
    EXPECT_EQ(plan()->child.id, seed);
}

TEST_F(Planner, TriesWhatItsUserWantsThoughOthersLeaseIt) {
    std::string root = seed_of(0.1), wanted = child_of(root, 0.2);
    record(root, RunStatus::done, 3, Decision::kept);
    testing::known(history_, wanted).wanted = testing::known(history_, wanted).in_flight = true;
    EXPECT_EQ(plan()->child.id, wanted);
    testing::known(history_, wanted).held_here = true;
    EXPECT_NE(plan()->child.id, wanted) << "it runs here";
}

TEST_F(Planner, ProposesACandidateAgainThatFailedOnce) {
    auto space = Space::make({testing::whole("cell", 0, 0, 5)}, {});
    ASSERT_TRUE(space);
    for (std::int64_t cell = 0; cell < 6; ++cell) {
        std::string id = add(history_, candidate_of(*space, {{"cell", cell}}), {}, cell == 0);
        record(id, cell == 4 ? RunStatus::failed : RunStatus::done, 5 - static_cast<double>(cell), Decision::kept);
    }
    know_the_noise();
    const std::string crashed = candidate_of(*space, {{"cell", std::int64_t{4}}}).id;
    EXPECT_EQ(plan_next({&*space, testing::kTask, &history_, 1, {}})->child.id, crashed);
    record(crashed, RunStatus::failed);
    EXPECT_NE(plan_next({&*space, testing::kTask, &history_, 1, {}})->child.id, crashed);
}

TEST_F(Planner, TriesAFailedSeedAgainForEverWhenNothingElseIsLeft) {
    std::string seed = seed_of(0.1);
    for (int attempt = 0; attempt < 9; ++attempt) {
        auto next = plan();
        ASSERT_TRUE(next);
        EXPECT_EQ(next->child.id, seed);
        EXPECT_EQ(next->replicate, attempt);
        record(seed, RunStatus::failed);
    }
}

TEST_F(Planner, RunsAnUndecidedLeaderAgainBeforeAnythingNew) {
    std::string root = seed_of(0.1), child = child_of(root, 0.2);
    record(root, RunStatus::done, 3, Decision::kept);
    record(child, RunStatus::done, 2.99, Decision::undecided);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        EXPECT_EQ(next->child.id, child);
        EXPECT_EQ(next->operator_name, "replicate");
        EXPECT_EQ(next->replicate, 1);
        EXPECT_EQ(next->parents, std::vector<std::string>{root});
    }
    testing::known(history_, child).runs_anywhere = 5;
    EXPECT_EQ(plan()->replicate, 5);
    testing::known(history_, child).in_flight = true;
    EXPECT_NE(plan()->child.id, child);
}

TEST_F(Planner, GoesOnFromAnUndecidedLeaderWhileNewRunsGainMoreThanTheDoubtCanCost) {
    std::string root = seed_of(0.1), better = child_of(root, 0.2), leader = child_of(better, 0.3);
    know_the_noise();
    record(root, RunStatus::done, 4, Decision::kept);
    record(better, RunStatus::done, 3, Decision::kept);
    record(leader, RunStatus::done, 2.99, Decision::undecided);
    EXPECT_NE(plan()->operator_name, "replicate");
    for (double rate : {0.4, 0.41, 0.42, 0.43, 0.44, 0.45, 0.46, 0.47})
        record(child_of(leader, rate), RunStatus::done, 5, Decision::reverted);
    EXPECT_EQ(plan()->operator_name, "replicate") << "the gains are long past";
}

TEST_F(Planner, LetsAnUndecidedCandidateWaitThatDoesNotLead) {
    std::string root = seed_of(0.1), child = child_of(root, 0.2), leader = child_of(root, 0.3);
    know_the_noise();
    record(root, RunStatus::done, 3, Decision::kept);
    record(child, RunStatus::done, 2.6, Decision::undecided);
    record(leader, RunStatus::done, 2.5, Decision::kept);
    for (double rate : {0.4, 0.5}) record(child_of(root, rate), RunStatus::done, 4, Decision::reverted);
    std::set<std::string> parents;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        EXPECT_NE(next->operator_name, "replicate");
        parents.insert(next->parents.begin(), next->parents.end());
    }
    EXPECT_TRUE(parents.contains(child)) << "others may build on it meanwhile";
}

TEST_F(Planner, RunsTheBestAgainOnlyWhereNoiseMayHaveChosenIt) {
    std::string best = seed_of(0.1);
    record(best, RunStatus::done, 2, Decision::kept);
    record(best, RunStatus::done, 2.001, Decision::kept);
    record(best, RunStatus::done, 2.002, Decision::kept);
    for (int i = 0; i < 40; ++i) record(child_of(best, 0.2 + 0.01 * i), RunStatus::done, 3 + 0.01 * i, Decision::kept);
    auto replicates = [&] {
        int count = 0;
        for (std::uint64_t seed = 0; seed < 50; ++seed) count += plan(seed)->operator_name == "replicate";
        return count;
    };
    EXPECT_EQ(replicates(), 0) << "the best leads by far more than the noise";
    for (Trial& trial : history_.trials) {
        if (trial.score < 2.01) trial.score = 3.0 - 300 * (trial.score - 2);
    }
    int count = replicates();
    EXPECT_GT(count, 2);
    EXPECT_LT(count, 25);
}

TEST_F(Planner, ProposesOnlyWhatIsFeasible) {
    std::string root = seed_of(0.1);
    record(root, RunStatus::done, 3, Decision::kept);
    for (int i = 0; i < 20; ++i)
        record(child_of(root, 0.2 + 0.02 * i), RunStatus::done, 3 + 0.01 * i, Decision::reverted);
    PlannerInput input{&space_, testing::kTask, &history_, 0, {}};
    input.feasible = [](const Genes& genes) { return std::get<std::int64_t>(genes.at("data.tokens")) <= 16384; };
    int large = 0;
    for (; input.seed < 60; ++input.seed) {
        auto next = plan_next(input);
        ASSERT_TRUE(next);
        large += !input.feasible(next->child.genes);
    }
    EXPECT_EQ(large, 0);
}

TEST_F(Planner, TriesEveryCellOfASmallSpaceBeforeItRepeatsAny) {
    Gene row = testing::whole("row", 0, 0, 9), column = testing::whole("column", 0, 0, 9);
    auto space = Space::make({row, column}, {});
    ASSERT_TRUE(space);
    std::string first = add(history_, candidate_of(*space, {}), {}, true);
    know_the_noise();
    record(first, RunStatus::done, 2, Decision::kept);
    PlannerInput input{&*space, testing::kTask, &history_, 0, {}};
    input.feasible = [](const Genes& genes) { return std::get<std::int64_t>(genes.at("row")) != 5; };
    for (int cell = 1; cell < 90; ++cell, ++input.seed) {
        auto next = plan_next(input);
        ASSERT_TRUE(next);
        ASSERT_EQ(next->operator_name, "tune") << cell;
        add(history_, next->child, next->parents);
        record(next->child.id, RunStatus::done, 2 + 0.01 * cell, Decision::reverted);
    }
    EXPECT_EQ(plan_next(input)->operator_name, "replicate");
}

// Changing all genes at once tells nothing about any of them.
TEST_F(Planner, ChangesFewGenesAtATimeWhereThereAreMany) {
    std::vector<Gene> genes;
    for (int i = 0; i < 50; ++i) genes.push_back(testing::real(fmt::format("gene.g{:02}", i), 0.5, 0, 1));
    auto space = Space::make(genes, {});
    ASSERT_TRUE(space);
    std::string root = add(history_, candidate_of(*space, {}), {}, true);
    record(root, RunStatus::done, 2, Decision::kept);
    for (int i = 0; i < 6; ++i) {
        Candidate child = candidate_of(*space, {{fmt::format("gene.g{:02}", i), 0.2 + 0.1 * (i < 3 ? i : i + 1)}});
        record(add(history_, child, {root}), RunStatus::done, 2.1 + 0.1 * i, Decision::reverted);
    }
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        auto next = plan_next({&*space, testing::kTask, &history_, seed, {}});
        ASSERT_TRUE(next) << next.error().message;
        int moved = 0;
        for (const auto& [name, value] : next->child.genes) moved += value != Value(0.5);
        EXPECT_LE(moved, 6) << next->choice;
    }
}

TEST_F(Planner, HoldsTheCandidateWithTheLowestShrunkenMeanToBeTheBest) {
    PlannerInput input{&space_, testing::kTask, &history_, 0, {}};
    EXPECT_EQ(incumbent(input), nullptr);
    std::string root = seed_of(0.1), child = child_of(root, 0.2), reverted = child_of(root, 0.3);
    record(root, RunStatus::done, 3, Decision::kept);
    record(child, RunStatus::done, 2, Decision::kept);
    record(reverted, RunStatus::done, 1, Decision::reverted);
    EXPECT_EQ(incumbent(input)->candidate.id, child);
}

TEST_F(Planner, LeavesForeignUndecidedCandidatesToTheirOwners) {
    std::string root = seed_of(0.1), child = child_of(root, 0.2);
    record(root, RunStatus::done, 3, Decision::kept);
    record(child, RunStatus::done, 2.9, Decision::undecided);
    history_.trials.back().trusted = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_NE(plan(seed)->child.id, child);
}

TEST_F(Planner, ImportsTheBestOfOthersAndOnlyThenBuildsOnIt) {
    std::string root = seed_of(0.1), find = child_of(root, 0.2), lesser = child_of(root, 0.3);
    for (const std::string& id : {root, find, lesser}) {
        record(id, RunStatus::done, id == find ? 2 : 2.5, Decision::kept);
        history_.trials.back().trusted = false;
        history_.trials.back().of_proven_key = id == root;
        testing::known(history_, id).kept = true;
    }
    auto next = plan();  // nothing ran here yet, so only an import is possible
    ASSERT_TRUE(next);
    EXPECT_EQ(next->operator_name, "import");
    EXPECT_EQ(next->child.id, find);
    EXPECT_EQ(next->parents, std::vector<std::string>{root});
    record(find, RunStatus::done, 2.1, Decision::kept);
    know_the_noise();
    std::set<std::string> operators;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        next = plan(seed);
        ASSERT_TRUE(next);
        operators.insert(next->operator_name);
        if (next->operator_name == "tune" || next->operator_name == "switch") {
            EXPECT_EQ(next->parents, std::vector<std::string>{find});
        }
    }
    EXPECT_TRUE(operators.contains("import"));
    EXPECT_TRUE(operators.contains("tune"));
}

TEST_F(Planner, LeavesAloneWhatItsImportsDescendFrom) {
    std::string root = seed_of(0.1), middle = child_of(root, 0.2), find = child_of(middle, 0.3),
                other = child_of(root, 0.4);
    for (const std::string& id : {root, middle, find, other}) {
        record(id, RunStatus::done, 2, Decision::kept);
        history_.trials.back().trusted = false;
        history_.trials.back().of_proven_key = true;
        testing::known(history_, id).kept = true;
    }
    record(find, RunStatus::done, 2.1, Decision::kept);
    know_the_noise();
    std::set<std::string> imports;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        if (next->operator_name == "import") imports.insert(next->child.id);
    }
    EXPECT_EQ(imports, std::set<std::string>{other});
}

// Forged results of another writer, kept and claimed.
class Forgery : public Planner {
protected:
    void forge(const std::string& id, double score, const std::string& writer = "mallory") {
        record(id, RunStatus::done, score, Decision::kept);
        history_.trials.back().trusted = false;
        history_.trials.back().writer = writer;
        testing::known(history_, id).kept = true;
    }
    void forge_rates(int count, const std::string& parent) {
        for (int i = 0; i < count; ++i) forge(child_of(parent, 0.55 + 0.00044 * i), 0.5 + 0.0001 * (i * 37 % 101));
    }
};

TEST_F(Forgery, MakesNoParentsWithoutARunHere) {
    std::string root = seed_of(0.1);
    record(root, RunStatus::done, 3, Decision::kept);
    know_the_noise();
    forge_rates(1000, root);
    int imports = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        EXPECT_EQ(next->parents, std::vector<std::string>{root});
        if (next->operator_name != "import") continue;
        ++imports;
        EXPECT_NE(next->choice.find("unverified: run here before anything is built on it"), std::string::npos);
    }
    EXPECT_GT(imports, 0);
    EXPECT_EQ(incumbent({&space_, testing::kTask, &history_, 0, {}})->candidate.id, root);
}

TEST_F(Forgery, LosesTheImportsThatItPromised) {
    std::string root = seed_of(0.1);
    record(root, RunStatus::done, 3, Decision::kept);
    forge_rates(300, root);
    testing::Clone clone(space_, 3, 0.02);
    int imports = 0;
    for (int i = 0; i < 60; ++i) {
        auto next = clone.run(history_);
        ASSERT_TRUE(next);
        imports += i >= 20 && next->operator_name == "import";
    }
    EXPECT_LE(imports, 8);
}

TEST_F(Forgery, ClosesNoPartOfTheSpaceByClaimsToHaveBeenThere) {
    auto space = Space::make({testing::whole("cell", 0, 0, 11)}, {});
    ASSERT_TRUE(space);
    for (std::int64_t cell = 0; cell < 12; ++cell) {
        std::string id = add(history_, candidate_of(*space, {{"cell", cell}}), {}, cell == 0);
        record(id, RunStatus::done, cell < 4 ? 2.4 - 0.1 * static_cast<double>(cell) : 9,
               cell < 4 ? Decision::kept : Decision::reverted);
        history_.trials.back().trusted = cell < 4;
        if (cell >= 4) history_.trials.back().writer = "mallory";
    }
    know_the_noise();
    auto next = plan_next({&*space, testing::kTask, &history_, 1, {}});
    ASSERT_TRUE(next);
    EXPECT_EQ(next->operator_name, "tune") << next->choice;
    EXPECT_NE(next->choice.find("which nobody verified"), std::string::npos) << next->choice;
}

TEST_F(Forgery, KeepsNoSeedFromBeingRun) {
    std::string seed = seed_of(0.1);
    record(seed, RunStatus::unfit);
    history_.trials.back().trusted = false;
    EXPECT_EQ(plan()->child.id, seed);
}

TEST_F(Forgery, KeepsNoSeedFromBeingRunByAScore) {
    std::string seed = seed_of(0.1), better = seed_of(0.2), third = seed_of(0.3);
    forge(seed, 3);
    forge(better, 2.5);
    forge(third, 2.8);
    forge(third, 9, "eve");
    auto next = plan();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->operator_name, "seed");
    EXPECT_EQ(next->child.id, better);
    EXPECT_NE(next->choice.find("its score of 2.5000"), std::string::npos) << next->choice;
    EXPECT_NE(next->choice.find("keys without a verified run"), std::string::npos) << next->choice;
    record(better, RunStatus::done, 2.9, Decision::kept);
    know_the_noise();
    EXPECT_EQ(plan()->child.id, third) << "said to be better than the one that ran here";
    record(third, RunStatus::done, 2.7, Decision::kept);
    for (std::uint64_t draw = 0; draw < 20; ++draw) EXPECT_NE(plan(draw)->operator_name, "seed");
}

TEST_F(Planner, LeavesASeedToTheKeysThatVerifiersKnow) {
    std::string seed = seed_of(0.1), worse = seed_of(0.2), child = child_of(seed, 0.15);
    for (const std::string& id : {seed, worse, child}) {
        record(id, RunStatus::done, id == worse ? 4 : 3, Decision::kept);
        history_.trials.back().trusted = false;
        history_.trials.back().of_proven_key = id == seed;
        testing::known(history_, id).kept = true;
    }
    EXPECT_EQ(plan()->operator_name, "import");
    history_.trials[1].score = 2;
    EXPECT_EQ(plan()->operator_name, "seed") << "better than any that is vouched for";
    EXPECT_EQ(plan()->child.id, worse);
}

TEST_F(Planner, PrefersTheTipsAmongWhatWasKeptInOtherCategories) {
    std::string root = seed_of(0.1), middle = child_of(root, 0.2), tip = child_of(middle, 0.3);
    record(root, RunStatus::unfit);
    for (const std::string& id : {middle, tip}) testing::known(history_, id).kept = true;
    EXPECT_EQ(plan()->child.id, tip);
    testing::known(history_, tip).rejected = true;
    EXPECT_EQ(plan()->child.id, middle);
}

TEST_F(Planner, CrossesOnlyCandidatesOfWhichNeitherDescendsFromTheOther) {
    std::string root = seed_of(0.1);
    std::string left = child_of(root, 0.2);
    std::string right =
        add(history_, candidate_of(space_, {{"optim.rate", 0.1}, {"data.length", std::int64_t{256}}}), {root});
    std::string below = child_of(left, 0.3);
    know_the_noise();
    for (const std::string& id : {root, left, right, below}) record(id, RunStatus::done, 2.5, Decision::kept);
    std::set<std::vector<std::string>> pairs;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        auto next = plan(seed);
        ASSERT_TRUE(next);
        if (next->operator_name != "cross") continue;
        std::vector<std::string> pair = next->parents;
        std::ranges::sort(pair);
        pairs.insert(pair);
    }
    std::set<std::vector<std::string>> expected;
    for (std::vector<std::string> pair : {std::vector{left, right}, std::vector{right, below}}) {
        std::ranges::sort(pair);
        expected.insert(pair);
    }
    EXPECT_EQ(pairs, expected);
}

TEST_F(Planner, ChoosesAnotherOperatorWhereACrossFails) {
    std::string root = seed_of(0.1), left = child_of(root, 0.2), right = child_of(root, 0.3);
    for (const std::string& id : {root, left, right}) record(id, RunStatus::done, 2.5, Decision::kept);
    Crosser broken = [](const std::string&, const std::string&) -> Result<Candidate> {
        return fail(Code::git, "no common ancestor");
    };
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        auto next = plan_next({&space_, testing::kTask, &history_, seed, broken});
        ASSERT_TRUE(next);
        EXPECT_NE(next->operator_name, "cross");
    }
}

TEST_F(Planner, KnowsTheBestBetterWhenTheSpaceIsExhausted) {
    Gene only = testing::choice("only", {"a", "b"});
    auto space = Space::make({only}, {});
    ASSERT_TRUE(space);
    std::string a = add(history_, candidate_of(*space, {}), {}, true);
    std::string b = add(history_, candidate_of(*space, {{"only", std::string("b")}}), {a});
    record(a, RunStatus::done, 2, Decision::kept);
    record(b, RunStatus::done, 1, Decision::kept);
    int replicates = 0;
    for (;; ++replicates) {
        auto next = plan_next({&*space, testing::kTask, &history_, 1, {}});
        if (!next) break;
        EXPECT_EQ(next->operator_name, "replicate");
        record(next->child.id, RunStatus::done, next->child.id == a ? 2 : 1, Decision::kept);
        ASSERT_LT(replicates, 20);
    }
    EXPECT_EQ(replicates, 14);  // eight runs each
}

TEST_F(Planner, RefusesAnInputWithoutSpaceOrHistory) {
    EXPECT_EQ(plan_next({nullptr, testing::kTask, &history_, 1, {}}).error().code, Code::usage);
    EXPECT_EQ(plan_next({&space_, testing::kTask, nullptr, 1, {}}).error().code, Code::usage);
    EXPECT_EQ(plan().error().code, Code::unfit);  // an empty pool
    EXPECT_EQ(plan().error().hint, "cultivar pull");
}

}  // namespace
}  // namespace cultivar
