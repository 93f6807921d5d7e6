#include "train/energy/slot_book.h"

#include <algorithm>
#include <cmath>

namespace cultivar {

namespace {

std::vector<MeasuredPower> by_domain(const std::vector<MeasuredPower>& drawn) {
    std::vector<MeasuredPower> sums;
    for (const MeasuredPower& one : drawn) {
        const auto same = std::ranges::find_if(
            sums, [&](const MeasuredPower& sum) { return sum.domain == one.domain && sum.method == one.method; });
        if (same == sums.end()) {
            sums.push_back(one);
            continue;
        }
        same->error = std::max(same->error, one.error);
        same->gross_joules += one.gross_joules;
        same->idle_joules += one.idle_joules;
    }
    return sums;
}

EnergyDomain in_slots(double from_unix_s, double seconds, const MeasuredPower& drawn) {
    EnergyDomain domain{drawn.domain, drawn.method, drawn.error, {}};
    constexpr auto kLength_s = static_cast<double>(kEnergySlot_s);
    const double end_s = from_unix_s + seconds;
    double start_s = std::floor(from_unix_s / kLength_s) * kLength_s;
    do {
        const double within_s = std::min(end_s, start_s + kLength_s) - std::max(from_unix_s, start_s);
        const double share = seconds > 0 ? within_s / seconds : 1;
        domain.slots.push_back(
            {static_cast<std::int64_t>(start_s), within_s, share * drawn.gross_joules, share * drawn.idle_joules});
        start_s += kLength_s;
    } while (start_s < end_s);
    return domain;
}

}  // namespace

void SlotBook::add(double from_unix_s, double seconds, const std::vector<MeasuredPower>& drawn) {
    Energy more;
    for (const MeasuredPower& one : by_domain(drawn)) {
        gross_joules_ += one.gross_joules;
        idle_joules_ += one.idle_joules;
        more.domains.push_back(in_slots(from_unix_s, seconds, one));
    }
    add_slots(slots_, more);
}

Energy SlotBook::energy(double seconds) const {
    Energy energy = slots_;
    take_totals(energy, seconds);
    return energy;
}

void take_totals(Energy& energy, double seconds) {
    double gross = 0, idle = 0, most = -1;
    for (const EnergyDomain& one : energy.domains) {
        double joules = 0;
        for (const EnergySlot& slot : one.slots) joules += slot.gross_joules, idle += slot.idle_joules;
        gross += joules;
        if (joules > most) most = joules, energy.method = one.method;
    }
    if (energy.domains.empty()) return;
    energy.joules = std::max(0.0, gross - idle);
    energy.idle_watts = seconds > 0 ? idle / seconds : 0;
}

}  // namespace cultivar
