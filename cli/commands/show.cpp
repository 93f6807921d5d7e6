#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/format/safe_lines.h"
#include "cli/runs/run_output.h"
#include "cli/search/run_recorder.h"
#include "cli/session/score_texts.h"
#include "cli/session/session.h"
#include "pool/types/energy_error.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct ShowArguments {
    std::string id;
    bool output = false;
};

Result<Json> claim_json(Session& session, const ClaimRow& row) {
    Json json = Json::parse(to_line(Record(row.claim)));
    json["id"] = row.id;
    json["problem"] = row.problem.empty() ? Json(nullptr) : Json(row.problem);
    TRY_ASSIGN(json["suspicions"], session.index->suspicions(row));
    json["verdict"] = row.verdict ? Json::parse(to_line(*row.verdict)) : Json(nullptr);
    return json;
}

Json run_json(const Task& task, const RunRow& row) {
    Json json = Json::parse(to_line(Record(row.run)));
    add_score(json, task, row.run.val_bpb);
    json["id"] = row.id;
    json["refused"] = row.refused;
    return json;
}

std::string genes_text(const Clone& clone, const Candidate& candidate) {
    auto defaults = clone.task.space.complete({});
    if (!defaults) return "";
    TextTable table({{"gene"}, {"value"}, {"default"}});
    for (const GeneChange& change : gene_changes(clone.task.space, *defaults, candidate.genes))
        table.row({change.gene, change.after.empty() ? "unset" : change.after,
                   change.before.empty() ? "unset" : change.before});
    Ui plain;
    return table.text(plain);
}

std::string files_text(const Candidate& candidate) {
    std::string text;
    for (const auto& [path, sha256] : candidate.files)
        text += fmt::format("file      {}  sha256 {}\n", path, short_id(sha256));
    return text;
}

// The time on the run's own clock; and the share of wall time that others took, if it is told and not small.
std::string training_text(const Run& run) {
    constexpr double kSmall = 0.02;
    const double others = run.train_wall_s > 0 ? 1 - run.train_s / run.train_wall_s : 0;
    if (others < kSmall) return fmt::format("{:.1f} s", run.train_s);
    return fmt::format("{:.1f} s (of {:.1f} s: others took {:.0f} %)", run.train_s, run.train_wall_s, 100 * others);
}

// The figures that a command's task wants beside its score.
std::string metrics_text(const Run& run) {
    std::string text;
    for (const auto& [name, figure] : run.metrics)
        text += fmt::format("{}{} {:.6g}", text.empty() ? "" : ", ", clean(name, 32), figure);
    return text;
}

Result<void> show_runs(Context& context, Session& session, const std::vector<RunRow>& runs) {
    ScoreTexts scores(session);
    if (!runs.empty()) context.ui.print("\nruns\n");
    for (const RunRow& row : runs) {
        const Run& run = row.run;
        TRY_ASSIGN(const ScoreText score, scores.in(run.category));
        context.ui.print(fmt::format("  {}  {}\n", short_id(row.id), run_line(context.ui, score, run)));
        context.ui.print(fmt::format("            {}  seed {}  {} steps, {} tokens in {}  {}  {}\n",
                                     clean(run.category, 32), run.seed, run.steps, run.tokens, training_text(run),
                                     joules_text(run.energy.joules, error_of(run.energy), run.energy.method),
                                     clean(run.writer, 48)));
        if (const std::string metrics = metrics_text(run); !metrics.empty())
            context.ui.print(fmt::format("            {}\n", metrics));
        if (const std::string cost = cost_text(use_cost(run)); !cost.empty())
            context.ui.print(fmt::format("            {}\n", cost));
        context.ui.print(fmt::format("            chosen: {}\n", clean(run.choice)));
        if (row.refused)
            context.ui.print(fmt::format("            refused: {}\n",
                                         row.why_refused.empty() ? "its claim was rejected" : clean(row.why_refused)));
    }
    return {};
}

Result<void> show_claims(Context& context, Session& session, const std::vector<ClaimRow>& claims) {
    if (!claims.empty()) context.ui.print("\nclaims\n");
    for (const ClaimRow& row : claims) {
        std::string verdict =
            row.verdict ? fmt::format("{} by {} ({}: {})", word(*row.verdict), clean(row.verdict->verifier, 48),
                                      name(row.verdict->tier), clean(row.verdict->reason))
                        : "pending";
        context.ui.print(fmt::format("  {}  {}  {}  artifact {}  {}\n", short_id(row.id),
                                     ScoreText(session.clone->task).of(row.claim.val_bpb), clean(row.claim.writer, 48),
                                     row.claim.artifact.empty() ? "none" : short_id(row.claim.artifact), verdict));
        if (row.verdict && row.verdict->record)
            context.ui.print(fmt::format("            {}\n", record_text(*row.verdict->record)));
        if (!row.problem.empty()) context.ui.print(fmt::format("            wrong: {}\n", clean(row.problem)));
        TRY_ASSIGN(const std::vector<std::string> odd, session.index->suspicions(row));
        for (const std::string& one : odd) context.ui.print(fmt::format("            odd: {}\n", clean(one)));
    }
    return {};
}

