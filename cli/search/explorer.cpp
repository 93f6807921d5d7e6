#include "cli/search/explorer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/search/delayed_runs.h"
#include "cli/search/run_recorder.h"
#include "cli/session/lifted_failures.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr double kForEver_s = 1e18;
constexpr double kLook_s = 0.1;  // while it waits
constexpr std::size_t kMaxFailuresInARow = 3;
constexpr int kRecentRuns = 20;

}  // namespace

void Explorer::prepare_meter() {
    const Settings& settings = session_.settings;
    const EnergyPlaces& places = shared_.options.energy_places;
    SharedMachine* const machine = settings.jobs > 1 ? &shared_.machine : nullptr;
    energy_ = std::make_unique<EnergyMeter>(clock_, plan_energy(places, energy_use(settings)), kept_idle_powers(places),
                                            machine, settings.threads.value);
}

Result<void> Explorer::loop() {
    if (shared_.options.proposer)
        proposer_.emplace(*shared_.options.proposer, [this] { return observer_.interrupted(); });
    prepare_meter();
    auto done = run_all();
    if (number_) shared_.quota.put_back();
    number_.reset();
    --shared_.active;
    ++shared_.ended;
    return done;
}

Result<void> Explorer::run_all() {
    for (;;) {
        TRY_ASSIGN(bool more, worth_another());
        if (!more) return {};
        TRY_ASSIGN(bool allowed, wait_until_allowed());
        if (!allowed) return {};
        TRY_ASSIGN(const bool met, shared_.meeting.again_if_due());
        if (met) now_.reset();
        TRY_ASSIGN(const std::optional<ExploredRun> explored, explore_once());
        ++shared_.ended;
        if (!explored) continue;  // not allowed just now: the run waits with a checkpoint
        number_.reset();
        observer_.run_recorded(*explored);
        TRY(check_failures());
    }
}

