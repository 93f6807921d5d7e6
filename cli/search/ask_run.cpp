#include "cli/search/ask_run.h"

#include "pool/util/utc_time.h"

namespace cultivar {

Result<LeasedRun> ask_run(Session& session, const Observer& observer, const Clock& clock, const PlanOptions& options) {
    TRY_ASSIGN(FileLock lock, lock_planning(observer, session));
    TRY(session.index->refresh());
    TRY_ASSIGN(const PlanningHistory now, planning_history(session, clock, options.category));
    TRY_ASSIGN(NextRun next, plan_run(session, clock, now.history, options));
    const std::int64_t begun = parse_utc(next.run.started).value_or(clock.unix_s());
    LeasedRun ask{std::move(next.run), lease_end(options.budget_s, begun)};
    TRY(save_ask(session, ask));
    TRY(lease(session, ask.planned));
    return ask;
}

}  // namespace cultivar
