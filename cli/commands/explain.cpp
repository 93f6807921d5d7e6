#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "bandit/policy/keep_test.h"
#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/runs/machine_category.h"
#include "cli/runs/run_execution.h"
#include "cli/search/next_run.h"
#include "cli/search/proposer_input.h"
#include "cli/search/wait_note.h"
#include "cli/session/history_loader.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostRows = 20;  // of a table; --json has all

struct ExplainArguments {
    std::string id;
    std::optional<std::int64_t> seed;
    std::optional<std::string> budget;
};

// The plan to explain, and the run's record if it exists.
struct Subject {
    PlannedRun planned;
    std::optional<RunRow> row;
    Explanation why;
    std::optional<std::string> again;  // of a run: the choice that the same records and seed give now
};

std::string change_of(Session& session, const PlannedRun& planned) {
    const Space& space = session.clone->task.space;
    auto row = planned.parents.empty() ? Result<std::optional<CandidateRow>>(std::nullopt)
                                       : session.index->candidate(planned.parents.front());
    auto before = make_candidate(space, session.clone->task_id, {});
    if (row && *row) {
        auto parent = parse_canonical(space, session.clone->task_id, (*row)->toml);
        if (parent) before = std::move(parent);
    }
    return before ? change_text(candidate_changes(space, *before, planned.child)) : "";
}

// The newest run that an id means: its record's, or its candidate's.
Result<RunRow> find_run(Session& session, const std::string& prefix) {
    TRY_ASSIGN(std::string id, session.index->resolve_any(prefix));
    std::string candidate = id;
    if (auto line = session.index->record_line(id)) {
        TRY_ASSIGN(Record record, parse_line(*line));
        candidate = std::visit([](const auto& one) { return one.candidate; }, record);
    }
    TRY_ASSIGN(std::vector<RunRow> rows, session.index->runs(candidate));
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        if (row->id == id || candidate == id) return std::move(*row);
    }
    return fail(Code::not_found, fmt::format("'{}' was never run", prefix), "cultivar log");
}

// The history before a run: without that run and all later records.
Result<History> history_before(Session& session, const RunRow& row) {
    TRY_ASSIGN(std::vector<Seed> seeds, read_seeds(*session.clone));
    TRY_ASSIGN(History history, read_history(session, seeds, row.run.category, row.id));
    TRY_ASSIGN(std::vector<RunSummary> order, session.index->summaries(row.run.category));
    std::size_t before = 0;
    while (before < order.size() && order[before].id != row.id) ++before;
    std::set<std::string> ran, later;
    for (std::size_t i = 0; i < order.size(); ++i) (i < before ? ran : later).insert(order[i].candidate);
    if (history.trials.size() > before) history.trials.resize(before);
    std::erase_if(history.candidates, [&](const KnownCandidate& known) {
        return !known.seed && later.count(known.candidate.id) > 0 && ran.count(known.candidate.id) == 0;
    });
    for (KnownCandidate& known : history.candidates) known.in_flight = false;
    return history;
}

Result<Subject> next_run(Context& context, Session& session, const ExplainArguments& words) {
    PlanOptions options;
    options.explain = true;
    options.budget_s = session.clone->task.budget_s;
    if (words.budget) {
        TRY_ASSIGN(options.budget_s, parse_duration(*words.budget));
    }
    if (words.seed) options.seed = static_cast<std::uint64_t>(*words.seed);
    TRY_ASSIGN(options.category, category_so_far(session, options.budget_s));
    if (options.category.empty()) return fail(unknown_category(session, "cultivar explain"));
    TRY_ASSIGN(const std::vector<PlannedRun> unfinished, unfinished_runs(session));
    for (const PlannedRun& run : unfinished)
        context.ui.note(fmt::format("explore has {} under way; this plan comes after it", short_id(run.child.id)));
    const std::string& state = session.clone->state_dir;
    const auto waits = FileLock::is_held(state + "explore.lock") ? read_wait_note(state) : std::nullopt;
    if (waits) context.ui.note("explore waits " + wait_text(*waits));
    const SystemClock clock;
    TRY_ASSIGN(PlanningHistory read, planning_history(session, clock, options.category));
    History& now = read.history;
    TRY_ASSIGN(NextRun next, plan_run(session, clock, now, options));
    if (!next.why) {  // made by hand: the arms had no part in it
        const CandidateTable contenders(now);
        next.why = explain(now, contenders, operator_arms(now, contenders), {}, 0);
    }
    return Subject{std::move(next.run), std::nullopt, std::move(*next.why), std::nullopt};
}

