#include "cli/search/explorer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"
#include "cli/runs/specification.h"
#include "cli/search/run_recorder.h"
#include "cli/session/lifted_failures.h"
#include "pool/sync/propose.h"
#include "pool/sync/pull.h"

namespace cultivar {
namespace {

constexpr double kPullEvery_s = 30 * 60;
constexpr double kAskEvery_s = 30;
constexpr double kLook_s = 0.1;  // while it waits
constexpr std::size_t kMaxFailuresInARow = 3;

}  // namespace

Result<void> Explorer::prepare() {
    TRY(need_data(*session_.clone));
    if (options_.proposer) proposer_.emplace(*options_.proposer, [this] { return observer_.interrupted(); });
    budget_s_ = options_.budget_s.value_or(session_.clone->task.budget_s);
    TRY_ASSIGN(const std::vector<std::string> gaps, worker_.check());  // before anything is written
    for (const std::string& gap : gaps) observer_.warn(gap);
    TRY_ASSIGN(category_, machine_category(worker_, observer_, session_, budget_s_));
    const int threads = session_.settings.threads.value;
    const double watts = session_.settings.watts.value;
    energy_ = std::make_unique<EnergyMeter>(clock_, threads, watts > 0 ? std::optional(watts) : std::nullopt);
    if (energy_->measures()) {
        energy_->start();
        clock_.sleep_s(1);
        energy_->stop();
        energy_->learn_idle();
    }
    return {};
}

Result<void> Explorer::loop() {
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
        if (!*explored) continue;  // not allowed just now: the run waits with a checkpoint
        observer_.run_recorded(**explored);
        ++done;
        TRY(check_failures());
    }
    if (options_.propose) TRY(propose_found());
    return {};
}

// Candidates fail for reasons of their own; a machine fails with every candidate. Failures that turn out to be the
// machine's are held against no candidate here.
Result<void> Explorer::check_failures() {
    const bool was_control = std::exchange(control_, false) && !failures_in_a_row_.empty() &&
                             failures_in_a_row_.back().run.operator_name == "replicate";
    if (failures_in_a_row_.size() < kMaxFailuresInARow) return {};
    if (!was_control && scored_here_) return control_ = true, Result<void>();
    const std::string& reason = failures_in_a_row_.back().run.reason;
    const std::string hint = "cultivar show " + short_id(failures_in_a_row_.back().run.candidate);
    if (!was_control)
        return fail(Code::io, fmt::format("the last {} runs failed: {}", failures_in_a_row_.size(), reason), hint);
    std::vector<std::string> records;
    for (const ExploredRun& failure : failures_in_a_row_) records.push_back(failure.id);
    TRY(lift_failures(session_, records));
    return fail(Code::io,
                fmt::format("the last {} runs failed, also {}, which scored here before: the machine is at fault, and "
                            "no candidate is blamed: {}",
                            records.size(), short_id(failures_in_a_row_.back().run.candidate), reason),
                hint);
}

Result<bool> Explorer::worth_another(int done) const {
    if (observer_.interrupted()) return fail(Code::interrupted, "interrupted; the next explore goes on from here");
    if (options_.runs && done >= *options_.runs) return false;
    return !options_.for_s || clock_.now_s() - started_s_ < *options_.for_s;
}

// Offline is normal: it goes on and sends later.
Result<void> Explorer::meet_others(bool first) {
    pulled_s_ = clock_.now_s();
    now_.reset();
    TRY_ASSIGN(bool remote, has_remote(*session_.clone));
    if (!remote) return {};
    auto git = open_transport(session_.clone->repo.git_dir(), [this] { return observer_.interrupted(); });
    auto pulled = pull(*session_.clone, *session_.index, *git);
    if (!pulled && pulled.error().code == Code::interrupted) return fail(pulled.error());
    if (!pulled && pulled.error().code != Code::git) return fail(pulled.error());
    if (!pulled) {
        observer_.offline(pulled.error().message);
    } else {
        observer_.pulled(*pulled);
    }
    if (!first && options_.propose) TRY(propose_found());
    return {};
}

Result<void> Explorer::propose_found() {
    TRY_ASSIGN(bool remote, has_remote(*session_.clone));
    if (!remote) return {};
    auto git = open_transport(session_.clone->repo.git_dir(), [this] { return observer_.interrupted(); });
    auto sent = propose(*session_.clone, *session_.index, *git, {});
    if (!sent && sent.error().code == Code::git) {
        observer_.not_proposed(sent.error().message);
        return {};
    }
    if (!sent) return fail(sent.error());
    observer_.proposed(*sent);
    return {};
}

