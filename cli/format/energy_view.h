// An energy report as text and as JSON.
#pragma once

#include <set>
#include <string>

#include "cli/app/json.h"
#include "cli/app/terminal.h"
#include "cli/energy/energy_report.h"
#include "pool/types/task.h"

namespace cultivar {

// A figure with its bounds: "1.65 MJ (1.57 to 1.73)"; "12 g" where they are the same.
std::string joules_range_text(const Range& joules);
std::string grams_text(const Range& grams);
std::string litres_text(const Range& litres);
Json range_json(const Range& range);

// Each factor with its source, file and digest.
std::string factors_text(const Ui& ui, const std::set<const Factor*>& factors);
Json factors_json(const std::set<const Factor*>& factors);

// `by`: the word after --by, or "" for the totals.
std::string energy_text(const Ui& ui, const Task& task, const EnergyReport& report, const std::string& by);
Json energy_json(const EnergyReport& report, const std::string& by);

}  // namespace cultivar
