// The category in which this machine's scores are compared: device kind, exact budget, and the floored half-decade of
// its training speed, measured once per clone by the worker's fixed benchmark: "cpu-600s-e11", "cpu-20s-e10.5". A pool
// of kind "command" has no such benchmark: "cpu-600s". Where jobs share the machine, the category tells the threads of each:
// "cpu-600s-e10.5-t4".
#pragma once

#include <optional>
#include <string>

#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/session/session.h"

namespace cultivar {

std::string category_name(const std::string& device, double budget_s, double flops_per_s);

// Measures on first use, for up to two minutes, and keeps the figure in <state>/speed.json, one for each device and
// number of threads, so that going from one to the other and back leads to the same two categories. Errors: not_found
// (worker), io (with the worker's message), interrupted, usage (settings, a device that is not there).
Result<std::string> machine_category(Worker& worker, Observer& observer, const Session& session, double budget_s);

// The same without measuring; "" while that has not been done. Errors: io, corrupt (the figures cannot be read).
Result<std::string> category_so_far(const Session& session, double budget_s);
// Can this machine make runs of this category, as far as it was measured? Where the category tells threads, with so many.
bool is_category_here(const Session& session, const std::string& category, double budget_s);
// Gives a run of this category the threads that it tells.
void take_threads_of(const Session& session, const std::string& category, Specification& specification);

// The speed that was measured on the settings' device and the category's threads, else the settings', FLOP/s of training;
// none while that has not been done.
std::optional<double> known_speed(const Session& session, const std::string& category = {});

// The error to give then. Its hint runs `command` with a number of threads that was measured, if there is one.
Error unknown_category(const Session& session, const std::string& command);

}  // namespace cultivar
