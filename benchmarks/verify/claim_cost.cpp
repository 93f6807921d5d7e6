#include "benchmarks/verify/claim_cost.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include <fmt/format.h>

#include "benchmarks/common/timing.h"
#include "eval/judge/audit_cost.h"
#include "eval/judge/rescore_test.h"
#include "eval/judge/structure_check.h"
#include "pool/types/candidate.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "train/data/import.h"
#include "train/launch/run_collector.h"
#include "train/launch/trainer_process.h"
#include "train/lm/space/lm_search_space.h"
#include "train/protocol/replay_spec.h"

namespace cultivar {
namespace {

constexpr double kLimit_s = 3600;
constexpr int kShort = 2, kLong = 8;  // steps

class Workplace {
public:
    Workplace()
        : folder_(fmt::format("{}/verify_bench.{}/", std::filesystem::temp_directory_path().string(), getpid())) {
        std::filesystem::create_directories(folder_ + "run");
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    ~Workplace() {
        std::error_code ec;
        std::filesystem::remove_all(folder_, ec);
    }
    const std::string& folder() const { return folder_; }

private:
    std::string folder_;
};

Result<Candidate> seed_candidate(const Space& space, const std::string& name) {
    for (const auto& [stem, toml] : lm_seeds()) {
        if (stem == name) return read_candidate(space, std::string(64, '0'), toml, name);
    }
    return fail(Code::usage, fmt::format("no seed '{}'", name));
}

struct Ran {
    Outcome outcome;
    RunCollector collector;
    StartEvent start;
};

Result<Ran> run_worker(const CostRequest& request, const std::string& folder, const Specification& specification) {
    TRY(write_file_atomically(folder + "spec.json", to_json(specification)));
    LaunchOptions options;
    options.command = {request.worker};
    options.spec_path = folder + "spec.json";
    options.log_path = folder + "log";
    options.hang_s = options.wall_limit_s = kLimit_s;
    Ran ran{{}, RunCollector(specification.budget_s), {}};
    const auto listener = [&](const Event& event) {
        ran.collector.take(event);
        if (const auto* start = std::get_if<StartEvent>(&event)) ran.start = *start;
        return Advice::go_on;
    };
    TRY_ASSIGN(ran.outcome, run_trainer(options, SystemClock(), listener, [] { return false; }));
    if (!ran.outcome.done) return fail(Code::io, "the worker: " + ran.outcome.message);
    return ran;
}

PartCost cost_of(const Ran& ran, int count) { return {ran.outcome.wall_s, ran.outcome.cpu_s, count}; }

std::vector<double> clock_of(int steps, double step_s) {
    std::vector<double> readings_s;
    for (int step = 0; step < steps; ++step) readings_s.push_back(step * step_s);
    return readings_s;
}

// Returns the record that a run of `claim_s` would have.
Run claim_of(const CostRequest& request, const Candidate& candidate, double step_cpu_s, double beside_cpu_s) {
    Run run;
    run.task = std::string(64, '0');
    run.toml = candidate.toml;
    run.seed = 1;
    run.train_s = run.budget_s = request.claim_s;
    run.wall_s = request.claim_s + beside_cpu_s / request.threads;
    const double step_s = step_cpu_s / request.threads;
    run.steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(request.claim_s / step_s));
    run.tokens = run.steps * std::get<std::int64_t>(candidate.genes.at("data.tokens_per_step"));
    run.trace_elapsed_s = clock_of(static_cast<int>(std::min<std::int64_t>(run.steps, kTraceSteps)), step_s);
    run.trace_loss.assign(run.trace_elapsed_s.size(), 5);
    return run;
}

Result<DataManifest> import_corpus(const CostRequest& request, const std::string& folder) {
    ImportRequest import;
    import.sources = {request.corpus};
    import.tokenizer = TokenizerKind::byte;
    import.full_bytes = 4 * import.slice_bytes;
    return import_text(import, folder + "data");
}

// Runs the worker on one candidate and one data set in a folder.
class Worker {
public:
    Worker(const CostRequest& request, const std::string& folder, const DataManifest& data, const Candidate& candidate)
        : request_(request), folder_(folder) {
        base_.genes = candidate.genes;
        base_.seed = 1;
        base_.budget_s = request.claim_s;
        base_.threads = request.threads;
        for (const DataFile& file : data.train) base_.train_shards.push_back(path(file));
        base_.val_shard = path(data.slice);
        base_.byte_table = path(data.byte_table);
        base_.vocabulary = data.vocabulary;
        base_.artifact_cap_bytes = 16'000'000;
        base_.work_dir = folder + "run";
        base_.artifact = folder + "artifact";
    }

