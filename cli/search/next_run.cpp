#include "cli/search/next_run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <fmt/format.h>

#include "bandit/policy/operator_bandit.h"
#include "cli/runs/ask_store.h"
#include "cli/runs/run_execution.h"
#include "cli/search/external_proposer.h"
#include "cli/session/history_loader.h"
#include "cli/session/lifted_failures.h"
#include "pool/clone/journal.h"
#include "pool/util/log.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr double kLockLook_s = 0.5, kLockWait_s = 120;
constexpr int kMostReads = 20;  // of a history that changes meanwhile

KnownCandidate& known_of(History& history, const Candidate& candidate, const std::vector<std::string>& parents) {
    auto found = std::ranges::find_if(history.candidates,
                                      [&](const KnownCandidate& known) { return known.candidate.id == candidate.id; });
    if (found != history.candidates.end()) return *found;
    history.candidates.push_back({.candidate = candidate, .parents = parents});
    return history.candidates.back();
}

Result<void> mark_unless_recorded(Session& session, const PlannedRun& planned, History& history) {
    if (planned.category != history.category) return {};
    TRY_ASSIGN(bool recorded, already_recorded(session, planned));
    if (!recorded) mark_under_way(planned, history);
    return {};
}

// Did a person change its source? No operator of the search does, but for a cross.
bool has_other_files(const History& now, const KnownCandidate& known) {
    if (known.parents.size() != 1) return false;
    const auto parent = std::ranges::find_if(
        now.candidates, [&](const KnownCandidate& one) { return one.candidate.id == known.parents[0]; });
    return parent != now.candidates.end() && parent->candidate.files != known.candidate.files;
}

// Candidates with a branch of this clone's own.
std::set<std::string> with_own_branch(const Session& session) {
    std::set<std::string> candidates;
    for (const Ref& ref : session.clone->repo.refs("refs/heads/candidates/").value_or(std::vector<Ref>())) {
        if (auto named = parse_candidate_branch(ref.name)) candidates.insert(std::move(named->first));
    }
    return candidates;
}

// A cross or an import that a person made here and that did not run yet comes first, whoever leases it.
std::optional<PlannedRun> waiting_by_hand(Session& session, const History& now) {
    const std::set<std::string> here_only = with_own_branch(session);
    const bool any_files =
        std::ranges::any_of(now.candidates, [](const KnownCandidate& known) { return !known.candidate.files.empty(); });
    for (const KnownCandidate& known : now.candidates) {
        if (known.rejected || known.held_here || !here_only.contains(known.candidate.id)) continue;
        const bool is_cross = known.parents.size() == 2,
                   is_import = (known.parents.empty() && !known.seed) || (any_files && has_other_files(now, known));
        if (!is_cross && !is_import) continue;
        auto row = session.index->candidate(known.candidate.id);
        if (!row || !*row) continue;
        const bool here = std::ranges::any_of((*row)->commits, [&](const Oid& commit) {
            auto branch = session.clone->repo.ref("refs/heads/" + candidate_branch(known.candidate.id, commit));
            return branch && branch->has_value();
        });
        if (!here || session.index->ran_here(known.candidate.id).value_or(true)) continue;
        PlannedRun planned;
        planned.child = known.candidate;
        planned.parents = known.parents;
        planned.operator_name = is_cross ? kCross : kImport;
        planned.choice = is_cross ? fmt::format("cross: asked for by hand, of {} and {}", short_id(known.parents[0]),
                                                short_id(known.parents[1]))
                                  : "import: asked for by hand";
        planned.by_hand = true;
        return planned;
    }
    return std::nullopt;
}

// Crosses pairs of candidates for a plan, which asks for many pairs of few candidates: each commit is looked up once.
class Crosser {
public:
    explicit Crosser(Index& index) : index_(index) {}
    Result<Candidate> operator()(const std::string& a, const std::string& b) {
        TRY_ASSIGN(const Oid one, commit_of(a));
        TRY_ASSIGN(const Oid two, commit_of(b));
        TRY_ASSIGN(Cross made, index_.lineage().cross_of(one, two));
        return made.child;
    }

private:
    Result<Oid> commit_of(const std::string& candidate) {
        if (auto found = commits_.find(candidate); found != commits_.end()) return found->second;
        TRY_ASSIGN(CandidateCommit commit, index_.commit_of(candidate));
        return commits_.emplace(candidate, std::move(commit.oid)).first->second;
    }

    Index& index_;
    std::map<std::string, Oid> commits_;
};

