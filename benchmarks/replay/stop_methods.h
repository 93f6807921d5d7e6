// The rules that stop_bench compares: the library's own, the median rule of Vizier and Optuna, successive halving.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/replay/stop_replay.h"

namespace cultivar {

//   ours      StoppingRule of bandit/policy/early_stopping.h
//   median    from 20 % of the budget, at every tenth: worse than the median of all that reached it; after 8 completed
//   halving   asynchronous successive halving, eta 3, on runs that cannot be resumed: at 1/9 and 1/3 of the budget a
//             run goes on if it is among the best third of those that got this far
//   none      everything runs to its end
const std::vector<std::string>& stop_methods();

// Returns null for an unknown name.
std::unique_ptr<Stopper> make_stopper(const std::string& method);

}  // namespace cultivar
