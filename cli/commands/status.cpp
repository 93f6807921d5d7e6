#include <filesystem>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/format/category_list.h"
#include "cli/format/shift_view.h"
#include "cli/runs/ask_store.h"
#include "cli/runs/machine_category.h"
#include "cli/runs/run_execution.h"
#include "cli/runs/specification.h"
#include "cli/search/delayed_runs.h"
#include "cli/search/wait_note.h"
#include "cli/session/session.h"
#include "cli/verify/claim_queue.h"
#include "pool/clone/command_trust.h"
#include "pool/clone/journal.h"
#include "pool/process/sandbox.h"

namespace cultivar {
namespace {

struct Situation {
    Totals totals;
    std::size_t unsent = 0;
    bool damaged = false;  // were lines of the spool set aside?
    std::string category;  // "" while the machine was not measured
    std::vector<CategoryRow> categories;
    bool data_here = false, exploring = false;
    std::optional<bool> trusted;  // absent: the pool has no command of its own
    std::vector<PlannedRun> unfinished;
    std::size_t asked = 0;          // and not told yet
    std::optional<WaitNote> waits;  // of an exploration under way
    ShiftReport shifted;
    std::string bad_factors;  // why energy.toml cannot be read, or ""
};

// A record that is not there any more counts no more.
Result<void> look_at_shifts(Session& session, Situation& now) {
    std::vector<ShiftedRun> runs;
    for (DelayedRun& one : read_delayed_runs(session.clone->state_dir)) {
        const auto line = session.index->record_line(one.id);
        if (!line && line.error().code != Code::not_found) return fail(line.error());
        auto record = line ? parse_line(*line) : fail(line.error());
        if (record && std::holds_alternative<Run>(*record) && !one.delays.empty())
            runs.push_back({std::get<Run>(std::move(*record)), std::move(one.delays)});
    }
    if (runs.empty()) return {};
    auto factors = read_factor_file(user_factor_file());
    if (!factors) now.bad_factors = factors.error().message;
    now.shifted = shift_report(runs, Factors(std::move(factors).value_or(std::vector<Factor>())));
    return {};
}

Result<Situation> look(Session& session) {
    Situation now;
    TRY_ASSIGN(now.totals, session.index->totals());
    TRY_ASSIGN(std::vector<std::string> spooled, spooled_lines(*session.clone));
    now.unsent = spooled.size();
    std::error_code ec;
    now.damaged = std::filesystem::exists(damaged_spool_path(*session.clone), ec);
    TRY_ASSIGN(now.category, category_so_far(session, session.clone->task.budget_s));
    if (session.clone->task.command) {
        TRY_ASSIGN(now.trusted, is_command_trusted(*session.clone));
    }
    TRY_ASSIGN(now.categories, session.index->categories());
    now.data_here = need_data(*session.clone).has_value();
    now.exploring = FileLock::is_held(session.clone->state_dir + "explore.lock");
    TRY_ASSIGN(now.unfinished, unfinished_runs(session));
    TRY_ASSIGN(std::vector<LeasedRun> asks, open_asks(session));
    now.asked = asks.size();
    if (now.exploring) now.waits = read_wait_note(session.clone->state_dir);
    TRY(look_at_shifts(session, now));
    return now;
}

std::string origin_text(const auto& setting) { return fmt::format("{} ({})", setting.value, clean(setting.origin)); }

double share(const Totals& totals) { return totals.search_s > 0 ? totals.verify_s / totals.search_s : 0; }

double allowed_s(const Session& session, const Totals& totals) {
    return allowance(session.clone->task, totals).allowed_s();
}

Json as_json(const Session& session, const Situation& now) {
    const Clone& clone = *session.clone;
    const Totals& t = now.totals;
    Json scored = Json::object();
    for (const CategoryRow& row : now.categories) scored[row.name] = row.scored;
    return {{"schema", 1},
            {"pool", clone.task.name},
            {"task", clone.task.settled() ? Json(clone.task_id) : Json(nullptr)},
            {"writer", clone.writer},
            {"category", now.category.empty() ? Json(nullptr) : Json(now.category)},
            {"categories", scored},
            {"sandbox", {{"parts", sandbox_text(kernel_parts())}, {"gaps", sandbox_gaps(kernel_parts())}}},
            {"data_here", now.data_here},
            {"trusted", now.trusted ? Json(*now.trusted) : Json(nullptr)},
            {"exploring", now.exploring},
            {"waiting", now.waits ? Json{{"since", now.waits->since},
                                         {"why", now.waits->why},
                                         {"until", now.waits->until.empty() ? Json(nullptr) : Json(now.waits->until)}}
                                  : Json(nullptr)},
            {"shifted", shift_json(now.shifted)},
            {"unfinished", now.unfinished.empty() ? Json(nullptr) : Json(now.unfinished.front().child.id)},
            {"unsent_records", now.unsent},
            {"asked", now.asked},
            {"runs",
             {{"all", t.runs}, {"scored", t.done}, {"stopped", t.stopped}, {"failed", t.failed}, {"unfit", t.unfit}}},
            {"candidates", t.candidates},
            {"kept", t.kept},
            {"contributors", t.contributors},
            {"claims",
             {{"all", t.claims},
              {"pending", t.pending},
              {"accepted", t.accepted},
              {"provisional", t.provisional},
              {"scored", t.scored},
              {"rejected", t.rejected}}},
            {"refused", t.refused},
            {"of_other_tasks", t.other_task},
            {"search", {{"seconds", t.search_s}, {"joules", t.search_joules}, {"most_joules", t.search_most_joules}}},
            {"verification",
             {{"seconds", t.verify_s},
              {"joules", t.verify_joules},
              {"most_joules", t.verify_most_joules},
              {"share", share(t)},
              {"share_allowed", clone.task.verify_share},
              {"seconds_allowed", allowed_s(session, t)},
              {"claims_waiting", t.pending}}}};
}

// `most`: as many as they may be.
std::string sum_text(double joules, double most) { return joules_text(joules, joules > 0 ? most / joules - 1 : 0); }

std::string as_text(const Session& session, const Situation& now) {
    const Clone& clone = *session.clone;
    const Settings& settings = session.settings;
    const Totals& t = now.totals;
    std::string text = fmt::format("pool          {} ({}, {}, {:g} s per run)\n", clean(clone.task.name),
                                   clean(clone.task.kind), clean(clone.task.metric), clone.task.budget_s);
    text += fmt::format("you           {}\n", clone.writer);
    text += fmt::format("machine       {}, device {}, threads {}, watts {}\n",
                        now.category.empty() ? "not measured yet" : now.category, origin_text(settings.device),
                        origin_text(settings.threads),
                        settings.watts.is_default() ? "estimated (default)" : origin_text(settings.watts));
    const CategoryList list = listed(now.categories, now.category);
    for (const CategoryRow& row : list.shown)
        text +=
            fmt::format("category      {}: {} scored\n", title_of(row, now.category), counted(row.scored, "candidate"));
    if (!list.hidden.empty()) text += fmt::format("              {}\n", hidden_text(list));
    if (now.trusted)
        text += fmt::format("command       {}\n", *now.trusted ? "trusted" : "not trusted here: cultivar trust");
    if (!clone.task.command || needs_data(*clone.task.command))
        text +=
            fmt::format("data          {}\n", !clone.task.settled() ? "none yet: cultivar data import FILE..."
                                              : now.data_here       ? "here"
                                                              : "not on this machine: cultivar data import FILE...");
    text += fmt::format("runs          {}: {} scored, {} stopped early, {} failed, {} unfit\n", t.runs, t.done,
                        t.stopped, t.failed, t.unfit);
    text += fmt::format("candidates    {} known, {} kept, by {} contributor{}\n", t.candidates, t.kept, t.contributors,
                        t.contributors == 1 ? "" : "s");
    text += fmt::format("claims        {}: {} accepted, {} provisional, {} scored, {} rejected, {} pending\n", t.claims,
                        t.accepted, t.provisional, t.scored, t.rejected, t.pending);
    if (t.refused > 0)
        text += fmt::format("refused       {} records or branches that failed their checks\n", t.refused);
    if (t.other_task > 0)
        text += fmt::format(
            "earlier       {} of an earlier task (another command, other files or other data): they do "
            "not count\n",
            counted(t.other_task, "run"));
    text += fmt::format("search        {}, {}\n", duration_text(t.search_s),
                        sum_text(t.search_joules, t.search_most_joules));
    text += fmt::format("verification  {}, {}: {:.1f} % of the search (allowed {:.1f} %: {}), {} claim{} waiting\n",
                        duration_text(t.verify_s), sum_text(t.verify_joules, t.verify_most_joules), 100 * share(t),
                        100 * clone.task.verify_share, duration_text(allowed_s(session, t)), t.pending,
                        t.pending == 1 ? "" : "s");
    text += fmt::format("sandbox       {}\n", sandbox_text(kernel_parts()));
    for (const std::string& gap : sandbox_gaps(kernel_parts())) text += fmt::format("              {}\n", gap);
    if (now.exploring) text += "exploring     now, in another process\n";
    if (now.waits) text += fmt::format("waiting       {}\n", wait_text(*now.waits));
    const char* title = "shifted";
    for (const std::string& line : shift_lines(now.shifted))
        text += fmt::format("{:<13} {}\n", std::exchange(title, ""), line);
    if (!now.bad_factors.empty()) text += fmt::format("              {}\n", clean(now.bad_factors));
    for (const PlannedRun& run : now.exploring ? std::vector<PlannedRun>() : now.unfinished)
        text += fmt::format("unfinished    {}: the next explore of {} goes on with it\n", run.child.id.substr(0, 8),
                            clean(run.category, 64));
    if (now.asked > 0) text += fmt::format("asked         {} open: cultivar ask --open\n", now.asked);
    if (now.damaged)
        text += fmt::format("damaged       lines of the spool were set aside: {}\n",
                            clean(damaged_spool_path(clone), 4096));
    if (now.unsent > 0)
        text += fmt::format("unsent        {} record{}: cultivar propose\n", now.unsent, now.unsent == 1 ? "" : "s");
    return text;
}

Result<int> status(Context& context) {
    TRY_ASSIGN(Session session, look_at_session(context));
    TRY_ASSIGN(Situation now, look(session));
    context.ui.print(context.ui.json() ? pretty(as_json(session, now)) : as_text(session, now));
    return kYes;
}

}  // namespace

Action declare_status(Parser& parser) {
    parser.example("cultivar status --json | jq .unsent_records", "the number of records that propose would send");
    return [](Context& context) { return status(context); };
}

}  // namespace cultivar
