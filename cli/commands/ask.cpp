#include <ctime>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/format/terminal_observer.h"
#include "cli/runs/ask_store.h"
#include "cli/runs/machine_category.h"
#include "cli/runs/specification.h"
#include "cli/runs/trainer_worker.h"
#include "cli/search/ask_run.h"
#include "pool/clone/agreed_terms.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct AskArguments {
    std::optional<std::int64_t> seed;
    std::optional<std::string> budget;
    bool open = false;
};

std::string quoted(const std::string& text) { return to_toml(Value(text)); }

// As TOML, so that the plain output can be read by a program too; [genes] holds every active gene.
std::string ask_text(const Session& session, const LeasedRun& ask) {
    const PlannedRun& planned = ask.planned;
    const Space& space = session.clone->task.space;
    std::string text = fmt::format("id = {}\nshort_id = {}\noperator = {}\nchoice = {}\n", quoted(planned.child.id),
                                   quoted(short_id(planned.child.id)), quoted(planned.operator_name),
                                   quoted(clean(planned.choice, 2000)));
    text += fmt::format("category = {}\nbudget_s = {}\nseed = {}\nreplicate = {}\nuntil = {}\n",
                        quoted(planned.category), to_toml(Value(planned.budget_s)),
                        run_seed(planned.child.id, planned.replicate), planned.replicate, utc_text(ask.until));
    text += "[genes]\n";
    for (const Gene& gene : space.genes()) {
        if (space.active(gene, planned.child.genes))
            text += fmt::format("{} = {}\n", gene.name, to_toml(planned.child.genes.at(gene.name)));
    }
    return text;
}

Result<Json> ask_json(const Session& session, const LeasedRun& ask) {
    const PlannedRun& planned = ask.planned;
    TRY_ASSIGN(Specification specification, specification_of(session, planned, asked_dir(session, planned.child.id)));
    const Json whole = Json::parse(to_json(specification));
    return Json{{"id", planned.child.id},         {"short_id", short_id(planned.child.id)},
                {"toml", planned.child.toml},     {"genes", whole.at("genes")},
                {"parents", planned.parents},     {"operator", planned.operator_name},
                {"choice", planned.choice},       {"category", planned.category},
                {"budget_s", planned.budget_s},   {"seed", run_seed(planned.child.id, planned.replicate)},
                {"replicate", planned.replicate}, {"asked", planned.started},
                {"until", utc_text(ask.until)},   {"held", ask.held(std::time(nullptr))},
                {"specification", whole}};
}

Result<int> list(Context& context, const Session& session) {
    TRY_ASSIGN(std::vector<LeasedRun> asks, open_asks(session));
    Json rows = Json::array();
    for (const LeasedRun& ask : asks) {
        if (context.ui.json()) {
            TRY_ASSIGN(Json row, ask_json(session, ask));
            rows.push_back(std::move(row));
        } else {
            context.ui.print(fmt::format("{}  {}  {}  {}\n", short_id(ask.planned.child.id),
                                         ask.held(std::time(nullptr)) ? "held until" : "held to", utc_text(ask.until),
                                         clean(ask.planned.choice)));
        }
    }
    if (context.ui.json()) context.ui.print(pretty(Json{{"schema", 1}, {"asks", rows}}));
    return kYes;
}

Result<int> ask(Context& context, const AskArguments& words) {
    TRY_ASSIGN(Session session, open_session(context));
    if (words.open) return list(context, session);
    TRY(check_terms(*session.clone, words.budget ? RunBudget::own : RunBudget::of_pool));
    PlanOptions options;
    options.budget_s = session.clone->task.budget_s;
    if (words.budget) {
        TRY_ASSIGN(options.budget_s, parse_duration(*words.budget));
        if (options.budget_s < 1) return fail(Code::usage, "--budget is below 1 s");
    }
    if (words.seed) options.seed = static_cast<std::uint64_t>(*words.seed);
    TRY(need_data(*session.clone));
    const SystemClock clock;
    TrainerWorker worker(session, clock);
    TerminalObserver observer(context);
    TRY_ASSIGN(options.category, machine_category(worker, observer, session, options.budget_s));
    TRY_ASSIGN(LeasedRun next, ask_run(session, observer, clock, options));
    if (context.ui.json()) {
        Json json = {{"schema", 1}};
        TRY_ASSIGN(Json row, ask_json(session, next));
        json.update(row);
        context.ui.print(pretty(json));
    } else {
        context.ui.print(ask_text(session, next));
    }
    const auto& own = session.clone->task.command;
    const char* result = !own             ? "--score X --artifact FILE --steps N"
                         : own->evaluator ? "--score X --artifact FILE"
                                          : "--score X";
    context.ui.note(
        fmt::format("when it ran: cultivar tell {} {}, or --failed REASON", short_id(next.planned.child.id), result));
    return kYes;
}

}  // namespace

Action declare_ask(Parser& parser) {
    auto options = std::make_shared<AskArguments>();
    parser.option("--budget", options->budget, "TIME", "training time of the run (default: the pool's)");
    parser.option("--seed", options->seed, "S", "seed of the search's own draws");
    parser.flag("--open", options->open, "list the open asks instead");
    parser.example("cultivar ask --json", "a candidate, its seed and its budget, for a program");
    return [options](Context& context) { return ask(context, *options); };
}

}  // namespace cultivar
