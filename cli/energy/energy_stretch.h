// Energy as the index tells it, in the words of accounting.
#pragma once

#include <algorithm>

#include "energy/accounting/account.h"
#include "pool/index/rows.h"

namespace cultivar {

// Without its zone, which the group of the part tells. Gross holds as much as above idle where no idle power was measured.
inline EnergyStretch stretch_of(const EnergyPart& part) {
    EnergyStretch stretch;
    stretch.start_s = part.start_s, stretch.length_s = std::max(part.length_s, kQuarter_s);
    const Range above{part.above, part.above_low, part.above_high};
    stretch.joules[kAboveIdle] = above;
    stretch.joules[kGross] = part.gross_known ? Range{part.gross, part.gross_low, part.gross_high} : above;
    if (!part.gross_known) stretch.without_gross_joules = part.above;
    stretch.machine_s = part.seconds;
    return stretch;
}

}  // namespace cultivar
