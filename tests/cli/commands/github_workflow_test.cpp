// Tests the workflow that `cultivar init --host github` commits.
#include "cli/commands/github_workflow.h"

#include <cstdlib>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/lineage/candidate_commits.h"
#include "pool/util/sha256.h"
#include "tests/cli/commands/program.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The lines of every `run:` block.
std::vector<std::string> run_lines() {
    std::istringstream lines(github_workflow());
    std::vector<std::string> found;
    std::size_t block = 0;  // column of the block's key; 0 outside a block
    for (std::string line; std::getline(lines, line);) {
        const std::size_t indent = line.find_first_not_of(' ');
        if (block != 0 && indent != std::string::npos && indent <= block) block = 0;
        if (block != 0) found.push_back(line);
        if (line.ends_with("run: |")) block = line.find("run: |");
    }
    return found;
}

TEST(GithubWorkflow, IsCommittedByInit) {
    TempFolder folder;
    shell(fmt::format("HOME='{0}' '{1}' init '{0}/pool' --host github", folder.file("."), kProgram));
    EXPECT_EQ(git(folder.file("pool"), std::string("show main:") + kGithubWorkflowPath), github_workflow());
    EXPECT_THAT(
        shell(fmt::format("HOME='{0}' '{1}' init '{0}/other' --host gitlab || echo $?", folder.file("."), kProgram)),
        ::testing::AllOf(HasSubstr("it takes github"), HasSubstr("129")));
}

TEST(GithubWorkflow, IsYamlOfTwoJobsOfWhichTheOneThatReadsCannotWrite) {
    if (std::system("python3 -c 'import yaml' 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3-yaml";
    TempFolder folder;
    const std::string file = folder.write("pool.yml", github_workflow());
    const std::string read = shell(fmt::format(
        "python3 -c 'import json, sys, yaml; w = yaml.safe_load(open(sys.argv[1])); print(json.dumps([w[True], "
        "w[\"permissions\"], {{n: j[\"permissions\"] for n, j in w[\"jobs\"].items()}}, w[\"jobs\"][\"archive\"]"
        "[\"needs\"]], sort_keys=True))' '{}'",
        file));
    EXPECT_EQ(read,
              "[{\"schedule\": [{\"cron\": \"17 * * * *\"}], \"workflow_dispatch\": null}, {}, {\"archive\": "
              "{\"contents\": \"write\"}, \"check\": {\"contents\": \"read\"}}, \"check\"]\n");
}

TEST(GithubWorkflow, RunsNobodyElsesActionAndNothingForeign) {
    const std::string text = github_workflow();
    EXPECT_THAT(text, Not(HasSubstr("uses:")));
    EXPECT_THAT(text, Not(HasSubstr("pull_request")));
    for (const std::string& line : run_lines()) EXPECT_THAT(line, Not(HasSubstr("${{"))) << line;
    EXPECT_GT(run_lines().size(), 30U);
}

TEST(GithubWorkflow, KeepsTheTokenFromEveryStepThatRunsCultivar) {
    std::istringstream text(github_workflow());
    std::vector<std::string> steps = {""};
    for (std::string line; std::getline(text, line); steps.back() += line + "\n") {
        if (line.starts_with("      - name:")) steps.emplace_back();
    }
    int with_token = 0;
    for (const std::string& step : steps) {
        if (step.find("github.token") == std::string::npos) continue;
        ++with_token;
        EXPECT_THAT(step, Not(HasSubstr("bin/cultivar"))) << step;
    }
    EXPECT_EQ(with_token, 3);
}

TEST(GithubWorkflow, IsSoundShell) {
    if (std::system("command -v shellcheck >/dev/null") != 0) GTEST_SKIP() << "there is no shellcheck";
    TempFolder folder;
    std::string script = "#!/bin/bash\nset -e\n";
    for (const std::string& line : run_lines()) script += line + "\n";
    EXPECT_EQ(shell("shellcheck " + folder.write("steps.sh", script) + " || true"), "");
}

// Returns the script of the first step with this name.
std::string step(const std::string& name) {
    std::istringstream lines(github_workflow());
    std::string script;
    bool here = false, run = false;
    for (std::string line; std::getline(lines, line);) {
        const bool other = !line.starts_with("       ");
        if (other && run) break;
        if (line == "      - name: " + name) here = true;
        if (run) script += line.substr(std::min<std::size_t>(line.size(), 10)) + "\n";
        run = run || (here && line == "        run: |");
    }
    if (script.empty()) throw std::runtime_error("no step " + name);
    return script;
}

TEST(GithubWorkflow, FoldsSettledCandidatesIntoTheArchiveOfItsHost) {
    World world;
    Clone owner = world.found("owner");
    Lineage lineage(owner.repo, owner.task);
    for (double rate : {0.1, 0.2, 0.3})
        must(ensure_candidate_branch(
            owner.repo,
            must(lineage.write(must(make_candidate(owner.task.space, owner.task_id, {{"optim.lr", rate}})), {}))));
    git(world.path("owner"), "push -q origin main 'refs/heads/candidates/*'");
    // A contributor's log that is no log: told, and nobody is stopped by it.
    commit_by_hand(world.hub(), "refs/heads/journal/eve.machine.00000000", {{"seg/000000.jsonl", "rubbish\n"}});
    const std::string work = world.path("work");
    auto play = [&](const std::string& script) {
        const std::string file = world.folder().write("step.sh", script);
        return shell(
            fmt::format("cd '{0}' && HOME='{0}' GITHUB_SERVER_URL='{1}' GITHUB_REPOSITORY=hub.git TOKEN=secret "
                        "CULTIVAR_KEY=\"$(cat '{2}key.pem')\" LC_ALL=C CULTIVAR_NAME=archive "
                        "CULTIVAR_MACHINE=github bash -eo pipefail '{3}'",
                        work, world.path("."), owner.state_dir, file));
    };
    shell(
        fmt::format("mkdir -p '{0}/cultivar-build' && ln -s '{1}' '{0}/cultivar-build/bin'", work, CULTIVAR_PROGRAMS));
    play(step("Fetch the pool"));
    EXPECT_THAT(play(step("Check every hash, parent, record and signature")), HasSubstr("eve.machine.00000000"));
    shell(fmt::format("rm -rf '{}/pool'", work));
    // Makes the script believe that the pool has too many branches.
    std::string archive = step("Archive settled candidates");
    archive.replace(archive.find("-C pool archive"), 15, "-C pool archive --keep 1");
    play(archive);
    EXPECT_THAT(world.hub_refs(), Not(HasSubstr("refs/heads/archive")));
    play(step("Send it"));
    EXPECT_THAT(world.hub_refs(), HasSubstr("refs/heads/archive"));
    EXPECT_EQ(shell(fmt::format("git -C '{}' for-each-ref refs/heads/candidates | wc -l", world.hub())), "1\n");
}

TEST(GithubWorkflow, PinsCultivarToOneCommit) {
    const std::string workflow = github_workflow(), key = "\n  CULTIVAR_REF: '";
    const std::size_t at = workflow.find(key);
    ASSERT_NE(at, std::string::npos);
    const std::string ref = workflow.substr(at + key.size(), workflow.find('\'', at + key.size()) - at - key.size());
    EXPECT_TRUE(ref == "unknown" || is_hex(ref, 40)) << ref;
}

}  // namespace
}  // namespace cultivar
