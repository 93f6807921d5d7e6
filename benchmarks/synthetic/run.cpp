#include "benchmarks/synthetic/run.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "pool/types/candidate.h"
#include "pool/util/sha256.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

constexpr int kCurvePoints = 64;
constexpr std::int64_t kTokensPerStep = 16384;
constexpr double kStartLoss = 5.55;  // ln 257: the loss of an untrained model
constexpr double kScoring_s = 9, kWatts = 31;

double rounded(double value, int digits) {
    const std::string text = fmt::format("{:.{}g}", value, digits);
    double out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

double to_microseconds(double seconds) { return std::round(seconds * 1e6) / 1e6; }

PoolFile data_file(const std::string& name, std::int64_t tokens) { return {name, sha256_hex(name), tokens}; }

// The loss after a share of the training: it falls fast at first and ends at `last`.
double loss_at(double share, double last) { return last + (kStartLoss - last) * std::exp(-7 * std::sqrt(share)); }

void train(Run& run, double last_loss, double share, Random& random) {
    const double step_s = 0.31 * std::exp(0.2 * random.normal());
    run.steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(run.budget_s * share / step_s));
    run.tokens = run.steps * kTokensPerStep;
    run.train_s = to_microseconds(static_cast<double>(run.steps) * step_s);
    for (int i = 0; i < std::min<std::int64_t>(kTraceSteps, run.steps); ++i) {
        run.trace_elapsed_s.push_back(to_microseconds(step_s * (i + (i > 0 ? 0.05 * random.uniform() : 0))));
        const double done = i / static_cast<double>(run.steps) * share;
        run.trace_loss.push_back(rounded(loss_at(done, last_loss) * (1 + 0.01 * random.normal()), 8));
    }
    const int points = static_cast<int>(std::min<std::int64_t>(kCurvePoints, run.steps));
    for (int i = 1; i <= points; ++i) {
        const std::int64_t step = run.steps * i / points;
        const double loss = loss_at(share * i / points, last_loss) * (1 + 0.003 * random.normal());
        run.curve.push_back({to_microseconds(static_cast<double>(step) * step_s), step, rounded(loss, 6)});
    }
    run.energy.train_joules = rounded(kWatts * run.train_s, 10);
}