Result<Subject> past_run(Session& session, const ExplainArguments& words) {
    TRY_ASSIGN(RunRow row, find_run(session, words.id));
    const Run& run = row.run;
    TRY_ASSIGN(History before, history_before(session, row));
    Subject subject;
    TRY_ASSIGN(subject.planned.child, parse_canonical(session.clone->task.space, session.clone->task_id, run.toml));
    subject.planned.parents = run.parents;
    subject.planned.operator_name = run.operator_name;
    subject.planned.choice = run.choice;
    subject.planned.category = run.category;
    subject.planned.replicate = run.replicate;
    subject.planned.budget_s = run.budget_s;
    PlanOptions options;
    options.category = run.category;
    options.budget_s = run.budget_s;
    options.explain = true;
    if (words.seed) options.seed = static_cast<std::uint64_t>(*words.seed);
    const bool could_repeat = run.writer == session.clone->writer && run.proposer.empty() && !run.by_hand;
    if (could_repeat) {
        if (auto next = plan_run(session, SystemClock(), before, options)) {
            subject.again = next->run.child.id;
            if (next->why) subject.why = std::move(*next->why);
        }
    }
    if (subject.why.operators.empty()) {
        const CandidateTable contenders(before);
        subject.why = explain(before, contenders, operator_arms(before, contenders), {}, 0);
    }
    subject.row = std::move(row);
    return subject;
}

std::string share_text(double share) { return fmt::format("{:.0f} %", 100 * share); }

template <typename Row>
std::span<const Row> first_rows(const std::vector<Row>& rows) {
    return {rows.data(), std::min(rows.size(), kMostRows)};
}

std::string voice_text(const HintSourceValue& source) {
    if (source.sure) return "verified";
    return source.writer.empty() ? "several writers" : clean(source.writer, 48);
}

std::string others_text(const Ui& ui, const ScoreText& score, const Explanation& why) {
    TextTable sources(
        {{"source"}, {"category"}, {"results", true}, {"run here", true}, {"agreement", true}, {"weight", true}});
    for (const HintSourceValue& one : why.sources)
        sources.row({voice_text(one), clean(one.category, 48), std::to_string(one.results), std::to_string(one.shared),
                     fmt::format("{:.2f}", one.agreement), fmt::format("{:.2f}", one.weight)});
    TextTable outsiders({{"claimed"}, {"score", true}, {"here", true}, {"by"}, {"standing"}});
    for (const Outsider& one : why.outsiders)
        outsiders.row({short_id(one.candidate), score.of(one.claimed), one.here ? score.of(*one.here) : "-",
                       clean(one.writer, 48), one.standing});
    std::string text;
    if (!why.sources.empty()) text += "\n" + sources.text(ui);
    if (!why.outsiders.empty()) text += "\n" + outsiders.text(ui);
    return text;
}

std::string noise_text(const Noise& noise) {
    if (noise.declared_none) return "noise: none, by the task\n";
    if (!noise.known()) return "noise: unknown until two runs of one candidate were scored\n";
    return fmt::format("noise: {:.2g} a run, from {} replicate{}\n", noise.sigma, noise.degrees_of_freedom,
                       noise.degrees_of_freedom == 1 ? "" : "s");
}

Json noise_json(const Noise& noise) { return noise.known() ? Json(noise.sigma) : Json(nullptr); }

std::string arms_text(const Ui& ui, const ScoreText& score, const Explanation& why) {
    TextTable operators(
        {{"operator"}, {"odds", true}, {"paid", true}, {"unpaid", true}, {"cost", true}, {"runs", true}});
    for (const OperatorValue& one : first_rows(why.operators)) {
        const bool arm = one.cost > 0;
        operators.row({clean(one.name, 48), arm ? fmt::format("{:.2f}", one.selection_probability) : "-",
                       arm ? fmt::format("{:.1f}", one.successes) : "-",
                       arm ? fmt::format("{:.1f}", one.failures) : "-", arm ? fmt::format("{:.2f}", one.cost) : "-",
                       share_text(one.share)});
    }
    TextTable parents({{"parent"},
                       {"mean", true},
                       {"level", true},
                       {"odds", true},
                       {"repeats", true},
                       {"children", true},
                       {"runs", true}});
    for (const ParentValue& one : why.parents)
        parents.row({short_id(one.candidate), score.of(one.mean), fmt::format("{:.2f}", one.level),
                     fmt::format("{:.2f}", one.selection_probability), std::to_string(one.runs),
                     std::to_string(one.children), share_text(one.share)});
    TextTable families({{"family"}, {"candidates", true}, {"runs", true}});
    for (const Family& one : first_rows(why.families))
        families.row({short_id(one.root), std::to_string(one.candidates), share_text(one.share)});
    std::string text = noise_text(why.noise) + "\n" + operators.text(ui);
    if (!why.parents.empty()) text += "\n" + parents.text(ui);
    if (!why.families.empty()) text += "\n" + families.text(ui);
    return text + others_text(ui, score, why);
}

