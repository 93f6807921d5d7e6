#include "pool/rules/record_checks.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "pool/types/candidate.h"
#include "pool/types/category.h"

namespace cultivar {
namespace {

tl::unexpected<Error> other_task() { return fail(Code::usage, "it belongs to another task", "", Reason::other_task); }

constexpr double kRelative = 1e-6;    // tolerance of figures that follow from each other
constexpr double kGrace_s = 30;       // of a command beyond its limit: to leave, and on a busy machine
constexpr double kMaxOverrun = 1.25;  // a busy machine may be slow in the last step

bool close_to(double a, double b) { return std::abs(a - b) <= kRelative * std::max(std::abs(a), std::abs(b)); }

Result<void> check_content(const Task& task, const std::string& task_id, const std::string& record_task,
                           const std::string& toml, const std::string& id) {
    if (record_task != task_id) return other_task();
    TRY_ASSIGN(Candidate candidate, parse_canonical(task.space, task_id, toml));
    if (candidate.id != id)
        return fail(Code::corrupt, fmt::format("its configuration hashes to {}, not to its name {}",
                                               candidate.id.substr(0, 8), id.substr(0, 8)));
    return {};
}

// Categories ("cpu-600s-e11") are shown everywhere, so they are plain words.
Result<void> check_category(const std::string& category) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    bool good = !category.empty() && category.size() <= 64 && category.find_first_not_of(kAllowed) == std::string::npos;
    if (!good) return fail(Code::corrupt, "its category is not a plain word");
    if (is_misspelt(category_named(category)))
        return fail(Code::corrupt, fmt::format("its category {} is spelt otherwise than any machine's", category));
    return {};
}

Result<void> check_time_and_energy(const Run& run) {
    if (run.train_wall_s > run.wall_s + 1)
        return fail(Code::corrupt,
                    fmt::format("its training took {:.0f} s of {:.0f} s in all", run.train_wall_s, run.wall_s));
    if (run.wall_s > kMostBudgetsInAll * run.budget_s + kMostBesides_s)
        return fail(Code::corrupt, fmt::format("it took {:.0f} s on a budget of {:.0f} s", run.wall_s, run.budget_s));
    const double most = kMostPower_w * (std::max(run.wall_s, run.train_s) + 1);
    if (run.energy.joules > most)
        return fail(Code::corrupt, fmt::format("it took {:.3g} J in {:.0f} s, more than any machine draws",
                                               run.energy.joules, run.wall_s));
    if (auto wrong = wrong_in(run.energy, std::max(run.wall_s, run.train_s))) return fail(Code::corrupt, *wrong);
    return {};
}

// Scores compare only among runs of one budget.
Result<void> check_budget(const Run& run) {
    const Category category = category_named(run.category);
    if (!category.budget_s || close_to(run.budget_s, *category.budget_s)) return {};
    return fail(Code::corrupt, fmt::format("it ran on a budget of {} s, its category {} has {} s", run.budget_s,
                                           run.category, *category.budget_s));
}

Result<void> check_score(const Data& data, const Run& run) {
    if (run.chunk_loss_sums.size() != kScoreChunks) return fail(Code::corrupt, "it does not give its 64 chunk losses");
    if (!run.val_loss) return fail(Code::corrupt, "it does not give its val_loss");
    auto targets = static_cast<double>(data.slice_score.targets);
    double expected = *run.val_loss / std::numbers::ln2 * targets / static_cast<double>(data.slice_score.bytes);
    if (!close_to(*run.val_bpb, expected))
        return fail(Code::corrupt, fmt::format("val_bpb {:.6f} does not follow from val_loss {:.6f}: by the pool's "
                                               "tokens/bytes it would be {:.6f}",
                                               *run.val_bpb, *run.val_loss, expected));
    double sum = std::accumulate(run.chunk_loss_sums.begin(), run.chunk_loss_sums.end(), 0.0);
    if (!close_to(sum / targets, *run.val_loss))
        return fail(Code::corrupt, "its chunk losses do not add up to val_loss");
    if (run.artifact.empty()) return fail(Code::corrupt, "it names no artifact");
    if (std::ranges::any_of(run.trace_loss, [](double loss) { return loss < 0; }))
        return fail(Code::corrupt, "a loss in its trace is below 0");
    return {};
}

Result<void> check_cost(const UseCost& caps, const Run& run) {
    const double train_joules = run.energy.train_joules.value_or(0);
    if (train_joules > run.energy.joules && !close_to(train_joules, run.energy.joules))
        return fail(Code::corrupt, "its training took more joules than the whole run");
    const UseCost cost = use_cost(run);
    if (!knows_what_is_capped(cost, caps)) return fail(Code::corrupt, "it lacks a figure that the pool caps");
    if (auto over = over_cap(cost, caps)) return fail(Code::unfit, *over);
    return {};
}

}  // namespace

