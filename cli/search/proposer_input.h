// The pool in one category as JSON, for a program that proposes the next candidate.
#pragma once

#include "bandit/planner/explanation.h"
#include "cli/app/json.h"
#include "cli/session/session.h"

namespace cultivar {

// {"schema":1, "task":{...}, "category", "budget_s", "space":{genes, constraints}, "best":[...], "runs":[...],
// "failed":[...], "unverified":[...], "in_flight":[...], "operators":[...]}; see cultivar-explore(1). `operator_name`:
// that of the program itself. Its length has a limit, whatever others push, and no sentence in it is another writer's.
Result<Json> pool_state(Session& session, const History& history, double budget_s, const std::string& operator_name);

Json operators_json(const std::vector<OperatorValue>& operators);
Json parents_json(const Task& task, const std::vector<ParentValue>& parents);
Json sources_json(const std::vector<HintSourceValue>& sources);
Json outsiders_json(const Task& task, const std::vector<Outsider>& outsiders);
Json families_json(const std::vector<Family>& families);

}  // namespace cultivar
