// The category in which this machine's scores are compared: device kind, exact budget, and the floored half-decade of
// its training speed, measured once per clone by the worker's fixed benchmark: "cpu-600s-e11", "cpu-20s-e10.5".
#pragma once

#include <string>

#include "cli/session.h"

namespace cultivar {

std::string category_name(const std::string& device, double budget_s, double flops_per_s);

// Measures on first use and keeps the figure in <state>/speed.json, together with the device and the number of
// threads it holds for.
// Errors: not_found (worker), io, or what the worker said.
Result<double> machine_flops_per_s(Context& context, Session& session);

// The figure if it was measured already.
std::optional<double> known_flops_per_s(const Session& session);

}  // namespace cultivar