Result<void> check_run(const Task& task, const std::string& task_id, const Run& run, std::string_view owner) {
    TRY(check_content(task, task_id, run.task, run.toml, run.candidate));
    TRY(check_category(run.category));
    TRY(check_budget(run));
    if (run.writer != owner) return fail(Code::corrupt, fmt::format("it names '{}' as its writer", run.writer));
    if (run.seed != run_seed(run.candidate, run.replicate))
        return fail(Code::corrupt, "its seed is not the derived one");
    TRY(check_time_and_energy(run));
    if (run.status != RunStatus::done) return {};
    if (run.steps < 1 && !task.command) return fail(Code::corrupt, "it is scored but made no step");
    const bool own_limit = task.command && task.command->format > 1;
    const double most_s = own_limit ? limit_s(*task.command, run.budget_s) + kGrace_s : kMaxOverrun * run.budget_s + 1;
    if (run.train_s > most_s)
        return fail(Code::corrupt,
                    fmt::format("it trained {:.0f} s on a budget of {:.0f} s", run.train_s, run.budget_s));
    if (run.artifact_bytes > task.artifact_cap_bytes) return fail(Code::corrupt, "its artifact is over the cap");
    TRY(check_cost(task.caps, run));
    if (task.command && task.command->evaluator && run.artifact.empty())
        return fail(Code::corrupt, "it names no artifact, which the pool's evaluator scores");
    if (task.command) return {};  // nothing in the record can confirm its score
    if (!task.data) return fail(Code::usage, "the pool has no data yet");
    return check_score(*task.data, run);
}

bool may_lack_artifact(const Task& task) { return task.self_reported() && task.command->format > 1; }

void leave_out_undeclared(const Task& task, Run& run) {
    std::erase_if(run.metrics, [&](const auto& metric) {
        return !task.command ||
               std::ranges::find(task.command->metrics, metric.first, &NamedRule::name) == task.command->metrics.end();
    });
}

Result<void> check_claim(const Task& task, const std::string& task_id, const Claim& claim, std::string_view owner) {
    TRY(check_content(task, task_id, claim.task, claim.toml, claim.candidate));
    TRY(check_category(claim.category));
    if (claim.writer != owner) return fail(Code::corrupt, fmt::format("it names '{}' as its writer", claim.writer));
    if (claim.runs.empty()) return fail(Code::corrupt, "it names no runs");
    if (claim.artifact.empty() && !may_lack_artifact(task)) return fail(Code::corrupt, "it names no artifact");
    return {};
}

Result<void> check_note(const std::string& task_id, const std::string& of_task, std::string_view writer,
                        std::string_view owner) {
    if (of_task != task_id) return other_task();
    if (writer != owner) return fail(Code::corrupt, fmt::format("it names '{}' as its writer", writer));
    return {};
}

Result<void> check_lease(const Task& task, const std::string& task_id, const Lease& lease, std::string_view owner) {
    TRY(check_note(task_id, lease.task, lease.writer, owner));
    return lease.toml.empty() ? Result<void>() : check_content(task, task_id, lease.task, lease.toml, lease.candidate);
}

Result<void> check_record(const Task& task, const std::string& task_id, const Record& record, std::string_view owner) {
    if (auto* run = std::get_if<Run>(&record)) return check_run(task, task_id, *run, owner);
    if (auto* claim = std::get_if<Claim>(&record)) return check_claim(task, task_id, *claim, owner);
    if (auto* lease = std::get_if<Lease>(&record)) return check_lease(task, task_id, *lease, owner);
    const auto& retirement = std::get<Retirement>(record);
    return check_note(task_id, retirement.task, retirement.writer, owner);
}

}  // namespace cultivar
