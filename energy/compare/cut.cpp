#include "energy/compare/cut.h"

#include <algorithm>
#include <limits>

namespace cultivar {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double amount_of(const SpentRun& run, TargetKind kind) {
    if (kind == TargetKind::compute) return run.flops.value_or(0);
    double joules = 0;
    for (const SpentUse& use : run.uses) joules += use.stretch.joules[kGross].value;
    return joules;
}

std::int64_t start_of(const Repeat& repeat) {
    return std::ranges::min_element(repeat.runs, {}, &SpentRun::start_s)->start_s;
}

// All runs up to `before`, and `part` of those after it up to `last`.
void weigh(Cut& cut, const Repeat& repeat, std::size_t before, std::size_t last, double part) {
    for (std::size_t i = 0; i < last; ++i) cut.weights[i] = i < before ? 1 : part;
    const auto seconds = [&](std::size_t runs) {
        return runs == 0 ? 0.0 : static_cast<double>(repeat.runs[runs - 1].end_s - start_of(repeat));
    };
    cut.elapsed_s = seconds(before) + part * (seconds(last) - seconds(before));
}

void cut_at_score(Cut& cut, const Repeat& repeat, double target) {
    double best = kNever;
    std::size_t record = 0;  // runs up to the record before
    for (std::size_t i = 0; i < repeat.runs.size(); ++i) {
        const double loss = repeat.runs[i].verified_loss.value_or(kNever);
        if (loss >= best) continue;
        if (loss <= target) {
            cut.is_reached = true;
            cut.best_loss = target;
            return weigh(cut, repeat, record, i + 1, best == kNever ? 1 : (best - target) / (best - loss));
        }
        best = loss, record = i + 1;
    }
    if (best < kNever) cut.best_loss = best;
    weigh(cut, repeat, repeat.runs.size(), repeat.runs.size(), 1);
}

void cut_at_sum(Cut& cut, const Repeat& repeat, const Target& target) {
    double sum = 0, best = kNever;
    for (std::size_t i = 0; i < repeat.runs.size(); ++i) {
        const double more = amount_of(repeat.runs[i], target.kind);
        const bool is_last = sum + more >= target.amount;
        if (!is_last || sum + more == target.amount)
            best = std::min(best, repeat.runs[i].verified_loss.value_or(kNever));
        if (best < kNever) cut.best_loss = best;
        if (is_last) {
            cut.is_reached = true;
            return weigh(cut, repeat, i, i + 1, more > 0 ? (target.amount - sum) / more : 1);
        }
        sum += more;
    }
    weigh(cut, repeat, repeat.runs.size(), repeat.runs.size(), 1);
}

}  // namespace

std::set<std::string> Arm::methods() const {
    std::set<std::string> found;
    for (const Repeat& repeat : repeats) {
        for (const SpentRun& run : repeat.runs) {
            for (const SpentUse& use : run.uses) {
                const bool measured = use.purpose == Purpose::search || use.purpose == Purpose::verification;
                if (measured && use.stretch.joules[kAboveIdle].value > 0) found.insert(use.method);
            }
        }
    }
    return found;
}

Cut cut_at(const Repeat& repeat, const Target& target) {
    Cut cut;
    cut.weights.assign(repeat.runs.size(), 0);
    if (repeat.runs.empty()) return cut;
    if (target.kind == TargetKind::score)
        cut_at_score(cut, repeat, target.amount);
    else
        cut_at_sum(cut, repeat, target);
    return cut;
}

std::optional<double> common_loss(const Arm& first, const Arm& second) {
    double worst = -kNever;
    for (const Arm* arm : {&first, &second}) {
        for (const Repeat& repeat : arm->repeats) {
            double best = kNever;
            for (const SpentRun& run : repeat.runs) best = std::min(best, run.verified_loss.value_or(kNever));
            worst = std::max(worst, best);
        }
    }
    return worst < kNever && worst > -kNever ? std::optional(worst) : std::nullopt;
}

}  // namespace cultivar
