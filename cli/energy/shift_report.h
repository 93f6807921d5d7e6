// What waiting for the grid saved: the energy of delayed runs in its quarters of an hour, against the same joules at the times at
// which the same runs would have been made without waiting.
//
// Both times are priced by series alone, never by constants: where a series lacks one of them, or has a gap there, the joules
// count as not covered and nothing is claimed of them. The saving may be below 0. Joules are above idle, since the machine was on
// either way. The bounds are those of the measured joules and of PUE; that of the series is unknown.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "energy/accounting/account.h"
#include "energy/when/delay.h"
#include "pool/types/record.h"

namespace cultivar {

struct ShiftedRun {
    Run run;
    Delays delays;  // one or more
};

struct Saving {
    Range saved{};              // grams, or money
    double covered_joules = 0;  // above idle, priced at both times
};

struct ShiftReport {
    int runs = 0;
    Range joules{};           // above idle
    double mean_delay_s = 0;  // by joules; without any, by runs
    Saving carbon[kGridAxes]{};
    std::map<std::string, Saving> money{};  // by "EUR/kWh"
};

ShiftReport shift_report(const std::vector<ShiftedRun>& runs, const Factors& factors);

}  // namespace cultivar
