#include "cli/search/proposer_input.h"

#include <algorithm>

#include "cli/format/space_json.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kBest = 20;
constexpr int kRecent = 50, kForeign = 20, kOfWriter = 4;
constexpr std::size_t kReasonBytes = 256, kNameBytes = 32, kInFlight = 100;

Json json_of(const Value& value) {
    return std::visit([](const auto& plain) { return Json(plain); }, value);
}

Json genes_json(const Space& space, const Genes& genes) {
    Json json = Json::object();
    for (const Gene& gene : space.genes()) {
        if (space.active(gene, genes)) json[gene.name] = json_of(genes.at(gene.name));
    }
    return json;
}

Json task_json(const Clone& clone) {
    const Task& task = clone.task;
    return {{"id", clone.task_id},
            {"name", task.name},
            {"kind", task.kind},
            {"metric", task.metric},
            {"direction", task.direction},
            {"artifact_cap_bytes", task.artifact_cap_bytes},
            {"caps",
             {{"parameters", or_null(task.caps.parameters)},
              {"forward_flops_per_token", or_null(task.caps.forward_flops_per_token)},
              {"joules_per_token", or_null(task.caps.joules_per_token)}}}};
}

Json space_of(const Space& space) {
    std::vector<const Gene*> genes;
    for (const Gene& gene : space.genes()) genes.push_back(&gene);
    return space_json(space, genes);
}

Json best_json(const Task& task, const CandidateTable& contenders) {
    std::vector<const CandidateStats*> best;
    for (const CandidateStats& contender : contenders.all()) {
        if (contender.known != nullptr && contender.scored()) best.push_back(&contender);
    }
    std::ranges::stable_sort(best, {}, &CandidateStats::mean);
    Json rows = Json::array();
    for (const CandidateStats* contender : best) {
        if (rows.size() == kBest && !contender->parent()) continue;  // every parent may be named
        if (rows.size() == 2 * kBest) break;
        rows.push_back({{"id", contender->known->candidate.id},
                        {"score", task.score_of(contender->mean)},
                        {"runs", contender->runs()},
                        {"children", contender->children},
                        {"may_be_parent", contender->parent()},
                        {"parents", contender->known->parents},
                        {"genes", genes_json(task.space, contender->known->candidate.genes)}});
    }
    return rows;
}

template <typename AnyRun>
std::string change_of(const Space& space, const CandidateTable& contenders, const AnyRun& run) {
    const CandidateStats* child = contenders.find(run.candidate);
    const CandidateStats* parent = run.parents.empty() ? nullptr : contenders.find(run.parents.front());
    if (child == nullptr || child->known == nullptr || parent == nullptr || parent->known == nullptr) return "";
    return change_text(candidate_changes(space, parent->known->candidate, child->known->candidate));
}

// A run of this clone, or an accepted one of another writer. Sentences come from this clone alone.
Json run_json(const Clone& clone, const CandidateTable& contenders, const Run& run) {
    const std::optional<double> loss = run.val_bpb ? run.val_bpb : run.expected_bpb;
    const bool own = run.writer == clone.writer;
    return {{"candidate", run.candidate},
            {"writer", run.writer},
            {"verified", !own},
            {"parents", run.parents},
            {"operator", own ? run.operator_name : std::string(cut(run.operator_name, kNameBytes))},
            {"change", change_of(clone.task.space, contenders, run)},
            {"status", name(run.status)},
            {"decision", name(run.decision)},
            {"score", loss ? Json(clone.task.score_of(*loss)) : Json(nullptr)},
            {"reason", own ? Json(std::string(cut(run.reason, kReasonBytes))) : Json(nullptr)},
            {"wall_s", run.wall_s},
            {"proposer_refused", own && !run.proposer_refused.empty()
                                     ? Json(std::string(cut(run.proposer_refused, kReasonBytes)))
                                     : Json(nullptr)}};
}

// A run that nobody verified: figures alone, since its texts are a stranger's.
Json foreign_json(const Task& task, const CandidateTable& contenders, const RunSummary& run) {
    const bool scored = run.status == RunStatus::done;
    return {{"candidate", run.candidate}, {"writer", run.writer},
            {"verified", false},          {"change", change_of(task.space, contenders, run)},
            {"status", name(run.status)}, {"score", scored ? Json(task.score_of(run.score)) : Json(nullptr)}};
}

