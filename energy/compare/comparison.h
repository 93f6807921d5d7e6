// Two arms compared at one target: eight accountings with the ratio of the first arm to the second, and a verdict on each.
//
// A verdict says "lower" or "higher" only if the whole interval of the ratio lies on one side of 1. The interval has two parts:
// chance, over the repeats (energy/compare/ratio.h), and the bounds of measurements and factors, each moved in both arms at once
// (energy/compare/cost_model.h). The second part is no chance: more repeats do not shrink it, and its pieces add up.
// A repeat that never reached the target counts with all that it spent, which is a lower bound: then only the verdict that
// a lower bound can carry is given.
#pragma once

#include "energy/compare/cost_model.h"
#include "energy/compare/ratio.h"
#include "pool/util/result.h"

namespace cultivar {

enum class Finding { lower, higher, cannot_say };

// Why it cannot say.
enum class Doubt {
    none,
    one_repeat,  // an arm has fewer than two: no interval
    chance,      // more repeats may tell
    bounds,      // the bounds of measurements and factors alone reach across 1
    never_met,   // a repeat ended before the target, and the lower bound that it gives does not tell
    no_factor,   // energy without a factor
    no_idle,     // gross of energy without a measured idle power
    nothing,     // a repeat spent nothing of it
};

struct Judged {
    Accounting accounting{};
    double costs[2]{};  // geometric means over the repeats, as stated; J, g or L
    Range bounds[2]{};  // of them, each source at its bounds
    double ratio = 0;   // 0: unknown
    std::optional<LogRatio> chance{};
    double down = 0, up = 0;                       // by which the bounds of sources move the logarithm of the ratio
    double low = 0, high = 0;                      // of the ratio, with `chance`
    bool is_at_least = false, is_at_most = false;  // by repeats that never reached the target
    Finding finding = Finding::cannot_say;
    Doubt doubt = Doubt::none;
    std::optional<int> more{};  // repeats of each arm that would tell, with Doubt::chance and one_repeat
};

struct ScoreJudged {                    // of a target other than a score: the best verified losses there
    std::optional<double> losses[2]{};  // means; none: a repeat has no verified score there
    std::optional<LogRatio> chance{};   // of the plain difference
    Finding finding = Finding::cannot_say;
    std::optional<int> more{};
};

// A figure that is moved in both arms at once, and the first value on its way that changes the finding.
struct Flip {
    Accounting accounting{};
    SourceKind kind = SourceKind::idle;
    bool is_share = false;  // `from` and `to` are shares of idle joules, else multiples of the stated figures
    double from = 1, to = 1;
    Finding finding = Finding::cannot_say;  // there
    bool is_within_bounds = false;          // those of the figure; every share is
};

struct Comparison {
    Target target{};
    bool is_paired = false;
    std::vector<Judged> judged{};
    std::optional<ScoreJudged> score{};
    std::vector<Flip> flips{};
    std::vector<Tally> tallies[2]{};
    Lacks lacks[2]{};
    std::vector<std::string> unlike{};  // differences that forbid a comparison, a sentence each
    std::set<const Factor*> used{};
};

// The differences between the arms that make their figures incomparable.
std::vector<std::string> unlike(const Arm& first, const Arm& second);

// `factors` must outlive the result. Errors: usage (an arm without runs, a target of compute that no run tells).
Result<Comparison> compare_arms(const Arm& first, const Arm& second, const Target& target, const Factors& factors);

const char* name(Finding finding);  // "lower", "higher", "cannot say"

}  // namespace cultivar