bool Explorer::allowed_to_run() {
    if (!options_.allowed) return true;
    if (clock_.now_s() - asked_s_ < kAskEvery_s) return allowed_;
    allowed_ = options_.allowed();
    asked_s_ = clock_.now_s();
    return allowed_;
}

Result<bool> Explorer::wait_until_allowed(int done) {
    asked_s_ = -1e9;  // asked before each run, whenever it was asked last
    for (bool told = false; !allowed_to_run(); told = true) {
        if (!told) observer_.waiting();
        double until_s = clock_.now_s() + kAskEvery_s;
        while (clock_.now_s() < until_s && !observer_.interrupted()) clock_.sleep_s(kLook_s);
        TRY_ASSIGN(bool more, worth_another(done));
        if (!more) return false;
    }
    return true;
}

Result<void> Explorer::update_history() {
    TRY_ASSIGN(const RefreshReport came, session_.index->refresh());
    if (came.changed) now_.reset();
    TRY_ASSIGN(now_,
               now_ ? up_to_date(session_, clock_, std::move(*now_)) : planning_history(session_, clock_, category_));
    return {};
}

// Plans, leases and saves the run: all or nothing. The run itself is then in the history.
Result<PlannedRun> Explorer::begin_next() {
    TRY_ASSIGN(FileLock lock, lock_planning(observer_, session_));
    TRY(update_history());
    const PlanOptions options{.category = category_,
                              .budget_s = budget_s_,
                              .seed = options_.seed,
                              .proposer = proposer_ ? &*proposer_ : nullptr,
                              .control = control_};
    TRY_ASSIGN(NextRun next, plan_run(session_, clock_, now_->history, options));
    if (observer_.interrupted()) return fail(Code::interrupted, "interrupted before the next run began");
    const PlannedRun& planned = next.run;
    if (!planned.proposer.refused.empty())
        observer_.warn(fmt::format("{}: {}", planned.proposer.name, clean(planned.proposer.refused)));
    observer_.run_planned(run_number_, planned);
    TRY(lease(session_, planned));
    TRY(begin_run(session_, planned));
    mark_under_way(planned, now_->history);
    return std::move(next.run);
}

RunHooks Explorer::hooks(const PlannedRun& planned, const History& now) {
    RunHooks hooks;
    hooks.on_step = [this, &planned](const RunCollector& collector) {
        observer_.step_done(run_number_, planned, collector.steps().back());
    };
    bool may_stop = planned.replicate == 0 && planned.operator_name != "seed";
    if (may_stop) {
        hooks.hopeless = [rule = StoppingRule(now, planned.budget_s), &planned](const RunCollector& collector) {
            return rule.hopeless(planned.child.id, collector.curve());
        };
    }
    hooks.should_stop = [this] { return observer_.interrupted() || !allowed_to_run(); };
    return hooks;
}

Result<std::optional<ExploredRun>> Explorer::explore_once() {
    using Explored = std::optional<ExploredRun>;
    TRY_ASSIGN(std::optional<PlannedRun> planned, unfinished_run(session_));
    ++run_number_;
    TRY_ASSIGN(bool recorded, planned ? already_recorded(session_, *planned) : Result<bool>(false));
    const bool goes_on = planned && !recorded && planned->category == category_;
    if (goes_on) {
        observer_.run_resumed(run_number_, *planned);
        TRY_ASSIGN(now_, planning_history(session_, clock_, category_));
    } else {
        TRY_ASSIGN(planned, begin_next());
    }
    TRY_ASSIGN(RunResult result,
               execute_run(session_, worker_, clock_, *planned, *energy_, hooks(*planned, now_->history)));
    observer_.trainer_left();
    if (!result.killed.empty() || result.stopped) now_.reset();  // it stays under way
    if (!result.killed.empty()) {
        observer_.warn(fmt::format("{}: {}; once more", short_id(planned->child.id), clean(result.killed)));
        --run_number_;
        return Explored();
    }
    if (result.stopped) {
        if (observer_.interrupted())
            return fail(Code::interrupted, "stopped with a checkpoint; the next explore goes on from it");
        --run_number_;
        return Explored();
    }
    TRY_ASSIGN(ExploredRun explored, record(std::move(result)));
    return Explored(std::move(explored));
}

Result<ExploredRun> Explorer::record(RunResult result) {
    scored_here_ = std::ranges::any_of(
        now_->history.trials, [](const Trial& trial) { return trial.trusted && trial.status == RunStatus::done; });
    TRY_ASSIGN(ExploredRun explored, record_run(session_, clock_, std::move(result), now_));
    TRY(end_run(session_));
    if (explored.run.status != RunStatus::failed) failures_in_a_row_.clear();
    if (explored.run.status == RunStatus::failed) failures_in_a_row_.push_back(explored);
    return explored;
}

}  // namespace cultivar
