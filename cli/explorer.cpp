#include "cli/explorer.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <thread>

#include <fmt/format.h>

#include "bandit/noise.h"
#include "bandit/operators.h"
#include "cli/category.h"
#include "cli/tell.h"
#include "pool/child.h"
#include "pool/digest.h"
#include "pool/journal.h"

namespace cultivar {
namespace {

constexpr double kPullEvery_s = 30 * 60;
constexpr double kAskEvery_s = 30;
constexpr double kAskLimit_s = 60;
constexpr int kMaxFailuresInARow = 3;

// Runs `sh -c command`; true when it exits with 0 in time.
bool ask(const std::string& command, const Clock& clock, const std::function<bool()>& stop) {
    auto child = Child::start({"/bin/sh", "-c", command}, 0);
    if (!child) return false;
    double begun_s = clock.now_s();
    while (!child->has_ended()) {
        if (stop() || clock.now_s() - begun_s > kAskLimit_s) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    bool ended = child->has_ended();
    return child->reap().exit_code == 0 && ended;
}

}  // namespace

Result<void> Explorer::prepare() {
    TRY(need_data(*session_.clone));
    budget_s_ = options_.budget_s.value_or(session_.clone->task.budget_s);
    TRY(worker_command(session_));  // before anything is written: is there one, and may it run?
    TRY_ASSIGN(category_, machine_category(context_, session_, budget_s_));
    TRY_ASSIGN(int threads, session_.config.threads());
    TRY_ASSIGN(double watts, session_.config.watts());
    energy_ = std::make_unique<EnergyMeter>(clock_, threads, watts > 0 ? std::optional(watts) : std::nullopt);
    if (energy_->measures()) {
        energy_->start();
        std::this_thread::sleep_for(std::chrono::seconds(1));
        energy_->stop();
        energy_->learn_idle();
    }
    return {};
}

Result<void> Explorer::loop(const std::function<void(const ExploredRun&)>& tell) {
    started_s_ = clock_.now_s();
    TRY(meet_others(true));
    TRY(prepare());
    for (int done = 0;;) {
        TRY_ASSIGN(bool more, worth_another(done));
        if (!more) break;
        TRY_ASSIGN(bool allowed, wait_until_allowed(done));
        if (!allowed) break;
        if (clock_.now_s() - pulled_s_ > kPullEvery_s) TRY(meet_others(false));
        auto explored = explore_once();
        if (!explored) {
            if (options_.propose && explored.error().code == Code::unfit) TRY(propose_found());
            return fail(explored.error());
        }
        if (!*explored) continue;  // --while said no: the run waits with a checkpoint
        tell(**explored);
        ++done;
        if (failures_in_a_row_ >= kMaxFailuresInARow)
            return fail(Code::io,
                        fmt::format("the last {} runs failed: {}", failures_in_a_row_, (*explored)->run.reason),
                        "cultivar version");
    }
    if (options_.propose) TRY(propose_found());
    return {};
}

Result<bool> Explorer::worth_another(int done) const {
    if (context_.interrupted()) return fail(Code::interrupted, "interrupted; the next explore goes on from here");
    if (options_.runs && done >= *options_.runs) return false;
    return !options_.for_s || clock_.now_s() - started_s_ < *options_.for_s;
}

// Offline is normal: it goes on and sends later.
Result<void> Explorer::meet_others(bool first) {
    pulled_s_ = clock_.now_s();
    TRY_ASSIGN(bool remote, has_remote(*session_.clone));
    if (!remote) return {};
    auto git = open_transport(session_.clone->repo.git_dir(), [this] { return context_.interrupted(); });
    auto pulled = pull(*session_.clone, *session_.index, *git);
    if (!pulled && pulled.error().code == Code::interrupted) return fail(pulled.error());
    if (!pulled && pulled.error().code != Code::git) return fail(pulled.error());
    if (!pulled) {
        context_.ui.note(fmt::format("going on without others: {}", clean(pulled.error().message)));
    } else {
        tell_refresh(context_.ui, *pulled);
    }
    if (!first && options_.propose) TRY(propose_found());
    return {};
}

Result<void> Explorer::propose_found() {
    TRY_ASSIGN(bool remote, has_remote(*session_.clone));
    if (!remote) return {};
    auto git = open_transport(session_.clone->repo.git_dir(), [this] { return context_.interrupted(); });
    auto sent = propose(*session_.clone, *session_.index, *git, {});
    if (!sent && sent.error().code == Code::git) {
        context_.ui.note(fmt::format("kept for later: {}", clean(sent.error().message)));
        return {};
    }
    if (!sent) return fail(sent.error());
    tell_proposed(context_.ui, *sent);
    return {};
}

bool Explorer::allowed_to_run() {
    if (options_.while_command.empty()) return true;
    if (clock_.now_s() - asked_s_ < kAskEvery_s) return allowed_;
    allowed_ = ask(options_.while_command, clock_, [this] { return context_.interrupted(); });
    asked_s_ = clock_.now_s();
    return allowed_;
}

Result<bool> Explorer::wait_until_allowed(int done) {
    if (!options_.while_command.empty()) asked_s_ = -1e9;  // asked before each run, whenever it was asked last
    for (bool told = false; !allowed_to_run(); told = true) {
        if (!told) context_.ui.note(fmt::format("waiting until '{}' says yes", options_.while_command));
        double until_s = clock_.now_s() + kAskEvery_s;
        while (clock_.now_s() < until_s && !context_.interrupted())
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        TRY_ASSIGN(bool more, worth_another(done));
        if (!more) return false;
    }
    return true;
}

// main may have moved since the last time: the seeds are read again.
Result<History> Explorer::history() {
    TRY_ASSIGN(std::vector<Seed> seeds, read_seeds(*session_.clone));
    return read_history(session_, seeds, category_);
}

// A cross or an import that a person made here and nobody ran yet comes first.
std::optional<PlannedRun> Explorer::waiting_by_hand(const History& now) {
    for (const Known& known : now.candidates) {
        const bool is_cross = known.parents.size() == 2, is_import = known.parents.empty() && !known.seed;
        if ((!is_cross && !is_import) || known.rejected || known.in_flight || known.runs_anywhere > 0) continue;
        auto row = session_.index->candidate(known.candidate.id);
        if (!row || !*row || (*row)->commits.empty()) continue;
        auto branch =
            session_.clone->repo.ref("refs/heads/" + candidate_branch(known.candidate.id, (*row)->commits.front()));
        if (!branch || !*branch) continue;
        PlannedRun planned;
        planned.child = known.candidate;
        planned.parents = known.parents;
        planned.operator_name = is_cross ? kCross : kImport;
        planned.choice = is_cross ? fmt::format("cross: asked for by hand, of {} and {}", short_id(known.parents[0]),
                                                short_id(known.parents[1]))
                                  : "import: asked for by hand";
        return planned;
    }
    return std::nullopt;
}

Result<PlannedRun> Explorer::next_run() {
    TRY_ASSIGN(History now, history());
    PlannedRun planned;
    if (auto waiting = waiting_by_hand(now)) {
        planned = std::move(*waiting);
    } else {
        PlannerInput input;
        input.space = &session_.clone->task.space;
        input.task_id = session_.clone->task_id;
        input.history = &now;
        // Without --seed the draw follows from the writer and the records: another clone draws otherwise.
        std::string luck = options_.seed ? std::to_string(*options_.seed) : session_.clone->writer;
        input.seed =
            std::stoull(sha256_hex(fmt::format("plan {} {}", luck, now.trials.size())).substr(0, 16), nullptr, 16);
        input.cross = [this](const std::string& a, const std::string& b) -> Result<Candidate> {
            TRY_ASSIGN(CandidateCommit one, session_.index->commit_of(a));
            TRY_ASSIGN(CandidateCommit two, session_.index->commit_of(b));
            TRY_ASSIGN(Cross made, session_.index->lineage().cross_of(one.oid, two.oid));
            return made.child;
        };
        TRY_ASSIGN(Plan plan, plan_next(input));
        planned.child = std::move(plan.child);
        planned.parents = std::move(plan.parents);
        planned.operator_name = std::move(plan.operator_name);
        planned.choice = std::move(plan.choice);
    }
    TRY_ASSIGN(planned.replicate, session_.index->replicates(planned.child.id));
    planned.category = category_;
    planned.budget_s = budget_s_;
    planned.started = utc_text(std::time(nullptr));
    return planned;
}

RunHooks Explorer::hooks(const PlannedRun& planned, const History& now) {
    RunHooks hooks;
    hooks.on_step = [this, &planned](const RunCollector& collector) {
        const StepEvent& step = collector.steps().back();
        context_.ui.progress(fmt::format("run {}  {} {}  step {}  {:.1f}/{:g} s  loss {:.3f}", run_number_,
                                         planned.operator_name, short_id(planned.child.id), step.step, step.elapsed_s,
                                         planned.budget_s, step.train_loss));
    };
    bool may_stop = planned.replicate == 0 && planned.operator_name != "seed";
    if (may_stop) {
        hooks.hopeless = [rule = StoppingRule(now, planned.budget_s), &planned](const RunCollector& collector) {
            return rule.hopeless(planned.child.id, collector.curve());
        };
    }
    hooks.should_stop = [this] { return context_.interrupted() || !allowed_to_run(); };
    return hooks;
}

// A kill between the record and the end of its run leaves both.
Result<bool> Explorer::already_recorded(const PlannedRun& planned) {
    TRY_ASSIGN(std::vector<RunRow> rows, session_.index->runs(planned.child.id));
    return std::any_of(rows.begin(), rows.end(), [&](const RunRow& row) {
        return row.run.writer == session_.clone->writer && row.run.started == planned.started;
    });
}

Result<std::optional<ExploredRun>> Explorer::explore_once() {
    using Explored = std::optional<ExploredRun>;
    TRY_ASSIGN(std::optional<PlannedRun> planned, unfinished_run(session_));
    ++run_number_;
    TRY_ASSIGN(bool recorded, planned ? already_recorded(*planned) : Result<bool>(false));
    bool goes_on = planned && !recorded && planned->category == category_;
    if (goes_on) {
        context_.ui.note(fmt::format("run {}: going on with {}", run_number_, short_id(planned->child.id)));
    } else {
        TRY_ASSIGN(planned, next_run());
        context_.ui.note(fmt::format("run {}: {}", run_number_, clean(planned->choice)));
        Lease lease{session_.clone->task_id, planned->child.id,      category_,       budget_s_,
                    planned->replicate,      session_.clone->writer, planned->started};
        TRY(append_record(*session_.clone, lease));
        TRY(begin_run(session_, *planned));
    }
    TRY_ASSIGN(History now, history());
    TRY_ASSIGN(RunResult result, run_one(session_, *planned, *energy_, hooks(*planned, now)));
    context_.ui.clear_progress();
    if (result.stopped) {
        if (context_.interrupted())
            return fail(Code::interrupted, "stopped with a checkpoint; the next explore goes on from it");
        --run_number_;
        return Explored();
    }
    TRY_ASSIGN(ExploredRun explored, record(std::move(result)));
    return Explored(std::move(explored));
}

Result<ExploredRun> Explorer::record(RunResult result) {
    Run& run = result.run;
    bool judgeable = run.status == RunStatus::done || run.status == RunStatus::stopped;
    failures_in_a_row_ = run.status == RunStatus::failed ? failures_in_a_row_ + 1 : 0;
    if (judgeable) {
        TRY_ASSIGN(History now, history());
        now.trials.push_back(trial_of(run, true));
        Judgement judgement = judge(now, run.candidate, run.parents);
        run.decision = judgement.decision;
        run.reason = run.reason.empty() ? judgement.reason : run.reason + "; " + judgement.reason;
    }
    if (run.status == RunStatus::done && run.decision != Decision::reverted) TRY(keep(run, result.weights));
    ExploredRun explored;
    TRY_ASSIGN(explored.id, append_record(*session_.clone, run));
    TRY(end_run(session_));
    TRY(session_.index->refresh());
    if (run.decision == Decision::kept) {
        TRY_ASSIGN(CandidateCommit commit, session_.index->commit_of(run.candidate));
        TRY(ensure_candidate_branch(session_.clone->repo, commit));
        TRY(session_.index->refresh());
    }
    explored.run = std::move(run);
    return explored;
}

// A run that is not settled yet keeps its weights too: the next one may settle it.
Result<void> Explorer::keep(const Run& run, const std::optional<std::string>& weights) {
    return weights ? store_artifact(*session_.clone, run.artifact, *weights) : Result<void>();
}

}  // namespace cultivar
