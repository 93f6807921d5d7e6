#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "bandit/policy/operator_bandit.h"
#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/explore_schedule.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/runs/run_execution.h"
#include "cli/runs/trainer_worker.h"
#include "cli/search/exploration.h"
#include "cli/search/job_end.h"
#include "cli/search/job_shares.h"
#include "cli/search/run_recorder.h"
#include "pool/clone/agreed_terms.h"
#include "pool/clone/seeds.h"
#include "pool/util/local_time.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxProposerName = 32, kMostScheduleNote = 1000;
constexpr double kPatience_s = 0.5;  // somebody may be looking whether it is held
constexpr std::int64_t kMaxExitCode = 255;

struct ExploreArguments {
    std::optional<std::int64_t> runs, seed, jobs, requeue_exit;
    std::optional<std::string> for_time, until, budget, threads, device;
    std::optional<std::string> proposer, proposer_name, proposer_limit;
    ScheduleArguments schedule;
    bool propose = false, no_sandbox = false;
};

Result<std::optional<ProposerOptions>> checked_proposer(const ExploreArguments& options) {
    using Proposer = std::optional<ProposerOptions>;
    if (!options.proposer) {
        if (options.proposer_name || options.proposer_limit)
            return fail(Code::usage, "a proposer's name or limit without --proposer", "cultivar explore --help");
        return Proposer();
    }
    if (options.proposer->find_first_not_of(" \t\n") == std::string::npos)
        return fail(Code::usage, "--proposer takes a command");
    ProposerOptions proposer{*options.proposer, std::string(kExternal)};
    if (options.proposer_name) {
        if (*options.proposer_name != writer_word(*options.proposer_name) ||
            options.proposer_name->size() > kMaxProposerName)
            return fail(Code::usage,
                        fmt::format("--proposer-name = '{}': it takes lower-case letters, digits and '-', {} at most",
                                    *options.proposer_name, kMaxProposerName));
        proposer.name += ":" + *options.proposer_name;
    }
    if (options.proposer_limit) {
        TRY_ASSIGN(proposer.limit_s, parse_duration(*options.proposer_limit));
    }
    return Proposer(std::move(proposer));
}

Result<ExploreOptions> checked(const ExploreArguments& options, const std::optional<JobEnd>& job,
                               std::int64_t now_unix_s) {
    ExploreOptions out;
    if (job) out.until_unix_s = job->unix_s;
    if (options.runs) {
        if (*options.runs < 1 || *options.runs > 1'000'000)
            return fail(Code::usage, "--runs takes a number from 1", "cultivar explore --help");
        out.runs = static_cast<int>(*options.runs);
    }
    if (options.for_time) {
        TRY_ASSIGN(out.for_s, parse_duration(*options.for_time));
    }
    if (options.until) {
        TRY_ASSIGN(const std::int64_t until, parse_moment(*options.until, now_unix_s));
        if (until <= now_unix_s) return fail(Code::usage, fmt::format("--until {} is over", *options.until));
        out.until_unix_s = std::min(until, out.until_unix_s.value_or(until));
    }
    TRY(condition_of(options.schedule));
    if (!out.runs && !out.for_s && !out.until_unix_s && !options.schedule.has_window())
        return fail(Code::usage, "give --runs, --for or --until", "cultivar explore --runs 10");
    if (options.requeue_exit && (*options.requeue_exit < 1 || *options.requeue_exit > kMaxExitCode))
        return fail(Code::usage, "--requeue-exit takes a number from 1 to 255", "cultivar explore --help");
    if (options.budget) {
        TRY_ASSIGN(out.budget_s, parse_duration(*options.budget));
        if (*out.budget_s < 1) return fail(Code::usage, "--budget is below 1 s");
    }
    if (options.seed) out.seed = static_cast<std::uint64_t>(*options.seed);
    out.propose = options.propose;
    TRY_ASSIGN(out.proposer, checked_proposer(options));
    return out;
}

// Shows an exploration: notes and progress on standard error, runs on standard output.
class ExploreView final : public SearchObserver {
public:
    ExploreView(Context& context, const Task& task) : ui_(context.ui), context_(context), task_(task) {}