Result<int> show_candidate(Context& context, Session& session, const CandidateRow& row) {
    TRY_ASSIGN(Candidate candidate, parse_canonical(session.clone->task.space, session.clone->task_id, row.toml));
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(row.id));
    TRY_ASSIGN(std::vector<ClaimRow> claims, session.index->claims(row.id));
    TRY_ASSIGN(auto all_retired, session.index->retired_candidates());
    const auto retired = all_retired.find(row.id);
    if (context.ui.json()) {
        Json json = {{"schema", 1},
                     {"id", row.id},
                     {"toml", row.toml},
                     {"files", candidate.files},
                     {"parents", row.parents},
                     {"commits", row.commits},
                     {"runs", Json::array()},
                     {"claims", Json::array()}};
        json["retired"] = retired == all_retired.end() ? Json(nullptr) : Json(retired->second.reason);
        for (const RunRow& run : runs) json["runs"].push_back(run_json(session.clone->task, run));
        for (const ClaimRow& claim : claims) {
            TRY_ASSIGN(Json one, claim_json(session, claim));
            json["claims"].push_back(std::move(one));
        }
        context.ui.print(pretty(json));
        return kYes;
    }
    context.ui.print(fmt::format("candidate {}\n", row.id));
    for (const Oid& commit : row.commits)
        context.ui.print(fmt::format("commit    {}  ({})\n", commit, candidate_branch(row.id, commit)));
    for (const std::string& parent : row.parents)
        context.ui.print(
            fmt::format("parent    {}  {}\n", short_id(parent), clean(change_against(session, row, parent))));
    if (retired != all_retired.end())
        context.ui.print(fmt::format("retired   {} by {}: {}\n", retired->second.everywhere ? "everywhere" : "here",
                                     clean(retired->second.writer, 48), clean(retired->second.reason)));
    context.ui.print(fmt::format("{}\n{}", files_text(candidate), genes_text(*session.clone, candidate)));
    TRY(show_runs(context, session, runs));
    TRY(show_claims(context, session, claims));
    return kYes;
}

// The kept output of a run, or of a candidate's newest run here.
Result<int> show_output(Context& context, Session& session, std::string id, bool is_candidate) {
    if (is_candidate) {
        TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(id));
        std::erase_if(runs, [&](const RunRow& row) { return row.run.writer != session.clone->writer; });
        if (runs.empty())
            return fail(Code::not_found, fmt::format("candidate {} was not run here", short_id(id)), "cultivar log");
        id = std::ranges::max_element(runs, {}, [](const RunRow& row) { return row.run.ended; })->id;
    }
    TRY_ASSIGN(const std::string text, kept_output(session, id));
    if (context.ui.json())
        context.ui.print(pretty(Json{{"schema", 1}, {"run", id}, {"output", valid_utf8(text)}}));
    else
        context.ui.print(safe_lines(text));
    return kYes;
}

Result<int> show(Context& context, const ShowArguments& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
    TRY_ASSIGN(std::string id, session.index->resolve_any(options.id));
    TRY_ASSIGN(std::optional<CandidateRow> row, session.index->candidate(id));
    if (options.output) return show_output(context, session, id, row.has_value());
    if (row) return show_candidate(context, session, *row);
    // A record, as it stands in its journal; it is data in either form.
    TRY_ASSIGN(std::string line, session.index->record_line(id));
    context.ui.print(pretty(Json::parse(line)));
    return kYes;
}

}  // namespace

Action declare_show(Parser& parser) {
    auto options = std::make_shared<ShowArguments>();
    parser.positional("ID", options->id,
                      "a candidate, or a run's, claim's or lease's record; any unique prefix of 4 digits or more");
    parser.flag("--output", options->output, "the output that its run here wrote, as far as it is kept");
    parser.example("cultivar show 1a2b3c4d", "a candidate's genes, family, runs and claims");
    return [options](Context& context) { return show(context, *options); };
}

}  // namespace cultivar
