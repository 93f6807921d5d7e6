#include "eval/judge/track_record.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace cultivar {

TrackRecord track_record_of(const std::vector<JudgedWork>& work, double budget_s, std::int64_t now_s) {
    constexpr std::int64_t kDay_s = 86400;
    constexpr double kAlike = 0.5;
    double valid = 0;
    std::map<std::int64_t, int> of_day;
    for (const JudgedWork& one : work) {
        if (one.result == VerdictResult::rejected) valid = 0;
        if (one.result != VerdictResult::accepted || !one.fresh || one.budget_s < kAlike * budget_s) continue;
        if (++of_day[one.at_s / kDay_s] > kMostPerDay) continue;
        valid += std::exp2(-static_cast<double>(std::max<std::int64_t>(0, now_s - one.at_s)) / kHalfLife_s);
    }
    return {true, static_cast<int>(std::lround(std::floor(valid + 1e-9)))};
}

KeyStanding standing_of(const std::vector<JudgedWork>& work) {
    const double fade = std::exp2(-1 / kHalfLifeVerdicts);
    double good = 0;
    bool bad = false;
    for (const JudgedWork& one : work) {
        good *= fade;
        if (one.result == VerdictResult::rejected) good = 0, bad = true;
        if (one.result == VerdictResult::accepted && one.fresh) ++good, bad = false;
    }
    return good >= 0.5 ? KeyStanding::proven : bad ? KeyStanding::doubtful : KeyStanding::unknown;
}

}  // namespace cultivar
