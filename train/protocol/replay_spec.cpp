#include "train/protocol/replay_spec.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pool/types/candidate.h"

namespace cultivar {
namespace {

bool is_clock(const std::vector<double>& readings_s) {
    return !readings_s.empty() && readings_s.front() == 0 && std::is_sorted(readings_s.begin(), readings_s.end());
}

}  // namespace

Result<Specification> replay_specification(const Space& space, const Run& run, const Specification& base) {
    if (!is_clock(run.trace_elapsed_s)) return fail(Code::corrupt, "its trace has no clock that could be replayed");
    if (run.trace_loss.size() != run.trace_elapsed_s.size()) {
        return fail(Code::corrupt, "its trace does not have one loss per step");
    }
    TRY_ASSIGN(Candidate candidate, parse_canonical(space, run.task, run.toml));
    Specification specification = base;
    specification.mode = Specification::Mode::replay;
    specification.genes = std::move(candidate.genes);
    specification.seed = run.seed;
    specification.budget_s = run.budget_s;
    specification.clock = run.trace_elapsed_s;
    return specification;
}

double trace_deviation(std::span<const double> recorded, std::span<const double> replayed) {
    const std::size_t steps = std::min(recorded.size(), replayed.size());
    if (steps == 0) return std::numeric_limits<double>::infinity();
    double worst = 0;
    for (std::size_t i = 0; i < steps; ++i) {
        worst = std::max(worst, std::abs(replayed[i] - recorded[i]) / std::abs(recorded[i]));
    }
    return worst;
}

}  // namespace cultivar
