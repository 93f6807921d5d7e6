#include "cli/energy/shift_report.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace cultivar {
namespace {

constexpr double kPerKwh = 1 / kJoulesPerKwh;

double delay_at(const Delays& delays, std::int64_t unix_s) {
    const auto after = std::ranges::upper_bound(delays, unix_s, {}, &Delay::from_unix_s);
    return after == delays.begin() ? delays.front().seconds : std::prev(after)->seconds;
}

// Joules in one stretch of time and one zone, as they were and as they would have been.
struct ShiftedSlot {
    const std::string& zone;
    std::int64_t start_s = 0, length_s = kQuarter_s;
    Range joules{};
    double delay_s = 0;
};

struct PricedBySeries {
    double value = 0;
    std::string unit{};
};

class Shifts {
public:
    explicit Shifts(const Factors& factors) : factors_(factors) {}

    void add(const ShiftedSlot& slot, ShiftReport& report) const {
        add(FactorKind::carbon_average, slot, report.carbon[kAverage]);
        add(FactorKind::carbon_marginal, slot, report.carbon[kMarginal]);
        const auto now = mean(FactorKind::price, slot, 0);
        if (now) add(FactorKind::price, slot, report.money[now->unit]);
    }

private:
    void add(FactorKind kind, const ShiftedSlot& slot, Saving& saving) const {
        const auto then = mean(kind, slot, slot.delay_s), now = mean(kind, slot, 0);
        if (!then || !now || then->unit != now->unit) return;
        const auto pue = factors_.find(FactorKind::pue, slot.zone, slot.start_s);
        const Range at_meter = pue ? slot.joules * pue->value.range : slot.joules;
        saving.saved += at_meter * kPerKwh * (then->value - now->value);
        saving.covered_joules += slot.joules.value;
    }
    // Over the slot as it would have been `earlier_s` before.
    std::optional<PricedBySeries> mean(FactorKind kind, const ShiftedSlot& slot, double earlier_s) const {
        const std::int64_t start_s = slot.start_s - static_cast<std::int64_t>(std::llround(earlier_s));
        const std::int64_t end_s = start_s + slot.length_s;
        PricedBySeries whole;
        for (std::int64_t at = start_s; at < end_s;) {
            const std::int64_t next = std::min(end_s, at - at % kQuarter_s + kQuarter_s);
            const auto found = factors_.find(kind, slot.zone, at);
            if (!found || !found->factor->series || found->value.is_gap) return std::nullopt;
            if (!whole.unit.empty() && whole.unit != found->factor->unit) return std::nullopt;
            whole.unit = found->factor->unit;
            whole.value +=
                found->value.range.value * static_cast<double>(next - at) / static_cast<double>(slot.length_s);
            at = next;
        }
        return whole;
    }

    const Factors& factors_;
};

}  // namespace

ShiftReport shift_report(const std::vector<ShiftedRun>& runs, const Factors& factors) {
    ShiftReport report;
    const Shifts shifts(factors);
    double by_joules = 0, by_runs = 0;
    for (const ShiftedRun& one : runs) {
        ++report.runs;
        by_runs += one.delays.back().seconds;
        for (const EnergyDomain& domain : one.run.energy.domains) {
            for (const EnergySlot& slot : domain.slots) {
                const double above = std::max(0.0, slot.gross_joules - slot.idle_joules);
                const ShiftedSlot shifted{one.run.zone, slot.start_unix_s, one.run.energy.slot_s,
                                          Range::within(above, domain.error), delay_at(one.delays, slot.start_unix_s)};
                report.joules += shifted.joules;
                by_joules += above * shifted.delay_s;
                shifts.add(shifted, report);
            }
        }
    }
    if (report.runs > 0) report.mean_delay_s = by_runs / report.runs;
    if (report.joules.value > 0) report.mean_delay_s = by_joules / report.joules.value;
    return report;
}

}  // namespace cultivar
