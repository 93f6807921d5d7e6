#include "benchmarks/search_planner.h"

#include <algorithm>

#include "bandit/noise.h"
#include "pool/cross.h"

namespace cultivar {
namespace {

const std::string kTask(64, '0');

}  // namespace

PlannedSearch::PlannedSearch(const SearchTable& table, std::uint64_t seed) : table_(table), seed_(seed) {
    history_.category = "table";
    for (std::size_t row : first_rows_of(table, seed, kFirstRows)) {
        Known entry;
        entry.candidate = make_candidate(table.space(), kTask, table.genes(row)).value();
        entry.seed = true;
        at_[entry.candidate.id] = history_.candidates.size();
        history_.candidates.push_back(std::move(entry));
    }
}

PlannerInput PlannedSearch::input() const {
    PlannerInput input;
    input.space = &table_.space();
    input.task_id = kTask;
    input.history = &history_;
    input.seed = seed_;
    input.cross = [this](const std::string& a, const std::string& b) { return cross(a, b); };
    input.feasible = [this](const Genes& genes) { return table_.find(genes).has_value(); };
    return input;
}

std::vector<std::string> PlannedSearch::ancestors(const std::string& id) const {
    std::vector<std::string> found = {id};
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const std::string& parent : known(found[i]).parents) {
            if (std::ranges::find(found, parent) == found.end()) found.push_back(parent);
        }
    }
    return found;
}

Result<Candidate> PlannedSearch::cross(const std::string& a, const std::string& b) const {
    std::vector<std::string> above_b = ancestors(b);
    std::optional<Candidate> base;
    for (const std::string& id : ancestors(a)) {
        if (!base && std::ranges::find(above_b, id) != above_b.end()) base = known(id).candidate;
    }
    TRY_ASSIGN(Cross made, cross_of_contents(table_.space(), kTask, known(a).candidate, known(b).candidate, base));
    return made.child;
}

std::optional<Launch> PlannedSearch::next() {
    auto plan = plan_next(input());
    if (!plan) return std::nullopt;
    const std::string& id = plan->child.id;
    std::size_t row = table_.find(plan->child.genes).value();
    if (at_.emplace(id, history_.candidates.size()).second)
        history_.candidates.push_back({.candidate = plan->child, .parents = plan->parents});
    ids_[row] = id;
    history_.candidates[at_.at(id)].in_flight = true;
    bool again = plan->operator_name == "replicate";
    under_way_[row] = {std::move(plan->operator_name), std::move(plan->parents)};
    return Launch{row, again};
}

void PlannedSearch::finished(const Launch& launch, double loss) {
    auto ended = under_way_.extract(launch.row);
    Known& entry = history_.candidates[at_.at(ids_.at(launch.row))];
    entry.in_flight = false;
    ++entry.runs_anywhere;
    Trial trial;
    trial.candidate = entry.candidate.id;
    trial.score = loss;
    trial.operator_name = ended.mapped().operator_name;
    trial.parents = ended.mapped().parents;
    history_.trials.push_back(std::move(trial));
    Decision decision = judge(history_, entry.candidate.id, ended.mapped().parents).decision;
    history_.trials.back().decision = decision;
    if (decision == Decision::kept) entry.kept = true;
}

std::size_t PlannedSearch::best() const {
    const Known* best = incumbent(input());
    if (best == nullptr) return table_.find(history_.candidates.front().candidate.genes).value();
    return table_.find(best->candidate.genes).value();
}

}  // namespace cultivar