    bool interrupted() const override { return context_.interrupted(); }
    void note(std::string_view line) override { ui_.note(line); }
    void warn(std::string_view line) override { ui_.warn(line); }
    void pulled(const PullReport& report) override { tell_refresh(ui_, report); }
    void offline(const std::string& reason) override {
        ui_.note(fmt::format("going on without others: {}", clean(reason)));
    }
    void proposed(const ProposeReport& report) override { tell_proposed(ui_, report); }
    void not_proposed(const std::string& reason) override {
        ui_.note(fmt::format("kept for later: {}", clean(reason)));
    }
    void waiting(const Permission& refused) override {
        const std::string until = refused.until_unix_s ? utc_text(*refused.until_unix_s) : "";
        ui_.note("waiting: " + refusal_text(refused.why, until));
    }
    void going_on(double waited_s) override { ui_.note(fmt::format("going on after {}", duration_text(waited_s))); }
    void run_planned(int number, const PlannedRun& run) override {
        ui_.note(fmt::format("run {}: {}", number, clean(run.choice)));
    }
    void run_resumed(int number, const PlannedRun& run) override {
        ui_.note(fmt::format("run {}: going on with {}", number, short_id(run.child.id)));
    }
    void step_done(int number, const PlannedRun& run, const StepEvent& step) override {
        const std::string metric = task_.command ? clean(task_.metric, 24) : "loss";
        const std::string figure =
            task_.command ? ScoreText(task_).of(step.train_loss) : fmt::format("{:.3f}", step.train_loss);
        live_[number] = fmt::format("{}: step {} {}", number, step.step, figure);
        std::string line = fmt::format("run {}  {} {}  step {}  {:.1f}/{:g} s  {} {}", number, run.operator_name,
                                       short_id(run.child.id), step.step, step.elapsed_s, run.budget_s, metric, figure);
        if (live_.size() > 1) {  // so that four runs fit into a line
            line = metric;
            for (const auto& [one, text] : live_) line += "   " + text;
        }
        ui_.progress(line);
    }
    void trainer_left(int number) override {
        live_.erase(number);
        ui_.clear_progress();
    }
    void run_recorded(const ExploredRun& run) override {
        if (ui_.json()) {
            runs_.push_back(run_json(run));
            add_score(runs_.back(), task_, run.run.val_bpb);
        } else if (!ui_.quiet()) {
            ui_.print(run_line(ui_, ScoreText(task_).with_noise(run.sigma), run.run) + "\n");
        }
    }

    const Json& runs() const { return runs_; }

private:
    Ui& ui_;
    const Context& context_;
    const Task& task_;
    Json runs_ = Json::array();
    std::map<int, std::string> live_;  // the last step of each run under way, in brief
};

// Sessions and workers of the loops side by side, in one place that does not move.
class Jobs {
public:
    Jobs(const Clock& clock, Confinement confinement) : clock_(clock), confinement_(confinement) {}

    Result<void> open(Context& context, const Settings& share) {
        TRY_ASSIGN(Session session, open_session(context));
        session.settings = share;
        Session& kept = sessions_.emplace_back(std::move(session));
        jobs_.push_back({kept, workers_.emplace_back(kept, clock_, confinement_)});
        return {};
    }
    const std::vector<Job>& all() const { return jobs_; }

private:
    const Clock& clock_;
    Confinement confinement_;
    std::deque<Session> sessions_;
    std::deque<TrainerWorker> workers_;
    std::vector<Job> jobs_;
};

// Whoever started it is to start it again: a signal stopped it, or a run waits with a checkpoint.
Result<bool> is_left_off(const Session& session, const Result<void>& done, double budget_s) {
    if (!done) return done.error().code == Code::interrupted;
    TRY_ASSIGN(const std::vector<PlannedRun> unfinished, unfinished_runs(session));
    return std::ranges::any_of(unfinished, [&](const PlannedRun& run) { return run.budget_s == budget_s; });
}

void tell_end(Ui& ui, const ExploreOptions& options, const std::optional<JobEnd>& job) {
    if (!options.until_unix_s) return;
    const std::string whose =
        job && *options.until_unix_s == job->unix_s ? ", when SLURM's job " + job->job + " ends" : "";
    ui.note(fmt::format("explores until {}{}", utc_text(*options.until_unix_s), whose));
}

