#include "eval/judge/structure_check.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "pool/types/candidate.h"
#include "pool/types/category.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr const char* kTokensGene = "data.tokens_per_step";
constexpr double kBudgetRounding = 1e-6;

Result<void> check_tokens(const Space& space, const Run& run) {
    if (run.tokens == 0) return {};
    TRY_ASSIGN(const Candidate candidate, parse_canonical(space, run.task, run.toml));
    const auto gene = candidate.genes.find(kTokensGene);
    const auto* const a_step = gene == candidate.genes.end() ? nullptr : std::get_if<std::int64_t>(&gene->second);
    if (a_step == nullptr || run.tokens == run.steps * *a_step) return {};
    return fail(Code::corrupt, fmt::format("it trained on {} tokens in {} steps, its configuration takes {} a step",
                                           run.tokens, run.steps, *a_step));
}

Result<void> check_trace(const Run& run) {
    const std::vector<double>& clock = run.trace_elapsed_s;
    if (clock.size() != run.trace_loss.size()) return fail(Code::corrupt, "its trace has not one loss for each step");
    if (clock.empty()) return {};
    if (clock.size() > static_cast<std::size_t>(std::min<std::int64_t>(run.steps, kTraceSteps)))
        return fail(Code::corrupt, fmt::format("its trace has {} steps, more than it made or may tell", clock.size()));
    if (clock.front() != 0 || !std::is_sorted(clock.begin(), clock.end()) || clock.back() > run.train_s)
        return fail(Code::corrupt, "its trace has a clock that none could show");
    if (std::any_of(run.trace_loss.begin(), run.trace_loss.end(), [](double loss) { return loss < 0; }))
        return fail(Code::corrupt, "its trace has a loss below 0");
    return {};
}

Result<void> check_curve(const Run& run) {
    const auto back = std::adjacent_find(run.curve.begin(), run.curve.end(), [](const auto& a, const auto& b) {
        return b.step <= a.step || b.elapsed_s < a.elapsed_s;
    });
    if (back != run.curve.end()) return fail(Code::corrupt, "its curve goes back in time");
    if (!run.curve.empty() && run.curve.back().step > run.steps)
        return fail(Code::corrupt, "its curve goes beyond its last step");
    return {};
}

}  // namespace

bool is_replayable(const Run& run) {
    return !run.trace_loss.empty() &&
           run.trace_loss.size() == static_cast<std::size_t>(std::min<std::int64_t>(run.steps, kTraceSteps));
}

Result<void> check_structure(const Space& space, const Run& run) {
    TRY(check_tokens(space, run));
    TRY(check_trace(run));
    return check_curve(run);
}

Result<void> check_budget(const Run& run, double pool_budget_s) {
    const double budget_s = budget_of(category_named(run.category), pool_budget_s);
    if (std::abs(run.budget_s - budget_s) <= kBudgetRounding * budget_s) return {};
    return fail(Code::corrupt,
                fmt::format("it ran on a budget of {} s, runs of its category have {} s", run.budget_s, budget_s));
}

Result<void> check_weights(const Run& run, std::string_view weights) {
    if (static_cast<std::int64_t>(weights.size()) != run.artifact_bytes)
        return fail(Code::corrupt,
                    fmt::format("its artifact has {} bytes, its record says {}", weights.size(), run.artifact_bytes));
    if (sha256_hex(weights) != run.artifact) return fail(Code::corrupt, "its artifact has another digest than it says");
    return {};
}

}  // namespace cultivar