std::string parents_text(const std::vector<std::string>& parents) {
    std::vector<std::string> shown;
    for (const std::string& parent : parents) shown.push_back(short_id(parent));
    return parents.empty() ? "none" : fmt::format("{}", fmt::join(shown, ", "));
}

std::string subject_text(Session& session, const Subject& subject) {
    const PlannedRun& planned = subject.planned;
    std::string text =
        fmt::format("{} {} in {}, replicate {}\n", subject.row ? "run of" : "next:", short_id(planned.child.id),
                    clean(planned.category, 64), planned.replicate);
    text += fmt::format("why: {}\nparents: {}\nchange: {}\n", clean(planned.choice, 2000),
                        parents_text(planned.parents), clean(change_of(session, planned), 2000));
    if (!subject.row) return text;
    const Run& run = subject.row->run;
    text += fmt::format("became: {}, {}\n", name(run.status == RunStatus::done ? run.decision : Decision::none),
                        clean(run.reason));
    if (!run.proposer_refused.empty())
        text += fmt::format("{} was asked first: {}\n", clean(run.proposer, 48), clean(run.proposer_refused));
    if (subject.again)
        text +=
            *subject.again == planned.child.id
                ? "planned again from the records before it: the same choice\n"
                : fmt::format("planned again from the records before it: {}; another --seed, or records came later\n",
                              short_id(*subject.again));
    return text;
}

Json subject_json(Session& session, const Subject& subject) {
    const PlannedRun& planned = subject.planned;
    Json json = {{"schema", 1},
                 {"run", subject.row ? Json(subject.row->id) : Json(nullptr)},
                 {"candidate", planned.child.id},
                 {"toml", planned.child.toml},
                 {"parents", planned.parents},
                 {"operator", planned.operator_name},
                 {"choice", planned.choice},
                 {"change", change_of(session, planned)},
                 {"category", planned.category},
                 {"budget_s", planned.budget_s},
                 {"seed", run_seed(planned.child.id, planned.replicate)},
                 {"replicate", planned.replicate}};
    if (subject.row) {
        const Run& run = subject.row->run;
        json["status"] = name(run.status);
        json["decision"] = name(run.decision);
        json["reason"] = run.reason;
        json["proposer"] = Json::parse(to_line(Record(run))).at("proposer");
        json["planned_again"] = subject.again ? Json(*subject.again) : Json(nullptr);
    }
    json["noise"] = noise_json(subject.why.noise);
    json["operators"] = operators_json(subject.why.operators);
    json["arms"] = parents_json(session.clone->task, subject.why.parents);
    json["families"] = families_json(subject.why.families);
    json["sources"] = sources_json(subject.why.sources);
    json["outsiders"] = outsiders_json(session.clone->task, subject.why.outsiders);
    return json;
}

Result<int> explain_run(Context& context, const ExplainArguments& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
    TRY_ASSIGN(Subject subject, options.id.empty() ? next_run(context, session, options) : past_run(session, options));
    if (context.ui.json())
        context.ui.print(pretty(subject_json(session, subject)));
    else
        context.ui.print(subject_text(session, subject) +
                         arms_text(context.ui, ScoreText(session.clone->task), subject.why));
    return kYes;
}

}  // namespace

Action declare_explain(Parser& parser) {
    auto options = std::make_shared<ExplainArguments>();
    parser.positional("RUN", options->id, "a run's id, or its candidate's (default: the run that comes next)", false);
    parser.option("--budget", options->budget, "TIME", "training time of the next run (default: the pool's)");
    parser.option("--seed", options->seed, "S", "seed of the search's own draws, as explore was given it");
    parser.example("cultivar explain", "the next run of explore and its reasons; nothing is run or recorded");
    return [options](Context& context) { return explain_run(context, *options); };
}

}  // namespace cultivar
