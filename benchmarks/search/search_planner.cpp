#include "benchmarks/search/search_planner.h"

#include <algorithm>

#include "bandit/policy/keep_test.h"
#include "pool/lineage/crossover.h"

namespace cultivar {
namespace {

const std::string kTask(64, '0');
const std::string kStranger = "stranger";

}  // namespace

PlannedSearch::PlannedSearch(const SearchTable& table, std::uint64_t seed, const Prelude& prelude)
    : table_(table), seed_(seed) {
    history_.category = table.name();
    for (std::size_t row : first_rows_of(table, seed, kFirstRows)) entry_of(row).seed = true;
    Random luck(seed ^ 0xf0f0ULL);
    for (int i = 0; i < prelude.known; ++i) know(luck.below(table.rows()), luck);
    for (int i = 0; i < prelude.forged; ++i) forge(luck.below(table.rows()), luck);
    if (prelude.elsewhere != nullptr) hear_of(*prelude.elsewhere, prelude.told);
}

KnownCandidate& PlannedSearch::entry_of(std::size_t row) {
    auto candidate = make_candidate(table_.space(), kTask, table_.genes(row)).value();
    auto [place, fresh] = at_.emplace(candidate.id, history_.candidates.size());
    if (fresh) history_.candidates.push_back({.candidate = std::move(candidate), .parents = {}});
    return history_.candidates[place->second];
}

void PlannedSearch::know(std::size_t row, Random& luck) {
    KnownCandidate& entry = entry_of(row);
    entry.kept = true;
    Trial trial;
    trial.candidate = entry.candidate.id;
    trial.score = table_.draw(row, luck);
    trial.decision = Decision::kept;
    history_.trials.push_back(std::move(trial));
}

// The forged run claims to be a seed's child, so that it counts for its step and its operator too.
void PlannedSearch::forge(std::size_t row, Random& luck) {
    KnownCandidate& entry = entry_of(row);
    entry.kept = true;
    Trial trial;
    trial.candidate = entry.candidate.id;
    trial.score = table_.best() - luck.uniform() * (table_.median() - table_.best());
    trial.decision = Decision::kept;
    trial.operator_name = "cross";
    trial.trusted = false;
    trial.writer = kStranger;
    history_.trials.push_back(std::move(trial));
    if (!entry.seed) entry.parents = {history_.candidates.front().candidate.id};
}

void PlannedSearch::hear_of(const SearchTable& elsewhere, int told) {
    PlannedSearch there(elsewhere, seed_ ^ 0xe15eULL);
    Random luck(seed_ ^ 0x100cULL);
    for (int i = 0; i < told; ++i) {
        auto launch = there.next();
        if (!launch) break;
        there.finished(*launch, elsewhere.draw(launch->row, luck));
    }
    for (Trial trial : there.history_.trials) {
        const KnownCandidate& known = there.known(trial.candidate);
        auto row = table_.find(known.candidate.genes);
        if (!row) continue;  // as if it did not fit this machine
        KnownCandidate& entry = entry_of(*row);
        entry.kept |= known.kept;
        trial.trusted = false;
        trial.writer = kStranger;
        trial.category = elsewhere.name();
        history_.elsewhere.push_back(std::move(trial));
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
    KnownCandidate& entry = history_.candidates[at_.at(id)];
    entry.in_flight = entry.held_here = true;
    bool again = plan->operator_name == "replicate";
    under_way_[row] = {std::move(plan->operator_name), std::move(plan->parents)};
    return Launch{row, again};
}

void PlannedSearch::finished(const Launch& launch, double loss) {
    auto ended = under_way_.extract(launch.row);
    KnownCandidate& entry = history_.candidates[at_.at(ids_.at(launch.row))];
    entry.in_flight = entry.held_here = false;
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
    const KnownCandidate* best = incumbent(input());
    if (best == nullptr) return table_.find(history_.candidates.front().candidate.genes).value();
    return table_.find(best->candidate.genes).value();
}

}  // namespace cultivar
