#include "benchmarks/bench_steps.h"

#include <cstdio>

#include <fmt/format.h>

#include "bandit/planner.h"
#include "benchmarks/synthetic_options.h"
#include "cli/session.h"
#include "pool/digest.h"
#include "pool/journal.h"
#include "train/clock.h"

namespace cultivar {
namespace {

constexpr int kFurtherRuns = 10;
constexpr std::uint64_t kSpoolSeed = 1'000'000;
constexpr std::size_t kArtifactBytes = 100'000;
constexpr const char* kCategory = "cpu-600s-e11";  // of most contributors to a synthetic pool

Result<void> generate(const std::string& folder, const PoolShape& shape) {
    const SystemClock clock;
    const double began_s = clock.now_s();
    TRY_ASSIGN(const PoolSummary made, make_synthetic_pool(folder, shape));
    fmt::print("{}\n", summary_json(shape, made, clock.now_s() - began_s));
    return {};
}

// A run's weights, which do not compress either.
std::string made_up_weights(std::uint64_t seed) {
    Random random(seed);
    std::string bytes;
    while (bytes.size() < kArtifactBytes) bytes.push_back(static_cast<char>(random.below(256)));
    return bytes;
}

Result<void> spool(const std::string& folder, int round) {
    TRY_ASSIGN(Clone clone, open_clone(folder));
    const std::uint64_t seed = kSpoolSeed + static_cast<std::uint64_t>(round);
    TRY_ASSIGN(std::vector<FurtherRun> runs, further_runs(clone.repo, clone.task, clone.writer, seed, kFurtherRuns));
    for (std::size_t i = 0; i < runs.size(); ++i) {
        Run& run = runs[i].run;
        if (runs[i].commit) {
            const std::string weights = made_up_weights(seed ^ i);
            run.artifact = sha256_hex(weights);
            run.artifact_bytes = static_cast<std::int64_t>(weights.size());
            TRY(store_artifact(clone, run.artifact, weights));
            TRY(ensure_candidate_branch(clone.repo, *runs[i].commit));
        }
        TRY(append_record(clone, run));
    }
    return {};
}

Result<void> choose_next(const std::string& folder) {
    const SystemClock clock;
    const double began_s = clock.now_s();
    Context context;
    context.folder = folder;
    TRY_ASSIGN(Session session, open_session(context));
    const double opened_s = clock.now_s();
    TRY_ASSIGN(const std::vector<Seed> seeds, read_seeds(*session.clone));
    TRY_ASSIGN(const History history, read_history(session, seeds, kCategory));
    const double read_s = clock.now_s();
    PlannerInput input{&session.clone->task.space, session.clone->task_id, &history, 1, {}};
    input.cross = [&](const std::string& a, const std::string& b) -> Result<Candidate> {
        TRY_ASSIGN(CandidateCommit one, session.index->commit_of(a));
        TRY_ASSIGN(CandidateCommit two, session.index->commit_of(b));
        TRY_ASSIGN(Cross made, session.index->lineage().cross_of(one.oid, two.oid));
        return made.child;
    };
    TRY(plan_next(input));
    fmt::print("{{\"open_s\": {:.4f}, \"history_s\": {:.4f}, \"plan_s\": {:.4f}}}\n", opened_s - began_s,
               read_s - opened_s, clock.now_s() - read_s);
    return {};
}

Result<void> step(const std::vector<std::string>& words) {
    PoolShape shape;
    TRY_ASSIGN(const std::vector<std::string> rest, read_shape(words, shape));
    if (rest.size() == 2 && rest[0] == "generate") return generate(rest[1], shape);
    if (rest.size() == 2 && rest[0] == "choose-next") return choose_next(rest[1]);
    if (rest.size() == 3 && rest[0] == "push")
        return push_further_runs(rest[1], shape, kFurtherRuns, std::stoi(rest[2]));
    if (rest.size() == 3 && rest[0] == "spool") return spool(rest[1], std::stoi(rest[2]));
    return fail(Code::usage, "no such step");
}

}  // namespace

int run_bench_step(const std::vector<std::string>& words) {
    auto done = step(words);
    if (done) return 0;
    fmt::print(stderr, "pool_bench: {}\n", done.error().message);
    return 128;
}

}  // namespace cultivar
