// Deals a machine out to the jobs of one exploration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/app/settings.h"

namespace cultivar {

struct JobWishes {
    std::optional<std::int64_t> jobs{};               // absent: one for each device
    std::optional<std::string> devices{}, threads{};  // "cuda:0,cuda:1"; the threads of each job
};

// The settings of each job: one of the devices in turn, and its part of the threads. Errors: usage (a number of jobs that
// nobody makes, no such device or threads, devices of two kinds, whose scores do not compare).
Result<std::vector<Settings>> job_shares(const JobWishes& wishes, Settings settings);

}  // namespace cultivar
