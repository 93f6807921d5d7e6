#include "tests/pool/support/fixture.h"

#include <cstdio>
#include <cstdlib>
#include <numbers>

#include <gtest/gtest.h>

// libgit2 1.5 leaks a pattern's memory whenever it opens a repository of format 1, such as a partial clone.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpcre2\n"; }

namespace cultivar {
namespace {

// Tests do not depend on the user's git configuration, language or repository.
class Alone : public ::testing::Environment {
public:
    void SetUp() override {
        for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_SSH_COMMAND", "GIT_SSH"})
            ::unsetenv(name);
        ::setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
        ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
        ::setenv("LC_ALL", "C", 1);
        for (const char* who : {"AUTHOR", "COMMITTER"}) {
            ::setenv((std::string("GIT_") + who + "_NAME").c_str(), "Somebody", 1);
            ::setenv((std::string("GIT_") + who + "_EMAIL").c_str(), "somebody@example.org", 1);
        }
    }
};

const auto* const kAlone = ::testing::AddGlobalTestEnvironment(new Alone);

Gene numeric(std::string name, GeneType type, Value value, double low, double high) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = type;
    gene.default_value = std::move(value);
    gene.low = low;
    gene.high = high;
    return gene;
}

PoolFile data_file(const std::string& name, char digit, std::int64_t tokens) {
    return {name, std::string(64, digit), tokens};
}

}  // namespace

std::vector<Gene> tiny_genes() {
    Gene layers = numeric("model.layers", GeneType::integer, whole(4), 1, 32);
    layers.structural = true;
    layers.unit = "blocks";
    layers.help = "how deep the model is";
    Gene width = numeric("model.width", GeneType::integer, whole(128), 32, 512);
    width.multiple_of = 8;
    Gene heads = numeric("model.heads", GeneType::integer, whole(4), 1, 8);
    heads.levels = {1, 2, 4, 8};
    Gene mlp = numeric("model.mlp", GeneType::choice, word("relu2"), 0, 0);
    mlp.choices = {"relu2", "gelu", "swiglu"};
    Gene tied = numeric("model.tied", GeneType::boolean, false, 0, 0);
    Gene unique = numeric("model.unique", GeneType::integer, whole(2), 1, 32);
    unique.when = Condition{"model.tied", {true}};
    Gene rate = numeric("optim.lr", GeneType::real, 0.04, 1e-5, 1e6);
    rate.log_scale = true;
    return {layers, width, heads, mlp, tied, unique, rate, numeric("optim.bias", GeneType::real, 0.5, -10, 10)};
}

std::vector<Constraint> tiny_constraints() {
    return {{Constraint::Kind::multiple, "model.width", "model.heads", 2},
            {Constraint::Kind::at_most, "model.unique", "model.layers", 1}};
}

Space tiny_space() { return must(Space::make(tiny_genes(), tiny_constraints())); }

Task tiny_task() {
    Task task;
    task.name = "tiny";
    task.created = "2026-11-21T03:40:00Z";
    task.budget_s = 20;
    task.space = tiny_space();
    Data data;
    data.tokenizer = "byte";
    data.vocabulary = 257;
    data.slice_text_bytes = 262144;
    data.full_text_bytes = 4194304;
    data.sources = {{"gcide.dict.dz", std::string(64, '1')}};
    data.train = {data_file("train_000000.bin", '2', 1000000), data_file("train_000001.bin", '3', 500000)};
    data.slice = data_file("slice.bin", '4', 65537);
    data.full = data_file("full.bin", '5', 131073);
    data.byte_table = data_file("bytes.bin", '6', 0);
    data.slice_score = {65536, 160000};
    data.full_score = {131072, 320000};
    task.data = data;
    return task;
}

Candidate candidate_of(const Genes& changes) { return must(make_candidate(tiny_space(), kTaskId, changes)); }

Run scored_run(const Task& task, const std::string& writer, const Genes& changes, double val_loss, int replicate) {
    Candidate candidate = must(make_candidate(task.space, task.id(), changes));
    auto targets = static_cast<double>(task.data->slice_score.targets);
    Run run;
    run.task = task.id();
    run.candidate = candidate.id;
    run.toml = candidate.toml;
    run.category = "cpu-20s-e10.5";
    run.budget_s = 20;
    run.replicate = replicate;
    run.seed = run_seed(candidate.id, replicate);
    run.status = RunStatus::done;
    run.decision = Decision::kept;
    run.reason = "better";
    run.operator_name = "tune";
    run.choice = "drawn";
    run.steps = 100;
    run.tokens = 819200;
    run.train_s = 20.125;
    run.wall_s = 25.5;
    run.trace_elapsed_s = {0, 0.25};
    run.trace_loss = {6.9, 6.5};
    run.curve = {{10, 50, 3.5}, {20, 100, 2.5}};
    run.chunk_loss_sums.assign(kScoreChunks, val_loss * targets / kScoreChunks);
    run.val_loss = val_loss;
    run.val_bpb = val_loss / std::numbers::ln2 * targets / static_cast<double>(task.data->slice_score.bytes);
    run.artifact = std::string(64, 'e');
    run.artifact_bytes = 1000;
    run.parameters = 1234;
    run.flops_per_token = 2468;
    run.started = "2026-11-21T04:00:00Z";
    run.ended = "2026-11-21T04:00:25Z";
    run.writer = writer;
    run.energy = {300, 5, "declared"};
    run.trainer = "test";
    return run;
}

std::string shell(const std::string& command) {
    std::FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
    if (!pipe) throw std::runtime_error("cannot run a shell");
    std::string output;
    char buffer[4096];
    while (std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, got);
    if (::pclose(pipe) != 0) throw std::runtime_error("'" + command + "' failed: " + output);
    return output;
}

}  // namespace cultivar