// Candidates fail for reasons of their own; a machine fails with every candidate. Failures that turn out to be the
// machine's are held against no candidate here.
Result<void> Explorer::check_failures() {
    const bool was_control = std::exchange(control_, false) && !failures_in_a_row_.empty() &&
                             failures_in_a_row_.back().run.operator_name == "replicate";
    if (failures_in_a_row_.size() < kMaxFailuresInARow) return {};
    if (!was_control && scored_here_) return control_ = true, Result<void>();
    const std::string& reason = failures_in_a_row_.back().run.reason;
    const std::string hint = (session_.clone->task.command ? "cultivar show --output " : "cultivar show ") +
                             short_id(failures_in_a_row_.back().run.candidate);
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

Result<bool> Explorer::worth_another() {
    if (observer_.interrupted()) return fail(Code::interrupted, "interrupted; the next explore goes on from here");
    if (!number_) number_ = shared_.quota.take();
    if (!number_) return false;
    const auto& for_s = shared_.options.for_s;
    if (for_s && clock_.now_s() - shared_.started_s >= *for_s) return false;
    return fits_in_time();
}

double Explorer::seconds_left() const {
    return shared_.options.until_unix_s ? static_cast<double>(*shared_.options.until_unix_s - clock_.unix_s())
                                        : kForEver_s;
}

// By the longest of the newest runs here, scored and recorded; before the first one, by the budget. A run that has begun
// goes on in whatever time there is.
Result<double> Explorer::expected_run_s() {
    TRY(take_folder());
    TRY_ASSIGN(const std::optional<PlannedRun> begun, unfinished_run(session_, folder_->path()));
    if (begun && begun->category == shared_.category) return 0;
    TRY_ASSIGN(const std::vector<RunRow> rows, session_.index->newest_own_runs(shared_.category, kRecentRuns));
    double longest_s = 0;
    for (const RunRow& row : rows) {
        if (row.run.status == RunStatus::done && row.run.writer == session_.clone->writer)
            longest_s = std::max(longest_s, row.run.wall_s);
    }
    return longest_s > 0 ? longest_s : shared_.budget_s;
}

Result<bool> Explorer::fits_in_time() {
    if (!shared_.options.until_unix_s) return true;
    TRY_ASSIGN(const double run_s, expected_run_s());
    const double push_s = shared_.meeting.push_s(), left_s = std::max(0.0, seconds_left());
    if (left_s > push_s && run_s + push_s <= left_s) return true;
    if (shared_.told_end.exchange(true)) return false;
    observer_.note(fmt::format("no further run: one takes about {:.0f} s{}, and {:.0f} s are left until {}", run_s,
                               push_s > 0 ? fmt::format(" and a push {:.0f} s", push_s) : "", left_s,
                               utc_text(*shared_.options.until_unix_s)));
    return false;
}

bool Explorer::allowed_to_run() {
    if (!shared_.options.allowed) return true;
    if (clock_.now_s() - asked_s_ < permission_.again_s) return permission_.is_given;
    permission_ = shared_.options.allowed();
    asked_s_ = clock_.now_s();
    shared_.waits.take(permission_, clock_.unix_s());
    return permission_.is_given;
}

Result<bool> Explorer::wait_until_allowed() {
    asked_s_ = -1e9;                               // asked before each run, whenever it was asked last
    const std::int64_t begun_s = clock_.unix_s();  // a machine may sleep meanwhile
    bool was_refused = false;
    while (!allowed_to_run()) {
        was_refused = true;
        const double until_s = clock_.now_s() + permission_.again_s;
        while (clock_.now_s() < until_s && !observer_.interrupted()) clock_.sleep_s(kLook_s);
        TRY_ASSIGN(bool more, worth_another());
        if (!more) return false;
    }
    if (was_refused) waited_s_ += static_cast<double>(clock_.unix_s() - begun_s);
    return true;
}

void Explorer::note_delay(PlannedRun& planned) const {
    Delays& delays = planned.delays;
    if (waited_s_ == (delays.empty() ? 0 : delays.back().seconds)) return;
    if (delays.size() == kMostDelays) delays.pop_back();
    delays.push_back({clock_.unix_s(), waited_s_});
}

Result<void> Explorer::update_history() {
    TRY_ASSIGN(const RefreshReport came, session_.index->refresh());
    if (came.changed) now_.reset();
    TRY_ASSIGN(now_, now_ ? up_to_date(session_, clock_, std::move(*now_))
                          : planning_history(session_, clock_, shared_.category));
    return {};
}

// While there is nothing to try, the end of another loop's run may bring something.
Result<PlannedRun> Explorer::begin_next() {
    for (;;) {
        const int ended = shared_.ended;
        auto planned = plan_now();
        if (planned || planned.error().code != Code::unfit) return planned;
        --shared_.active;
        while (shared_.ended == ended && shared_.active > 0 && !observer_.interrupted()) clock_.sleep_s(kLook_s);
        ++shared_.active;
        if (observer_.interrupted()) return fail(Code::interrupted, "interrupted before the next run began");
        if (shared_.ended == ended) return planned;
    }
}

// Plans, leases and saves the run: all or nothing. The run itself is then in the history.
Result<PlannedRun> Explorer::plan_now() {
    const std::lock_guard one_of_us(shared_.planning);
    TRY_ASSIGN(FileLock lock, lock_planning(observer_, session_));
    TRY(update_history());
    const PlanOptions options{.category = shared_.category,
                              .budget_s = shared_.budget_s,
                              .seed = shared_.options.seed,
                              .proposer = proposer_ ? &*proposer_ : nullptr,
                              .control = control_};
    TRY_ASSIGN(NextRun next, plan_run(session_, clock_, now_->history, options));
    if (observer_.interrupted()) return fail(Code::interrupted, "interrupted before the next run began");
    PlannedRun& planned = next.run;
    note_delay(planned);
    if (!planned.proposer.refused.empty())
        observer_.warn(fmt::format("{}: {}", planned.proposer.name, clean(planned.proposer.refused)));
    observer_.run_planned(*number_, planned);
    TRY(lease(session_, planned));
    TRY(begin_run(session_, folder_->path(), planned));
    mark_under_way(planned, now_->history);
    return std::move(next.run);
}

RunHooks Explorer::hooks(const PlannedRun& planned, const History& now) {
    RunHooks hooks;
    hooks.on_step = [this, &planned](const RunCollector& collector) {
        observer_.step_done(*number_, planned, collector.steps().back());
    };
    bool may_stop = planned.replicate == 0 && planned.operator_name != "seed";
    if (may_stop) {
        hooks.hopeless = [rule = StoppingRule(now, planned.budget_s), &planned](const RunCollector& collector) {
            return rule.hopeless(planned.child.id, collector.curve());
        };
    }
    hooks.should_stop = [this] {
        return observer_.interrupted() || seconds_left() <= shared_.meeting.push_s() || !allowed_to_run();
    };
    return hooks;
}

// Others leave it alone until its run is recorded.
Result<void> Explorer::take_folder() {
    if (folder_) return {};
    TRY_ASSIGN(RunFolder folder, RunFolder::take(session_, shared_.category));
    folder_.emplace(std::move(folder));
    return {};
}

Result<PlannedRun> Explorer::next_or_unfinished() {
    TRY(take_folder());
    TRY_ASSIGN(std::optional<PlannedRun> planned, unfinished_run(session_, folder_->path()));
    TRY_ASSIGN(bool recorded, planned ? already_recorded(session_, *planned) : Result<bool>(false));
    if (!planned || recorded || planned->category != shared_.category) return begin_next();
    observer_.run_resumed(*number_, *planned);
    note_delay(*planned);
    TRY_ASSIGN(now_, planning_history(session_, clock_, shared_.category));
    return std::move(*planned);
}

Result<std::optional<ExploredRun>> Explorer::explore_once() {
    using Explored = std::optional<ExploredRun>;
    TRY_ASSIGN(const PlannedRun planned, next_or_unfinished());
    TRY_ASSIGN(RunResult result, execute_run(session_, folder_->path(), worker_, clock_, planned, *energy_,
                                             hooks(planned, now_->history)));
    observer_.trainer_left(*number_);
    for (const std::string& trouble : energy_->take_troubles()) observer_.warn(clean(trouble));
    if (!result.killed.empty() || result.stopped) now_.reset();  // it stays under way
    if (!result.killed.empty()) {
        observer_.warn(fmt::format("{}: {}; once more", short_id(planned.child.id), clean(result.killed)));
        return Explored();
    }
    if (result.stopped) {
        if (observer_.interrupted())
            return fail(Code::interrupted, "stopped with a checkpoint; the next explore goes on from it");
        return Explored();
    }
    TRY_ASSIGN(ExploredRun explored, record(std::move(result)));
    if (!planned.delays.empty()) {
        const std::lock_guard one_of_us(shared_.planning);
        TRY(add_delayed_run(session_.clone->state_dir, {explored.id, planned.delays}));
    }
    return Explored(std::move(explored));
}

Result<ExploredRun> Explorer::record(RunResult result) {
    scored_here_ = std::ranges::any_of(
        now_->history.trials, [](const Trial& trial) { return trial.trusted && trial.status == RunStatus::done; });
    TRY_ASSIGN(ExploredRun explored, record_run(session_, clock_, std::move(result), now_));
    TRY(end_run(folder_->path()));
    folder_.reset();
    if (explored.run.status != RunStatus::failed) failures_in_a_row_.clear();
    if (explored.run.status == RunStatus::failed) failures_in_a_row_.push_back(explored);
    return explored;
}

}  // namespace cultivar
