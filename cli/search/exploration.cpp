#include "cli/search/exploration.h"

#include <algorithm>
#include <set>
#include <thread>

#include "cli/runs/machine_category.h"
#include "cli/runs/specification.h"
#include "cli/search/processor_share.h"
#include "cli/search/shared_observer.h"

namespace cultivar {
namespace {

// Before anything runs. With jobs, of every device that one of them uses.
void learn_idle(SearchObserver& observer, const Clock& clock, const Session& session, const std::vector<Job>& jobs,
                const Exploration& shared) {
    const EnergyPlaces& places = shared.options.energy_places;
    std::vector<Settings> all = {session.settings};
    for (const Job& job : jobs) all.push_back(job.session.settings);
    std::set<std::string> told;
    for (const Settings& settings : all) {
        const EnergyPlan plan = plan_energy(places, energy_use(settings));
        for (const std::string& line : plan.notes) {
            if (told.insert(line).second) observer.note(line);
        }
        learn_idle_power(clock, places, plan, [&] { return observer.interrupted(); });
    }
}

Result<void> prepare(SearchObserver& observer, Worker& worker, Session& session, const std::vector<Job>& jobs,
                     Exploration& shared) {
    TRY(need_data(*session.clone));
    shared.budget_s = shared.options.budget_s.value_or(session.clone->task.budget_s);
    TRY_ASSIGN(const std::vector<std::string> gaps, worker.check());  // before anything is written
    for (const std::string& gap : gaps) observer.warn(gap);
    for (const Job& job : jobs) TRY(job.worker.check());  // each has its device
    TRY_ASSIGN(shared.category, machine_category(worker, observer, session, shared.budget_s));
    return {};
}

Result<void> run_loop(SearchObserver& observer, Worker& worker, const Clock& clock, Session& session,
                      Exploration& shared) {
    auto done = Explorer(observer, worker, clock, session, shared).loop();
    if (!done && done.error().code != Code::interrupted) shared.quota.close();
    return done;
}

// On a thread of its own, out of which nothing may be thrown.
Result<void> run_job(SearchObserver& observer, const Clock& clock, const Job& job, Exploration& shared) {
    try {
        return run_loop(observer, job.worker, clock, job.session, shared);
    } catch (const std::exception& error) {  // out of memory, say
        shared.quota.close();
        return fail(Code::io, error.what());
    }
}

// An error tells more than a stop.
Result<void> worst_of(const std::vector<Result<void>>& ends) {
    const auto failed =
        std::ranges::find_if(ends, [](const auto& end) { return !end && end.error().code != Code::interrupted; });
    if (failed != ends.end()) return *failed;
    const auto stopped = std::ranges::find_if(ends, [](const auto& end) { return !end; });
    return stopped == ends.end() ? Result<void>() : *stopped;
}

Result<void> run_jobs(SearchObserver& observer, const Clock& clock, const std::vector<Job>& jobs, Exploration& shared) {
    std::vector<Result<void>> ends(jobs.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        threads.emplace_back([&, i] {
            take_processor_share(i, jobs.size(), jobs[i].session.settings.threads.value);
            ends[i] = run_job(observer, clock, jobs[i], shared);
        });
    }
    threads.clear();  // waits for them
    return worst_of(ends);
}

}  // namespace

Result<void> explore(SearchObserver& told, Worker& worker, const Clock& clock, Session& session, ExploreOptions options,
                     const std::vector<Job>& jobs) {
    const double started_s = clock.now_s();
    SharedObserver observer(told);
    Meeting meeting(observer, clock, session, options.propose);
    RunQuota quota(options.runs);
    WaitTeller waits(observer, session.clone->state_dir);
    Exploration shared{std::move(options), started_s, meeting, quota, waits};
    TRY(meeting.pull());
    learn_idle(observer, clock, session, jobs, shared);
    TRY(prepare(observer, worker, session, jobs, shared));
    if (!jobs.empty()) meeting.share();
    shared.active = std::max(1, static_cast<int>(jobs.size()));
    auto done =
        jobs.empty() ? run_loop(observer, worker, clock, session, shared) : run_jobs(observer, clock, jobs, shared);
    const bool stopped = !done && done.error().code == Code::interrupted;
    if (stopped) TRY(meeting.push_after_stop());
    if (done || done.error().code == Code::unfit) TRY(meeting.push());
    return done;
}

}  // namespace cultivar
