// The report of a simulated scenario, for `compare --simulate`.
#pragma once

#include <memory>

#include "cli/app/context.h"
#include "cli/format/compare_view.h"

namespace cultivar {

struct Simulated {
    std::unique_ptr<const Factors> factors{};  // the report points to them
    CompareReport report{};
};

// Errors: those of the file, of the pools that it replays, and of energy.toml.
Result<Simulated> simulated_report(Context& context, const std::string& file);

}  // namespace cultivar
