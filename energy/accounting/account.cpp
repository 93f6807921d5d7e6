#include "energy/accounting/account.h"

#include <algorithm>

namespace cultivar {
namespace {

constexpr double kBytesPerGb = 1e9, kSecondsPerYear = 365.25 * 86400, kGramsPerKg = 1000;

// One quarter of an hour, or one stretch with constant factors.
class Pricing {
public:
    Pricing(Account& account, const EnergyStretch& use, const Factors& factors, std::int64_t at_s, double share)
        : account_(account), use_(use), factors_(factors.at(use.zone, at_s)), share_(share) {}

    void price() {
        const FoundFactor* pue = use_.is_cooled ? find(FactorKind::pue) : nullptr;
        if (pue) pue_ = pue->value.range;
        for (const MachineAxis axis : {kAboveIdle, kGross}) {
            account_.joules[axis] += use_.joules[axis] * share_;
            take(FactorKind::carbon_average, pue_, axis, account_.carbon_g[kAverage][axis]);
            take(FactorKind::carbon_marginal, pue_, axis, account_.carbon_g[kMarginal][axis]);
            take(FactorKind::water_off_site, pue_, axis, account_.water_off_l[axis]);
            if (use_.is_cooled) take(FactorKind::water_on_site, Range::exactly(1), axis, account_.water_on_l[axis]);
            take_money(axis);
        }
        account_.without_gross_joules += use_.without_gross_joules * share_;
        take_embodied();
    }

private:
    // Null: none.
    const FoundFactor* find(FactorKind kind) {
        const auto& found = factors_[static_cast<std::size_t>(kind)];
        if (found) account_.used.insert(found->factor);
        return found ? &*found : nullptr;
    }
    void take(FactorKind kind, const Range& scale, MachineAxis axis, Sum& sum) {
        const Range joules = use_.joules[axis] * share_;
        const FoundFactor* found = find(kind);
        if (!found) {
            sum.unpriced_joules += joules.value;
            return;
        }
        sum.range += joules * (1 / kJoulesPerKwh) * scale * found->value.range;
        if (found->value.is_gap) sum.gap_joules += joules.value;
    }
    void take_money(MachineAxis axis) {
        if (const FoundFactor* found = find(FactorKind::price)) {
            take(FactorKind::price, pue_, axis, account_.money[axis][found->factor->unit]);
        } else if (axis == kAboveIdle) {
            account_.without_price_joules += use_.joules[axis].value * share_;
        }
    }
    void take_embodied() {
        const double reserved_s = use_.machine_s * share_;
        account_.machine_s += reserved_s;
        if (reserved_s <= 0) return;
        const FoundFactor* found = find(FactorKind::embodied);
        if (!found) {
            account_.unpriced_s += reserved_s;
            return;
        }
        const double part = reserved_s / (found->factor->life_years * kSecondsPerYear);
        account_.embodied_g += found->value.range * (kGramsPerKg * part);
    }

    Account& account_;
    const EnergyStretch& use_;
    const FactorsAtOnce& factors_;
    const double share_;
    Range pue_ = Range::exactly(1);
};

}  // namespace

Sum& Sum::operator+=(const Sum& other) {
    range += other.range;
    unpriced_joules += other.unpriced_joules;
    gap_joules += other.gap_joules;
    return *this;
}

Account& Account::operator+=(const Account& other) {
    for (const MachineAxis axis : {kAboveIdle, kGross}) {
        joules[axis] += other.joules[axis];
        for (const GridAxis grid : {kAverage, kMarginal}) carbon_g[grid][axis] += other.carbon_g[grid][axis];
        water_on_l[axis] += other.water_on_l[axis];
        water_off_l[axis] += other.water_off_l[axis];
        for (const auto& [currency, sum] : other.money[axis]) money[axis][currency] += sum;
    }
    without_gross_joules += other.without_gross_joules;
    without_price_joules += other.without_price_joules;
    machine_s += other.machine_s;
    unpriced_s += other.unpriced_s;
    embodied_g += other.embodied_g;
    used.insert(other.used.begin(), other.used.end());
    return *this;
}

void add_use(Account& account, const EnergyStretch& use, const Factors& factors) {
    const std::int64_t quarters = factors.has_series() ? std::max<std::int64_t>(1, use.length_s / kQuarter_s) : 1;
    for (std::int64_t i = 0; i < quarters; ++i)
        Pricing(account, use, factors, use.start_s + i * kQuarter_s, 1.0 / static_cast<double>(quarters)).price();
}

std::optional<Range> network_joules(double bytes, const Factors& factors, Account& account) {
    const auto found = factors.find(FactorKind::network, "", 0);
    if (!found) return std::nullopt;
    account.used.insert(found->factor);
    return found->value.range * (bytes / kBytesPerGb * kJoulesPerKwh);
}

}  // namespace cultivar