void score(Run& run, const Data& data, double val_loss, Random& random) {
    const auto targets = static_cast<double>(data.slice_score.targets);
    for (int i = 0; i < kScoreChunks; ++i) {
        const double hardness = 1 + 0.08 * std::sin(i * 2.4) + 0.002 * random.normal();  // some text is harder
        run.chunk_loss_sums.push_back(rounded(val_loss * targets / kScoreChunks * hardness, 10));
    }
    run.val_loss = std::accumulate(run.chunk_loss_sums.begin(), run.chunk_loss_sums.end(), 0.0) / targets;
    run.val_bpb = *run.val_loss / std::numbers::ln2 * targets / static_cast<double>(data.slice_score.bytes);
    run.artifact = sha256_hex("weights of " + run.candidate + fmt::format(":{}", run.replicate));
    run.artifact_bytes = run.parameters + static_cast<std::int64_t>(random.below(100'000));
}

// As the estimate of a machine without counters is kept.
EnergyDomain slots_of(const Run& run, std::int64_t started_s) {
    EnergyDomain domain{"machine", run.energy.method, error_of(run.energy.method), {}};
    const double end_s = static_cast<double>(started_s) + run.wall_s;
    for (std::int64_t slot = started_s / kEnergySlot_s * kEnergySlot_s; static_cast<double>(slot) < end_s;
         slot += kEnergySlot_s) {
        const double seconds =
            std::min(end_s, static_cast<double>(slot + kEnergySlot_s)) - static_cast<double>(std::max(started_s, slot));
        domain.slots.push_back({slot, seconds, kWatts * seconds, 0});
    }
    return domain;
}

void tell(Run& run, double val_loss, Random& random) {
    const std::string parent = run.parents.empty() ? "none" : run.parents[0].substr(0, 8);
    run.choice = fmt::format("{} with odds {:.2f}; parent {} drawn at {:.4f} from {} that have a score",
                             run.operator_name, random.uniform(), parent, val_loss, 20 + random.below(200));
    run.reason =
        fmt::format("{:.4f} +- {:.4f} (1 run) against parent {} {:.4f} (1 run), z = {:.1f}", run.val_bpb.value_or(0),
                    0.01 + 0.01 * random.uniform(), parent, val_loss, 3 * random.normal());
    if (run.status == RunStatus::failed) run.reason = "the loss is not finite at step 412";
    if (run.status == RunStatus::unfit) run.reason = "a step of 524288 tokens would take about 819 s here";
    if (run.status == RunStatus::stopped) run.reason = "its curve points beyond what its parent reached";
}

}  // namespace

Result<Task> synthetic_task() {
    Task task;
    task.name = "synthetic";
    task.created = "2026-01-01T00:00:00Z";
    TRY_ASSIGN(task.space, Space::make(lm_genes(), lm_constraints()));
    Data data;
    data.tokenizer = "byte";
    data.vocabulary = 257;
    data.slice_text_bytes = 1 << 20;
    data.full_text_bytes = 4 << 20;
    data.sources = {{"corpus.txt.gz", sha256_hex("corpus")}};
    for (int i = 0; i < 4; ++i) data.train.push_back(data_file(fmt::format("train_{:06}.bin", i), 10'000'000));
    data.slice = data_file("slice.bin", (1 << 20) + 1);
    data.full = data_file("full.bin", (4 << 20) + 1);
    data.byte_table = data_file("bytes.bin", 0);
    data.slice_score = {1 << 20, 1 << 20};
    data.full_score = {4 << 20, 4 << 20};
    task.data = data;
    return task;
}

Run run_of(const Task& task, const std::string& task_id, const RunSketch& sketch, std::uint64_t seed) {
    Random random(seed);
    Run run;
    run.task = task_id;
    run.candidate = sketch.candidate;
    run.toml = sketch.toml;
    run.parents = sketch.parents;
    run.category = sketch.category;
    run.budget_s = task.budget_s;
    run.replicate = sketch.replicate;
    run.seed = run_seed(run.candidate, run.replicate);
    run.status = sketch.status;
    run.decision = sketch.decision;
    run.operator_name = sketch.operator_name;
    run.writer = sketch.writer;
    run.trainer = "cultivar-lm 0.1.0 torch 1.13.1 threads 2";
    run.parameters = 1'000'000 + static_cast<std::int64_t>(random.below(10'000'000));
    run.flops_per_token = 2.0 * static_cast<double>(run.parameters);
    run.energy.method = "estimated";
    if (run.status == RunStatus::done) train(run, sketch.val_loss, 1, random);
    if (run.status == RunStatus::stopped) train(run, sketch.val_loss, 0.3 + 0.4 * random.uniform(), random);
    if (run.status == RunStatus::failed) train(run, sketch.val_loss, 0.2 * random.uniform(), random);
    if (run.status == RunStatus::done) score(run, *task.data, sketch.val_loss, random);
    if (run.status == RunStatus::stopped) run.expected_bpb = rounded(sketch.val_loss / std::numbers::ln2, 8);
    run.wall_s = to_microseconds(run.train_s + kScoring_s * (1 + random.uniform()));
    run.energy.joules = rounded(kWatts * run.wall_s, 10);
    run.energy.domains = {slots_of(run, sketch.started_unix_s)};
    run.started = utc_text(sketch.started_unix_s);
    run.ended = utc_text(sketch.started_unix_s + static_cast<std::int64_t>(run.wall_s));
    tell(run, sketch.val_loss, random);
    round_figures(run);
    return run;
}

Lease lease_of(const Run& run) {
    return {run.task, run.candidate, run.category, run.budget_s, run.replicate, run.writer, run.started};
}

Claim claim_of(const Run& run, const std::string& id) {
    Claim claim;
    claim.task = run.task;
    claim.candidate = run.candidate;
    claim.toml = run.toml;
    claim.parents = run.parents;
    claim.category = run.category;
    claim.runs = {id};
    claim.val_bpb = run.val_bpb.value_or(0);
    claim.artifact = run.artifact;
    claim.artifact_run = id;
    claim.writer = run.writer;
    claim.at = run.ended;
    return claim;
}

}  // namespace cultivar
