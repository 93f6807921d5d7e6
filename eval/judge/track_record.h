// The track record of a key: how many of its runs were verified of late.
//
// A claim counts once, and only if it has a run that no earlier accepted claim of the key had: claiming a run again earns
// nothing. Runs of less than half the budget of the claim in question do not count, at most kMostPerDay claims of a day
// do, and each weighs half as much after kHalfLife_s: a record that was farmed in an hour, long ago or with runs of a
// second spares no claim a replay. A rejected claim ends all that was before it.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/judge/audit_policy.h"

namespace cultivar {

inline constexpr int kMostPerDay = 3;
inline constexpr double kHalfLife_s = 60 * 86400;
inline constexpr double kHalfLifeVerdicts = 4;

// A judged claim of the key.
struct JudgedWork {
    VerdictResult result = VerdictResult::inconclusive;
    std::int64_t at_s = 0;  // unix time of its newest verdict
    double budget_s = 0;    // the least of its runs
    bool fresh = false;     // has a run that no earlier accepted claim of the key named
};

// `work`: oldest verdict first. `budget_s`: of the claim that waits. Work dated after `now_s` has not decayed.
TrackRecord track_record_of(const std::vector<JudgedWork>& work, double budget_s, std::int64_t now_s);

enum class KeyStanding {
    proven,    // accepted claims of late, and none rejected since
    unknown,   // neither
    doubtful,  // a rejected claim, and none accepted since
};
// An accepted claim counts half as much after each kHalfLifeVerdicts verdicts on claims of the key, whenever they come: what
// was good once buys no place for any number of claims that earn nothing.
KeyStanding standing_of(const std::vector<JudgedWork>& work);

}  // namespace cultivar