Result<NextRun> by_planner(Session& session, const History& now, const PlanOptions& options) {
    PlannerInput input;
    input.space = &session.clone->task.space;
    input.task_id = session.clone->task_id;
    input.history = &now;
    input.seed = plan_seed(options.seed ? std::to_string(*options.seed) : session.clone->writer, now.trials.size());
    input.cross = Crosser(*session.index);
    if (options.proposer) {
        input.external = options.proposer->operator_name();
        input.suggest = [&] { return options.proposer->suggest(session, now, options.budget_s); };
    }
    input.explain = options.explain;
    input.control = options.control;
    const auto started = std::chrono::steady_clock::now();
    TRY_ASSIGN(Plan plan, plan_next(input));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    log_debug("planner: {} by {} from {} candidates and {} runs, {:.3f} s", short_id(plan.child.id), plan.operator_name,
              now.candidates.size(), now.trials.size(), took.count());
    NextRun next;
    next.run.child = std::move(plan.child);
    next.run.parents = std::move(plan.parents);
    next.run.operator_name = std::move(plan.operator_name);
    next.run.choice = std::move(plan.choice);
    if (options.proposer) next.run.proposer = options.proposer->take_call();
    next.run.proposer.refused = std::move(plan.external_refused);
    next.why = std::move(plan.why);
    return next;
}

// Runs under way have numbers too: elsewhere the next one, here those of their plans.
Result<int> next_replicate(Session& session, const History& now, const std::string& candidate) {
    TRY_ASSIGN(int replicate, session.index->replicates(candidate));
    const bool elsewhere_too = std::ranges::any_of(now.candidates, [&](const KnownCandidate& known) {
        return (known.in_flight || known.leased) && known.candidate.id == candidate;
    });
    if (elsewhere_too) ++replicate;
    TRY_ASSIGN(const std::vector<PlannedRun> here, unfinished_runs(session));
    for (const PlannedRun& run : here) {
        if (run.child.id == candidate) replicate = std::max(replicate, run.replicate + 1);
    }
    return replicate;
}

}  // namespace

std::uint64_t plan_seed(const std::string& luck, std::size_t runs) {
    return std::stoull(sha256_hex(fmt::format("plan {} {}", luck, runs)).substr(0, 16), nullptr, 16);
}

void mark_under_way(const PlannedRun& planned, History& history) {
    KnownCandidate& known = known_of(history, planned.child, planned.parents);
    known.in_flight = known.held_here = true;
}

namespace {

Result<PlanningHistory> read_planning_history(Session& session, const Clock& clock, const std::string& category) {
    PlanningHistory now;
    // First: of a run that another job ends meanwhile, either the folder is seen or the record.
    TRY_ASSIGN(const std::vector<PlannedRun> unfinished, unfinished_runs(session));
    TRY(session.index->refresh());
    TRY_ASSIGN(now.index_version, session.index->version());  // a change while it is read is a change
    now.lifted_bytes = lifted_bytes(session);
    TRY_ASSIGN(std::vector<Seed> seeds, read_seeds(*session.clone));
    TRY_ASSIGN(now.history, read_history(session, seeds, category));
    TRY_ASSIGN(std::vector<LeasedRun> asks, open_asks(session));
    for (const LeasedRun& ask : asks) {
        if (ask.held(clock.unix_s())) TRY(mark_unless_recorded(session, ask.planned, now.history));
    }
    for (const PlannedRun& run : unfinished) TRY(mark_unless_recorded(session, run, now.history));
    return now;
}

}  // namespace

// Another loop of this clone may record its run meanwhile: the runs that were read before then lack it, and it is under way
// no more.
Result<PlanningHistory> planning_history(Session& session, const Clock& clock, const std::string& category) {
    for (int reads = 1;; ++reads) {
        TRY_ASSIGN(PlanningHistory now, read_planning_history(session, clock, category));
        TRY_ASSIGN(const std::int64_t version, session.index->version());
        if (version == now.index_version || reads == kMostReads) return now;
    }
}

Result<PlanningHistory> up_to_date(Session& session, const Clock& clock, PlanningHistory now) {
    TRY_ASSIGN(const std::int64_t version, session.index->version());
    if (version == now.index_version && lifted_bytes(session) == now.lifted_bytes) return now;
    return planning_history(session, clock, now.history.category);
}

Result<NextRun> plan_run(Session& session, const Clock& clock, const History& now, const PlanOptions& options) {
    NextRun next;
    if (auto waiting = waiting_by_hand(session, now)) {
        next.run = std::move(*waiting);
    } else {
        TRY_ASSIGN(next, by_planner(session, now, options));
    }
    TRY_ASSIGN(next.run.replicate, next_replicate(session, now, next.run.child.id));
    next.run.category = options.category;
    next.run.budget_s = options.budget_s;
    next.run.started = utc_text(clock.unix_s());
    return next;
}

Result<FileLock> lock_planning(const Observer& observer, const Session& session) {
    const std::string path = session.clone->state_dir + "plan.lock", holder = fmt::format("pid {}", ::getpid());
    for (double waited_s = 0;; waited_s += kLockLook_s) {
        if (observer.interrupted()) return fail(Code::interrupted, "interrupted while another process planned its run");
        auto lock = FileLock::acquire(path, holder, kLockLook_s);
        if (lock || lock.error().code != Code::busy || waited_s >= kLockWait_s) return lock;
    }
}

Result<void> lease(const Session& session, const PlannedRun& planned) {
    TRY(append_record(*session.clone, Lease{session.clone->task_id, planned.child.id, planned.category,
                                            planned.budget_s, planned.replicate, session.clone->writer, planned.started,
                                            planned.child.toml, planned.parents}));
    return {};
}

}  // namespace cultivar
