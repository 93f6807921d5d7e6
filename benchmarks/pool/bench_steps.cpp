#include "benchmarks/pool/bench_steps.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "bandit/planner/planner.h"
#include "benchmarks/synthetic/options.h"
#include "cli/session/history_loader.h"
#include "cli/session/session.h"
#include "pool/clone/journal.h"
#include "pool/storage/artifact_commit.h"
#include "pool/util/clock.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr int kFurtherRuns = 10;
constexpr std::uint64_t kSpoolSeed = 1'000'000;
constexpr std::size_t kArtifactBytes = 100'000;
constexpr int kMerges = 101;
constexpr const char* kCategory = "cpu-600s-e11";  // category of most contributors to a synthetic pool

Result<void> generate(const std::string& folder, const PoolShape& shape) {
    const SystemClock clock;
    const double began_s = clock.now_s();
    TRY_ASSIGN(const PoolSummary made, make_synthetic_pool(folder, shape));
    fmt::print("{}\n", summary_json(shape, made, clock.now_s() - began_s));
    return {};
}

// Makes incompressible bytes as the weights of a run.
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
            TRY(store_artifact(clone.repo, run.artifact, weights));
            TRY(ensure_candidate_branch(clone.repo, *runs[i].commit));
        }
        TRY(append_record(clone, run));
    }
    return {};
}

Result<void> choose_next(const std::string& folder) {
    const SystemClock clock;
    const double began_s = clock.now_s();
    TRY_ASSIGN(Session session, open_session(folder, [] { return false; }));
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

// Returns the milliseconds of one merge. A child that equals one of its parents counts too.
Result<double> time_merge(Index& index, const std::pair<Oid, Oid>& pair) {
    const SystemClock clock;
    const double began_s = clock.now_s();
    auto made = index.lineage().cross_of(pair.first, pair.second);
    if (!made && made.error().code != Code::unfit) return fail(made.error());
    return 1e3 * (clock.now_s() - began_s);
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

Result<void> merges(const std::string& folder) {
    TRY_ASSIGN(Clone clone, open_clone(folder));
    TRY_ASSIGN(Index index, Index::open(clone));
    TRY_ASSIGN(const std::vector<CandidateRow> rows, index.candidates());
    std::vector<Oid> commits;
    for (const CandidateRow& row : rows) commits.insert(commits.end(), row.commits.begin(), row.commits.end());
    if (commits.size() < 2) return fail(Code::not_found, "the pool has no two candidates to merge");
    Random random(1);
    std::vector<double> alone, again;
    for (int i = 0; i < kMerges; ++i) {
        const std::pair pair(commits[random.below(commits.size())], commits[random.below(commits.size())]);
        TRY_ASSIGN(Index fresh, Index::open(clone));
        TRY_ASSIGN(alone.emplace_back(), time_merge(fresh, pair));
        TRY_ASSIGN(again.emplace_back(), time_merge(index, pair));
    }
    fmt::print("{{\"merge_ms\": {:.3f}, \"merge_worst_ms\": {:.3f}, \"merge_again_ms\": {:.3f}}}\n", median(alone),
               std::ranges::max(alone), median(again));
    return {};
}

Result<void> step(const std::vector<std::string>& words) {
    PoolShape shape;
    TRY_ASSIGN(const std::vector<std::string> rest, read_shape(words, shape));
    if (rest.size() == 2 && rest[0] == "generate") return generate(rest[1], shape);
    if (rest.size() == 2 && rest[0] == "choose-next") return choose_next(rest[1]);
    if (rest.size() == 2 && rest[0] == "merges") return merges(rest[1]);
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
