// The end of the job of a cluster's scheduler that this process runs in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace cultivar {

struct JobEnd {
    std::int64_t unix_s = 0;
    std::string job;  // its number
};

// As SLURM tells it: SLURM_JOB_END_TIME, which it sets from version 23.02 on, else the answer of `squeue` for the job, by
// local time. None: this is no such job, it has no end, or nobody tells. `variable` reads the environment ("" if it is not
// set), `squeue` asks for the job's number and end, a line each task of its array; both are the machine's own by default.
std::optional<JobEnd> slurm_job_end(std::int64_t now_unix_s,
                                    const std::function<std::string(const char*)>& variable = {},
                                    const std::function<std::string(const std::string&)>& squeue = {});

}  // namespace cultivar