// This clone's own come first, then the newest leases of others.
Json in_flight_json(const History& history) {
    Json ids = Json::array();
    auto take = [&](const KnownCandidate& known, bool here) {
        if (known.in_flight && known.held_here == here && ids.size() < kInFlight) ids.push_back(known.candidate.id);
    };
    for (const KnownCandidate& known : history.candidates) take(known, true);
    for (auto known = history.candidates.rbegin(); known != history.candidates.rend(); ++known) take(*known, false);
    return ids;
}

}  // namespace

Json operators_json(const std::vector<OperatorValue>& operators) {
    Json rows = Json::array();
    for (const OperatorValue& one : operators)
        rows.push_back({{"name", one.name},
                        {"odds", one.selection_probability},
                        {"share", one.share},
                        {"paid", one.successes},
                        {"unpaid", one.failures},
                        {"cost", one.cost}});
    return rows;
}

Json parents_json(const Task& task, const std::vector<ParentValue>& parents) {
    Json rows = Json::array();
    for (const ParentValue& one : parents)
        rows.push_back({{"candidate", one.candidate},
                        {"mean", task.score_of(one.mean)},
                        {"shrunken", task.score_of(one.shrunken)},
                        {"level", one.level},
                        {"runs", one.runs},
                        {"children", one.children},
                        {"odds", one.selection_probability},
                        {"share", one.share}});
    return rows;
}

Json sources_json(const std::vector<HintSourceValue>& sources) {
    Json rows = Json::array();
    for (const HintSourceValue& one : sources)
        rows.push_back({{"category", one.category},
                        {"writer", one.writer.empty() ? Json(nullptr) : Json(one.writer)},
                        {"verified", one.sure},
                        {"results", one.results},
                        {"run_here", one.shared},
                        {"agreement", one.agreement},
                        {"weight", one.weight}});
    return rows;
}

Json outsiders_json(const Task& task, const std::vector<Outsider>& outsiders) {
    Json rows = Json::array();
    for (const Outsider& one : outsiders)
        rows.push_back({{"candidate", one.candidate},
                        {"writer", one.writer},
                        {"claimed", task.score_of(one.claimed)},
                        {"here", one.here ? Json(task.score_of(*one.here)) : Json(nullptr)},
                        {"standing", one.standing}});
    return rows;
}

Json families_json(const std::vector<Family>& families) {
    Json rows = Json::array();
    for (const Family& one : families)
        rows.push_back({{"root", one.root}, {"candidates", one.candidates}, {"share", one.share}});
    return rows;
}

Result<Json> pool_state(Session& session, const History& history, double budget_s, const std::string& operator_name) {
    const Task& task = session.clone->task;
    const CandidateTable contenders(history);
    const Explanation standing = explain(history, contenders, operator_arms(history, contenders, operator_name), {}, 0);
    TRY_ASSIGN(const std::vector<RunRow> recent, session.index->newest_own_runs(history.category, kRecent));
    TRY_ASSIGN(const std::vector<RunSummary> others,
               session.index->newest_foreign_runs(history.category, kForeign, kOfWriter));
    Json runs = Json::array(), failed = Json::array(), unverified = Json::array();
    for (const RunRow& row : recent) {
        const bool scored = row.run.status == RunStatus::done || row.run.status == RunStatus::stopped;
        (scored ? runs : failed).push_back(run_json(*session.clone, contenders, row.run));
    }
    for (const RunSummary& run : others) unverified.push_back(foreign_json(task, contenders, run));
    return Json{{"schema", 1},
                {"task", task_json(*session.clone)},
                {"category", history.category},
                {"budget_s", budget_s},
                {"space", space_of(task.space)},
                {"best", best_json(task, contenders)},
                {"runs", runs},
                {"failed", failed},
                {"unverified", unverified},
                {"in_flight", in_flight_json(history)},
                {"operators", operators_json(standing.operators)},
                {"you", operator_name}};
}

}  // namespace cultivar
