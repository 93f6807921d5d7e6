#include "cli/verify/claim_cost.h"

#include <algorithm>
#include <cmath>

#include "cli/runs/machine_category.h"
#include "cli/verify/claim_queue.h"
#include "eval/judge/audit_cost.h"
#include "pool/types/candidate.h"
#include "train/lm/config/lm_config.h"

namespace cultivar {
namespace {

constexpr int kMostVerdicts = 100;         // newest ones of this clone that are looked at
constexpr std::size_t kNearest = 8;        // measurements that an estimate rests on
constexpr double kUpper = 0.75;            // of what they say: models of the same work differ
constexpr double kLongestTraining = 1.25;  // budgets; intake refuses more
constexpr double kStepsBeyond = 2;         // a training ends with a whole step
constexpr double kTrainingPasses = 3;      // forward and backward, in forward passes
constexpr double kSlowest = 8;             // times slower than the benchmark, of large work
constexpr double kUsualSlowness = 4;
constexpr double kOverhead_s = 0.1;  // of a step or chunk, however small
constexpr int kMostDoublings = 3;

double upper(std::vector<double> costs) {
    const auto at = static_cast<std::ptrdiff_t>(kUpper * static_cast<double>(costs.size() - 1));
    std::nth_element(costs.begin(), costs.begin() + at, costs.end());
    return costs[static_cast<std::size_t>(at)];
}

double chunk_targets(const Task& task) { return static_cast<double>(task.data->slice_score.targets) / kScoreChunks; }

}  // namespace

Workload workload_of(const Task& task, const std::string& toml) {
    const auto candidate = parse_canonical(task.space, task.id(), toml);
    if (!candidate || !task.data) return {};
    const auto config = read_lm_config(candidate->genes, task.data->vocabulary);
    if (!config) return {};
    return {config->model.forward_flops_per_token(), static_cast<double>(config->tokens_per_step)};
}

std::optional<double> expected_seconds(const std::vector<MeasuredWork>& measured, double work, double speed) {
    if (measured.empty()) return std::nullopt;
    std::vector<MeasuredWork> near;
    for (const MeasuredWork& one : measured) {
        if (work > 0 && one.work > 0) near.push_back(one);
    }
    std::vector<double> said;
    if (near.empty()) {
        for (const MeasuredWork& one : measured) said.push_back(one.seconds);
        return upper(std::move(said));
    }
    std::ranges::stable_sort(near, {}, [&](const MeasuredWork& one) { return std::abs(std::log(one.work / work)); });
    near.resize(std::min(near.size(), kNearest));
    for (const MeasuredWork& one : near) {
        const double in_proportion = one.seconds * work / one.work;
        const bool larger = work > one.work && speed > 0;  // overheads do not grow with the work
        said.push_back(larger ? std::min(in_proportion, one.seconds + kSlowest * work / speed) : in_proportion);
    }
    return upper(std::move(said));
}

Result<CostBook> CostBook::of(Session& session) {
    CostBook book;
    const Task& task = session.clone->task;
    book.flops_per_s_ = known_speed(session).value_or(0);
    TRY_ASSIGN(const std::vector<OwnVerdict> verdicts, session.index->own_verdicts(kMostVerdicts));
    for (const auto& [toml, verdict] : verdicts) {
        const Workload work = workload_of(task, toml);
        for (const Check& check : verdict.checks) {
            if (!check.seconds || check.count < 1) continue;
            const double each_s = std::max(0.0, *check.seconds - kStart_s) / static_cast<double>(check.count);
            if (check.name == "slice") book.chunks_.push_back({work.forward_flops, each_s});
            if (check.name == "evaluator") book.evaluations_s_.push_back(*check.seconds);
            if (check.name == "rerun") book.seeds_s_.push_back(*check.seconds / static_cast<double>(check.count));
            if (check.name == "replay") book.steps_.push_back({work.forward_flops * work.step_tokens, each_s});
        }
    }
    return book;
}

JobSeconds CostBook::jobs_of(const Task& task, const QueuedClaim& one) const {
    const Run& run = *one.artifact_run();
    const Workload work = workload_of(task, run.toml);
    const double step_flops = work.forward_flops * work.step_tokens, targets = chunk_targets(task);
    const double passes_per_s = flops_per_s_ / kTrainingPasses;
    JobSeconds jobs;
    const auto chunk_s = expected_seconds(chunks_, work.forward_flops, flops_per_s_ / targets);
    const auto step_s = expected_seconds(steps_, step_flops, passes_per_s);
    jobs.measured = chunk_s.has_value();
    if (chunk_s) {
        jobs.target = *chunk_s / targets;
    } else {
        const double by_benchmark_s = kOverhead_s + kUsualSlowness * work.forward_flops * targets / flops_per_s_;
        const bool reckoned = work.forward_flops > 0 && flops_per_s_ > 0;
        const double said_s = reckoned ? by_benchmark_s : chunk_seconds(run, targets * kScoreChunks);
        const double least_s = kCheapShare * one.budget_s() / kScoreChunks, most_s = one.budget_s() / kUsualChunks;
        jobs.target = std::clamp(said_s, least_s, most_s) / targets;
    }
    if (step_s) {
        jobs.step = *step_s;
    } else if (step_flops > 0 && passes_per_s > 0) {
        jobs.step = std::min(kOverhead_s + kUsualSlowness * step_flops / passes_per_s, one.budget_s() / kFewestSteps);
    }
    const double score_s = jobs.measured ? jobs.target * targets * kScoreChunks : 0;  // else its words are no measure
    jobs.seed = kStart_s + std::max(kLongestTraining * one.budget_s(), kStepsBeyond * jobs.step) + score_s;
    return jobs;
}

// The run that a replay is made of, or all of them.
double CostBook::replays_s(const QueuedClaim& one) const {
    double all_s = 0, most_s = 0;
    for (const RunRow& row : one.runs) {
        const double known_s = one.jobs.step * replay_steps(row.run);
        const double run_s = kStart_s + (one.jobs.step > 0 ? known_s : kReplayShare * row.run.budget_s);
        all_s += run_s;
        most_s = std::max(most_s, run_s);
    }
    return one.plan.audit.extent == AuditExtent::sample ? most_s : all_s;
}

void CostBook::estimate(const Task& task, bool hold_out, QueuedClaim& one) const {
    one.expected_s = one.rerun_s = 0;
    const Run* run = one.artifact_run();
    if (!one.unsound.empty() || run == nullptr) return;
    if (task.command) return estimate_command(task, hold_out, one);
    if (!task.data) return;
    one.jobs = jobs_of(task, one);
    const auto targets = static_cast<double>(task.data->slice_score.targets);
    const ScoredParts parts = hold_out ? ScoredParts::slice_and_hold_out : ScoredParts::slice;
    const AuditCost effort = rescore_effort(*run, one.claim_s, targets, parts, one.plan.audit.extent);
    one.expected_s = (hold_out ? 2 : 1) * kStart_s +
                     one.jobs.target * chunk_targets(task) * (effort.slice_chunks + effort.hold_out_chunks);
    if (one.impact.best)
        one.expected_s += kStart_s + one.jobs.target * static_cast<double>(task.data->full_score.targets);
    if (one.plan.audit.tier >= Tier::replay) one.expected_s += replays_s(one);
    one.rerun_s = seeds_due(task, one) * one.jobs.seed;
}

// By this clone's own measurements, else by the claim's words up to the command's limit: a job that takes longer than that
// by far is cut off, and its seconds are held against its key (cli/verify/claim_order.h).
void CostBook::estimate_command(const Task& task, bool hold_out, QueuedClaim& one) const {
    const double most_s = limit_s(*task.command, one.budget_s());
    const double said_s = one.claim_s / static_cast<double>(std::max<std::size_t>(1, one.runs.size()));
    one.jobs.measured = !seeds_s_.empty();
    one.jobs.seed = kStart_s + std::min(most_s, seeds_s_.empty() ? kLongestTraining * said_s : upper(seeds_s_));
    if (task.command->evaluator) {
        const double limit = task.command->evaluator->limit_s.value_or(most_s);
        const double once_s = evaluations_s_.empty() ? std::min(limit, kStart_s + said_s) : upper(evaluations_s_);
        one.expected_s = hold_out && task.takes_hold_out() ? 2 * once_s : once_s;
    }
    one.rerun_s = seeds_due(task, one) * one.jobs.seed;
}

double job_limit_s(const JobSeconds& jobs, double expected_s, int tries) {
    const double limit_s = kLeastJobLimit_s + kJobPatience * expected_s;
    const double twice = std::exp2(std::min(tries, kMostDoublings));
    return (jobs.measured ? limit_s : std::max(limit_s, kUnmeasuredLimit_s)) * twice;
}

}  // namespace cultivar