Result<int> explore(Context& context, const ExploreArguments& words) {
    const SystemClock clock;
    const std::optional<JobEnd> job = slurm_job_end(clock.unix_s());
    TRY_ASSIGN(ExploreOptions options, checked(words, job, clock.unix_s()));
    TRY_ASSIGN(Session session, open_session(context));
    TRY(check_terms(*session.clone, words.budget ? RunBudget::own : RunBudget::of_pool));
    TRY_ASSIGN(const std::vector<Settings> shares,
               job_shares({words.jobs, words.device, words.threads}, session.settings));
    session.settings = shares.front();
    std::string holder = fmt::format("pid {}, cultivar explore, since {}", ::getpid(), utc_text(std::time(nullptr)));
    TRY_ASSIGN(FileLock lock, FileLock::acquire(session.clone->state_dir + "explore.lock", holder, kPatience_s));
    tell_clock(context.ui, session.clone->task, std::time(nullptr));
    std::vector<Error> bad_seeds;
    TRY(read_seeds(*session.clone, &bad_seeds));
    for (const Error& one : bad_seeds) context.ui.warn("passed over: " + clean(one.message));
    tell_end(context.ui, options, job);
    TRY_ASSIGN(const auto schedule,
               ExploreSchedule::make(words.schedule, context, clock, options.until_unix_s, shares));
    if (!schedule->note().empty()) context.ui.note(clean(schedule->note(), kMostScheduleNote));
    if (const auto end_s = schedule->end_unix_s())
        options.until_unix_s = std::min(*end_s, options.until_unix_s.value_or(*end_s));
    if (schedule->holds_back()) options.allowed = [&] { return schedule->ask(); };
    if (words.no_sandbox && !session.clone->task.command)
        return fail(Code::usage, "--no-sandbox is for a pool with a command of its own", "cultivar explore --help");
    if (words.no_sandbox)
        context.ui.warn("the pool's command runs outside its sandbox: with all your rights, on all your files");
    const Confinement confinement = words.no_sandbox ? Confinement::none : Confinement::sandbox;
    TrainerWorker worker(session, clock, confinement);
    Jobs jobs(clock, confinement);
    for (const Settings& share : shares.size() > 1 ? shares : std::vector<Settings>()) TRY(jobs.open(context, share));
    const double budget_s = options.budget_s.value_or(session.clone->task.budget_s);
    ExploreView view(context, session.clone->task);
    const auto done = explore(view, worker, clock, session, std::move(options), jobs.all());
    if (context.ui.json()) context.ui.print(pretty(Json{{"schema", 1}, {"runs", view.runs()}}));
    TRY_ASSIGN(const bool left_off, is_left_off(session, done, budget_s));
    if (left_off && words.requeue_exit && !done) context.ui.note(done.error().message);
    if (left_off && words.requeue_exit) return static_cast<int>(*words.requeue_exit);
    if (!done) return fail(done.error());
    return kYes;
}

}  // namespace

Action declare_explore(Parser& parser) {
    auto options = std::make_shared<ExploreArguments>();
    parser.option("--runs", options->runs, "N", "end after N runs");
    parser.option("--for", options->for_time, "TIME", "start no run after this time: 8h, 30m, 90s");
    parser.option("--until", options->until, "TIME",
                  "start no run that cannot end by then: 07:30, 2026-11-30T07:30 (SLURM's job: its end)");
    parser.option("--requeue-exit", options->requeue_exit, "N",
                  "exit with N after a signal, or if a run waits with a checkpoint");
    parser.option("--budget", options->budget, "TIME", "training time of each run (default: the pool's)");
    parser.option("--seed", options->seed, "S", "seed of the search's own draws");
    parser.option("--jobs", options->jobs, "N",
                  "make N runs at once, each with its share of the processors or a device");
    parser.option("--device", options->device, "NAME",
                  "device to train on: cpu (default), cuda, mps, or cuda:0,cuda:1 for the jobs in turn");
    parser.option("--threads", options->threads, "N", "threads of each run (default: all processors, dealt out)");
    declare_schedule(parser, options->schedule);
    parser.option("--proposer", options->proposer, "CMD",
                  "a program that proposes candidates: it reads the pool as JSON and answers with gene changes");
    parser.option("--proposer-name", options->proposer_name, "NAME", "its name in records: proposer:NAME");
    parser.option("--proposer-limit", options->proposer_limit, "TIME", "limit of its time per answer (default: 60s)");
    parser.flag("--no-sandbox", options->no_sandbox,
                "run the pool's command outside its sandbox, with all your rights");
    parser.flag("--propose", options->propose, "push at the end, and every 30 minutes");
    parser.example("cultivar explore --runs 10", "ten runs");
    parser.example("cultivar explore --jobs 4 --runs 200", "200 runs in all, four at once");
    parser.example("cultivar explore --until 07:30", "overnight; no run begins that would end later");
    parser.example("cultivar explore --for 8h --propose --while 'on_ac_power'", "overnight, on mains only");
    parser.example("cultivar explore --for 24h --when 'idle and carbon < p30'",
                   "while nobody uses the machine and the grid is cleaner than usual");
    parser.example("cultivar explore --runs 20 --proposer ./agent.py --proposer-limit 5m",
                   "an agent proposes candidates, as often as they succeed");
    return [options](Context& context) { return explore(context, *options); };
}

}  // namespace cultivar
