// One arm of a comparison as an energy report in the BoAmps format (Boavizta/BoAmps, model/report_schema.json).
#pragma once

#include <cstdint>

#include "cli/format/compare_view.h"

namespace cultivar {

struct BoampsTask {
    std::string family;     // "language modelling"
    std::string algorithm;  // "transformer"
    std::string data_type;  // a word of the format: "token", "other"
    std::string version;    // of cultivar
};

// All that the arm spent up to the target, over all of its repeats; gross where the idle power is known. Fields that the pool
// does not tell are left out; those that the format requires are always there.
Json boamps_json(const CompareReport& report, std::size_t arm, const BoampsTask& task, std::int64_t now_s);

// The name of an arm's file: "report.json" gives "report-1.json" and "report-2.json", since a report has one task.
std::string boamps_file(const std::string& path, std::size_t arm);

}  // namespace cultivar
