// Tests `cultivar import` from a file and from another pool.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pool/clone/journal.h"
#include "pool/lineage/candidate_commits.h"
#include "tests/cli/commands/program.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class ImportTest : public ::testing::Test {
protected:
    ImportTest() : clone_(world_.found("owner")) {}

    std::string say(const std::string& words) {
        return shell(fmt::format("'{}' -C '{}' import {} || echo \"exit $?\"", kProgram, world_.path("owner"), words));
    }
    Json answer(const std::string& words) {
        return Json::parse(
            shell(fmt::format("'{}' -q -C '{}' --json import {}", kProgram, world_.path("owner"), words)));
    }
    std::string write_toml(const std::string& text) { return world_.folder().write("idea.toml", text); }

    // Founds a pool with other genes: one has another type, one another range, and one is missing here.
    Clone found_other() {
        Task task = tiny_task();
        std::vector<Gene> genes = tiny_genes();
        for (Gene& gene : genes) {
            if (gene.name == "model.layers") gene.high = 100;
            if (gene.name == "optim.bias") {
                gene.type = GeneType::integer;
                gene.default_value = whole(1);
            }
        }
        Gene extra;
        extra.name = "optim.extra";
        extra.default_value = 1.0;
        extra.high = 2;
        genes.push_back(extra);
        task.space = must(Space::make(genes, tiny_constraints()));
        return world_.found("other", task);
    }
    std::string add_to(Clone& other, const Genes& changes) {
        Lineage lineage(other.repo, other.task);
        auto made = must(lineage.write(must(make_candidate(other.task.space, other.task_id, changes)), {}));
        must(ensure_candidate_branch(other.repo, made));
        return made.candidate.id;
    }

    World world_;
    Clone clone_;
};

TEST_F(ImportTest, MakesARootOfAPersonsToml) {
    const std::string file = write_toml("# an idea\n[optim]\nlr = 0.1\n[model]\nlayers = 6\n");
    Json made = answer(file);
    EXPECT_EQ(made["toml"], "model.layers = 6\noptim.lr = 0.1\n");
    EXPECT_EQ(made["new"], true);
    const std::string branch = "refs/heads/" + made["branch"].get<std::string>();
    Lineage lineage(clone_.repo, clone_.task);
    CandidateCommit commit = must(lineage.read(*must(clone_.repo.ref(branch))));
    EXPECT_EQ(commit.candidate.id, made["id"]);
    EXPECT_TRUE(commit.parents.empty());
}

TEST_F(ImportTest, SaysThatACandidateIsThereAlready) {
    const std::string file = write_toml("optim.lr = 0.1\n");
    EXPECT_THAT(say(file), HasSubstr("imported "));
    EXPECT_THAT(say(file), HasSubstr("already in the pool: "));
    EXPECT_EQ(answer(file)["new"], false);
    EXPECT_EQ(must(clone_.repo.refs("refs/heads/candidates/")).size(), 1U);
}

TEST_F(ImportTest, NamesTheFirstResultOfAKnownCandidate) {
    const std::string file = write_toml("optim.lr = 0.1\n");
    EXPECT_EQ(answer(file)["first_result"], nullptr);
    EXPECT_THAT(say(file), Not(HasSubstr("scored")));
    const auto run = scored_run(clone_.task, clone_.writer, {{"optim.lr", 0.1}}, 2.0);
    const std::string id = must(append_record(clone_, run));
    must(append_record(clone_, scored_run(clone_.task, clone_.writer, {{"optim.lr", 0.1}}, 3.0, 1)));
    EXPECT_EQ(answer(file)["first_result"], id);
    EXPECT_THAT(say(file + " 2>&1"),
                HasSubstr(fmt::format("it scored {:.4f} before (cultivar show {})", *run.val_bpb, id.substr(0, 8))));
}

TEST_F(ImportTest, KnowsTheSeeds) {
    must(clone_.commit_main({{"seeds/small.toml", "optim.lr = 0.5\n"}}, "A seed"));
    EXPECT_THAT(say(write_toml("optim.lr = 0.5\n")), HasSubstr("already in the pool: "));
}

TEST_F(ImportTest, RefusesAFileThatIsNoCandidate) {
    EXPECT_THAT(say(write_toml("\noptim.rate = 1\n")),
                ::testing::AllOf(HasSubstr("idea.toml:2:"), HasSubstr("exit 129")));
    EXPECT_THAT(say(write_toml("model.width = 40\nmodel.heads = 8\n")), HasSubstr("exit 129"));
    EXPECT_THAT(say(world_.path("absent.toml")), HasSubstr("exit 128"));
}

TEST_F(ImportTest, TakesWhatItCanOfAnotherPoolsCandidate) {
    Clone other = found_other();
    const std::string id =
        add_to(other, {{"optim.lr", 0.1}, {"optim.bias", whole(2)}, {"optim.extra", 2.0}, {"model.layers", whole(64)}});
    Json made = answer(world_.path("other") + " " + id.substr(0, 8));
    EXPECT_EQ(made["toml"], "optim.lr = 0.1\n");
    std::map<std::string, std::string> why;
    for (const Json& one : made["dropped"]) why[one["gene"]] = one["why"];
    EXPECT_EQ(why, (std::map<std::string, std::string>{{"model.layers", "out of range: 1..32"},
                                                       {"optim.bias", "integer there, real here"},
                                                       {"optim.extra", "no such gene here"}}));
    EXPECT_THAT(say(world_.path("other") + " " + id), HasSubstr("dropped optim.extra = 2.0: no such gene here"));
}

TEST_F(ImportTest, TakesValuesAndNotDifferencesFromOtherDefaults) {
    Task task = tiny_task();
    std::vector<Gene> genes = tiny_genes();
    for (Gene& gene : genes) {
        if (gene.name == "optim.lr") gene.default_value = 0.5;
    }
    task.space = must(Space::make(genes, tiny_constraints()));
    Clone other = world_.found("other", task);
    const std::string id = add_to(other, {{"model.layers", whole(6)}});
    EXPECT_EQ(answer(world_.path("other") + " " + id)["toml"], "model.layers = 6\noptim.lr = 0.5\n");
}

TEST_F(ImportTest, RefusesAnotherPoolsCandidateOfWhichNothingRemains) {
    Clone other = found_other();
    EXPECT_THAT(say(world_.path("other") + " " + add_to(other, {{"optim.extra", 2.0}})),
                ::testing::AllOf(HasSubstr("none of the genes"), HasSubstr("exit 125")));
}

TEST_F(ImportTest, RefusesAnotherPoolsCandidateThatBreaksAConstraintHere) {
    Task task = tiny_task();
    task.space = must(Space::make(tiny_genes(), {}));
    Clone other = world_.found("other", task);
    const std::string id = add_to(other, {{"model.width", whole(40)}, {"model.heads", whole(8)}});
    EXPECT_THAT(say(world_.path("other") + " " + id), HasSubstr("exit 125"));
}

}  // namespace
}  // namespace cultivar
