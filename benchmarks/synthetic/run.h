// Makes records of runs that never took place, with figures as a trainer gives them: as many, as long and consistent,
// so that they pass the record checks. A pure function of the sketch and the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bandit/space/random.h"
#include "pool/types/record.h"
#include "pool/types/task.h"

namespace cultivar {

// Returns the language-model task as `init` and `data import` leave it, with digests of data that do not exist.
Result<Task> synthetic_task();

// The decisions of a made-up search about one run.
struct RunSketch {
    std::string candidate, toml;
    std::vector<std::string> parents;  // candidate ids
    std::string writer, category, operator_name;
    int replicate = 0;
    RunStatus status = RunStatus::done;
    Decision decision = Decision::none;
    double val_loss = 0;  // nats per token; the record's value is rounded
    std::int64_t started_unix_s = 0;
};

Run run_of(const Task& task, const std::string& task_id, const RunSketch& sketch, std::uint64_t seed);
Lease lease_of(const Run& run);
// Makes the claim of a kept run; `id` is the record id of `run`.
Claim claim_of(const Run& run, const std::string& id);

}  // namespace cultivar
