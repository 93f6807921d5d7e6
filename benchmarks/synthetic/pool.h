// Makes a bare repository with a pool of runs that never took place, as a host would hold it: contributors with keys
// and journals of their own, pushed 25 records at a time; kept candidates as commits, the newest 2,000 of them as
// branches and the others in `archive`. All of it passes the record checks. Keys are derived from the seed too, so that
// the same shape gives the same repository, object for object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/synthetic/run.h"
#include "pool/git/signing_key.h"
#include "pool/lineage/candidate_commits.h"

namespace cultivar {

struct PoolShape {
    int runs = 1000;
    int contributors = 0;    // 0: one per 100 runs, at least 10
    double crossover = 0.2;  // share of the kept candidates made by a cross
    std::uint64_t seed = 1;
    std::size_t live_branches = 2000;  // older kept candidates are in `archive`
};

struct PoolSummary {
    int contributors = 0, kept = 0, crosses = 0, archived = 0;
    std::int64_t records = 0, record_bytes = 0;
};

// `folder` must be absent or empty. Errors: io, git, and those of the pool's own types.
Result<PoolSummary> make_synthetic_pool(const std::string& folder, const PoolShape& shape);

// One more run, from the pool's seeds as if nobody had tried anything yet. It has its commit if it was kept.
struct FurtherRun {
    Run run;
    std::optional<CandidateCommit> commit;
};
Result<std::vector<FurtherRun>> further_runs(Repo& repo, const Task& task, const std::string& writer,
                                             std::uint64_t seed, int count);

// Pushes `count` more runs of the first contributor of a synthetic pool. Each `round` gives other runs.
Result<void> push_further_runs(const std::string& folder, const PoolShape& shape, int count, int round);

}  // namespace cultivar