    // Trains or replays this many steps in an empty working folder.
    Result<Ran> run_steps(Specification::Mode mode, int steps) const {
        Specification specification = base_;
        specification.mode = mode;
        specification.clock = clock_of(steps, 1);
        std::filesystem::remove_all(base_.work_dir);
        std::filesystem::create_directories(base_.work_dir);
        return run(specification);
    }

    Result<Ran> run(const Specification& specification) const { return run_worker(request_, folder_, specification); }

    // The specification of all runs, without mode and clock.
    const Specification& base() const { return base_; }
    std::string path(const DataFile& file) const { return data_path(folder_ + "data", file); }

private:
    const CostRequest& request_;
    std::string folder_;
    Specification base_;
};

// Adds the replay of a claim, and its deviation from `other`, a replay of other length.
Result<void> add_replay(const Worker& worker, const Run& claim, const Ran& other, ClaimCost& cost) {
    const int steps = replay_steps(claim);
    TRY_ASSIGN(const Ran replayed, worker.run_steps(Specification::Mode::replay, steps));
    cost.replay = cost_of(replayed, steps);
    Run first, second;
    other.collector.fill(first);
    replayed.collector.fill(second);
    cost.deviation = trace_deviation(first.trace_loss, second.trace_loss);
    return {};
}

}  // namespace

Result<ClaimCost> measure_cost(const CostRequest& request) {
    const Workplace place;
    TRY_ASSIGN(const DataManifest data, import_corpus(request, place.folder()));
    TRY_ASSIGN(const Space space, Space::make(lm_genes(), lm_constraints()));
    TRY_ASSIGN(const Candidate candidate, seed_candidate(space, request.seed));
    const Worker worker(request, place.folder(), data, candidate);

    TRY_ASSIGN(const Ran two, worker.run_steps(Specification::Mode::replay, kShort));
    TRY_ASSIGN(const Ran more, worker.run_steps(Specification::Mode::replay, kLong));
    TRY_ASSIGN(const Ran trained, worker.run_steps(Specification::Mode::train, kShort));
    TRY_ASSIGN(const std::string weights, read_file(worker.base().artifact));
    ClaimCost cost;
    cost.step_cpu_s = (more.outcome.cpu_s - two.outcome.cpu_s) / (kLong - kShort);
    cost.start_cpu_s = two.outcome.cpu_s - kShort * cost.step_cpu_s;
    Run run = claim_of(request, candidate, cost.step_cpu_s, trained.outcome.cpu_s - kShort * cost.step_cpu_s);
    run.artifact = sha256_hex(weights);
    run.artifact_bytes = static_cast<std::int64_t>(weights.size());
    cost.steps = run.steps;
    cost.parameters = trained.start.parameters;
    cost.slice_targets = data.slice_scored.tokens;
    cost.claim_s = run.wall_s;
    cost.structure_s = 1 / rate(0.2, [&] { return check_structure(space, run) && !check_weights(run, weights); });
    const AuditCost effort = rescore_effort(run, run.wall_s, static_cast<double>(cost.slice_targets),
                                            ScoredParts::slice_and_hold_out, AuditExtent::sample);
    const auto score = [&](const DataFile& part, int chunks) -> Result<PartCost> {
        Specification again = worker.base();
        again.mode = Specification::Mode::score;
        again.val_shard = worker.path(part);
        again.chunks = draw_chunks(chunks);
        TRY_ASSIGN(const Ran ran, worker.run(again));
        return cost_of(ran, chunks);
    };
    TRY_ASSIGN(cost.slice, score(data.slice, effort.slice_chunks));
    TRY_ASSIGN(cost.hold_out, score(data.slice, effort.hold_out_chunks));  // a hold-out's slice has the same size
    TRY_ASSIGN(cost.whole_slice, score(data.slice, kScoreChunks));
    TRY_ASSIGN(cost.full_set, score(data.full, kScoreChunks));
    TRY(add_replay(worker, run, more, cost));
    return cost;
}

}  // namespace cultivar
