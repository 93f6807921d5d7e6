#include "benchmarks/claim_cost.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include <fmt/format.h>

#include "benchmarks/timing.h"
#include "eval/effort.h"
#include "eval/rescore.h"
#include "eval/structure.h"
#include "pool/candidate.h"
#include "pool/file.h"
#include "train/collector.h"
#include "train/data/import.h"
#include "train/launcher.h"
#include "train/lm/genes.h"
#include "train/replay.h"

namespace cultivar {
namespace {

constexpr double kLimit_s = 3600;

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

// The short run as if it had trained for the claim's time.
Run scaled(const CostRequest& request, const Ran& ran, const Candidate& candidate) {
    Run run;
    ran.collector.fill(run);
    run.task = std::string(64, '0');
    run.toml = candidate.toml;
    const double factor = request.claim_s / run.train_s;
    const std::int64_t a_step = run.tokens / run.steps;
    run.wall_s = ran.outcome.wall_s - run.train_s + request.claim_s;
    run.steps = static_cast<std::int64_t>(static_cast<double>(run.steps) * factor);
    run.tokens = run.steps * a_step;
    run.train_s = run.budget_s = request.claim_s;
    // Where the short run made fewer steps than a trace has, the claim's trace goes on at its pace.
    const auto traced = static_cast<std::size_t>(std::min<std::int64_t>(run.steps, kTraceSteps));
    while (run.trace_loss.size() < traced) {
        run.trace_elapsed_s.push_back(run.train_s / static_cast<double>(run.steps) *
                                      static_cast<double>(run.trace_loss.size()));
        run.trace_loss.push_back(run.trace_loss.back());
    }
    run.seed = 1;
    return run;
}

}  // namespace

Result<ClaimCost> measure_cost(const CostRequest& request) {
    const Workplace place;
    ImportRequest import;
    import.sources = {request.corpus};
    import.tokenizer = TokenizerKind::byte;
    import.full_bytes = 1024 * 1024;
    TRY_ASSIGN(const DataManifest data, import_text(import, place.folder() + "data"));
    TRY_ASSIGN(const Space space, Space::make(lm_genes(), lm_constraints()));
    TRY_ASSIGN(const Candidate candidate, seed_candidate(space, request.seed));
    const auto path = [&](const DataFile& file) { return data_path(place.folder() + "data", file); };

    Specification train;
    train.genes = candidate.genes;
    train.seed = 1;
    train.budget_s = request.train_s;
    train.threads = request.threads;
    for (const DataFile& file : data.train) train.train_shards.push_back(path(file));
    train.val_shard = path(data.slice);
    train.byte_table = path(data.byte_table);
    train.vocabulary = data.vocabulary;
    train.artifact_cap_bytes = 16'000'000;
    train.work_dir = place.folder() + "run";
    train.artifact = place.folder() + "artifact";
    TRY_ASSIGN(const Ran trained, run_worker(request, place.folder(), train));
    Run run = scaled(request, trained, candidate);
    Run made;
    trained.collector.fill(made);
    TRY_ASSIGN(const std::string weights, read_file(train.artifact));
    run.artifact_bytes = static_cast<std::int64_t>(weights.size());

    ClaimCost cost;
    cost.trained_s = trained.outcome.done->train_s;
    cost.trained_steps = trained.outcome.done->steps;
    cost.parameters = trained.start.parameters;
    cost.slice_targets = data.slice_scored.tokens;
    cost.claim_s = run.wall_s;
    cost.structure_s = 1 / rate(0.2, [&] { return check_structure(space, run) && !check_weights(run, weights); });
    const Effort effort = rescore_effort(run, run.wall_s, static_cast<double>(cost.slice_targets), true, false);
    const auto score = [&](const DataFile& part, int chunks) -> Result<PartCost> {
        Specification again = train;
        again.mode = Specification::Mode::score;
        again.val_shard = path(part);
        again.chunks = draw_chunks(chunks);
        TRY_ASSIGN(const Ran ran, run_worker(request, place.folder(), again));
        return cost_of(ran, chunks);
    };
    TRY_ASSIGN(cost.slice, score(data.slice, effort.slice_chunks));
    TRY_ASSIGN(cost.hold_out, score(data.slice, effort.hold_out_chunks));  // a hold-out's slice is as large
    TRY_ASSIGN(cost.whole_slice, score(data.slice, kScoreChunks));
    TRY_ASSIGN(cost.full_set, score(data.full, kScoreChunks));

    run.trace_elapsed_s.resize(static_cast<std::size_t>(replay_steps(run)));
    run.trace_loss.resize(run.trace_elapsed_s.size());
    run.budget_s = request.train_s;  // the rates that the run really had
    TRY_ASSIGN(Specification again, replay_specification(space, run, train));
    TRY_ASSIGN(const Ran replayed, run_worker(request, place.folder(), again));
    cost.replay = cost_of(replayed, static_cast<int>(run.trace_loss.size()));
    Run losses;
    replayed.collector.fill(losses);
    cost.deviation = trace_deviation(made.trace_loss, losses.trace_loss);
    return cost;
}

}  // namespace cultivar
