#include "energy/compare/cost_model.h"

#include <algorithm>

namespace cultivar {
namespace {

// Highest mean over a quarter of an hour, as electricity meters count demand. Proposers and networks stand elsewhere.
class Peak {
public:
    void add(const SpentUse& use) {
        if (use.purpose == Purpose::proposer || use.purpose == Purpose::network) return;
        const std::int64_t quarters = std::max<std::int64_t>(1, use.stretch.length_s / kQuarter_s);
        const double joules = use.stretch.joules[kGross].value / static_cast<double>(quarters);
        for (std::int64_t i = 0; i < quarters; ++i) {
            double& sum = joules_[use.stretch.start_s / kQuarter_s + i];
            sum += joules;
            most_ = std::max(most_, sum);
        }
    }
    double watts() const { return most_ / static_cast<double>(kQuarter_s); }

private:
    std::map<std::int64_t, double> joules_{};
    double most_ = 0;
};

EnergyStretch exact(EnergyStretch stretch) {
    for (Range& joules : stretch.joules) joules = Range::exactly(joules.value);
    return stretch;
}

}  // namespace

CostModel::CostModel(const Arm& first, const Arm& second, const Target& target, const Factors& factors)
    : factors_(factors) {
    source(SourceKind::idle, "idle share", {});
    for (const std::size_t arm : {0, 1}) {
        for (const Repeat& repeat : (arm == 0 ? first : second).repeats) take(arm, repeat, cut_at(repeat, target));
    }
}

int CostModel::source(SourceKind kind, const std::string& name, const Range& range) {
    const auto [found, fresh] = numbers_.try_emplace({kind, name}, static_cast<int>(sources_.size()));
    if (fresh) sources_.push_back({.kind = kind, .name = name});
    Source& one = sources_[static_cast<std::size_t>(found->second)];
    one.value += range.value, one.low += range.low, one.high += range.high;
    return found->second;
}

void CostModel::take(std::size_t arm, const Repeat& repeat, const Cut& cut) {
    Tally tally{.is_reached = cut.is_reached, .best_loss = cut.best_loss, .elapsed_s = cut.elapsed_s, .flops = 0.0};
    Spent spent;
    Peak peak;
    for (std::size_t i = 0; i < repeat.runs.size(); ++i) {
        const SpentRun& run = repeat.runs[i];
        const double weight = cut.weights[i];
        if (weight <= 0) continue;
        tally.runs += weight;
        if (!run.flops) tally.flops.reset();
        if (tally.flops) *tally.flops += weight * *run.flops;
        for (const SpentUse& use : run.uses) {
            price(arm, tally, spent, use, weight);
            peak.add(use);
        }
    }
    tally.peak_w = peak.watts();
    arms_[arm].tallies.push_back(tally);
    arms_[arm].repeats.push_back(std::move(spent));
}

void CostModel::price(std::size_t arm, Tally& tally, Spent& spent, const SpentUse& use, double weight) {
    Account account;
    EnergyStretch stretch = exact(use.stretch);
    Range spread = use.stretch.joules[kGross];
    int meter = kNone;
    const bool is_network = use.purpose == Purpose::network;
    if (is_network) {
        tally.bytes += weight * use.bytes;
        const auto joules = network_joules(use.bytes, factors_, account);
        if (!joules) arms_[arm].lacks.unrouted_bytes += use.bytes;
        spread = joules.value_or(Range());
        stretch.is_cooled = false;
        for (Range& axis : stretch.joules) axis = Range::exactly(spread.value);
        tally.network_joules += weight * spread.value;
    }
    meter = source(is_network ? SourceKind::network : SourceKind::meter, is_network ? "network" : use.meter, spread);
    add_use(account, stretch, factors_);
    used_.insert(account.used.begin(), account.used.end());
    const auto pue = stretch.is_cooled ? factors_.find(FactorKind::pue, stretch.zone, stretch.start_s) : std::nullopt;
    const Range overhead = pue ? pue->value.range : Range::exactly(1);
    const double above = account.joules[kAboveIdle].value, gross = account.joules[kGross].value;
    const int cooling =
        pue && overhead.value > 1 ? source(SourceKind::pue, "PUE " + stretch.zone, overhead * (weight * gross)) : kNone;
    auto& terms = spent.terms[static_cast<int>(Measure::energy)];
    terms[{meter, cooling, kNone, kNone}] += weight * above * overhead.value;
    terms[{meter, cooling, kNone, 0}] += weight * (gross - above) * overhead.value;
    for (const MachineAxis axis : {kAboveIdle, kGross}) {
        const double joules = weight * account.joules[axis].value;
        tally.joules[axis] += joules;
        if (use.purpose == Purpose::verification) tally.verification_joules[axis] += joules;
    }
    tally.machine_s += weight * account.machine_s;
    tally.embodied_g += weight * account.embodied_g.value;
    arms_[arm].lacks.without_idle_joules += account.without_gross_joules;
    arms_[arm].lacks.unmade_s += account.unpriced_s;
    price_carbon(arm, use, account, weight, meter, spent);
    const Sum& water = account.water_off_l[kGross];
    arms_[arm].lacks.unpriced_joules[static_cast<int>(Measure::water)] +=
        std::max(water.unpriced_joules, is_network ? 0 : account.water_on_l[kGross].unpriced_joules);
    price_water(use, account, weight, meter, tally, spent);
}

void CostModel::price_carbon(std::size_t arm, const SpentUse& use, const Account& account, double weight, int meter,
                             Spent& spent) {
    for (const GridAxis grid : {kAverage, kMarginal}) {
        const auto measure = static_cast<int>(grid == kAverage ? Measure::carbon_average : Measure::carbon_marginal);
        const Sum& gross = account.carbon_g[grid][kGross];
        arms_[arm].lacks.unpriced_joules[measure] += gross.unpriced_joules;
        const std::string name = (grid == kAverage ? "average grid " : "marginal grid ") + use.stretch.zone;
        const int zone =
            source(SourceKind::grid, name + (arm == 0 ? " of the first" : " of the second"), gross.range * weight);
        const double above = account.carbon_g[grid][kAboveIdle].range.value;
        spent.terms[measure][{meter, zone, kNone, kNone}] += weight * above;
        spent.terms[measure][{meter, zone, kNone, 0}] += weight * (gross.range.value - above);
        if (account.embodied_g.value <= 0) continue;
        const int made = source(SourceKind::embodied, "embodied " + use.stretch.zone, account.embodied_g * weight);
        spent.terms[measure][{made, kNone, kNone, kNone}] += weight * account.embodied_g.value;
    }
}

void CostModel::price_water(const SpentUse& use, const Account& account, double weight, int meter, Tally& tally,
                            Spent& spent) {
    auto& terms = spent.terms[static_cast<int>(Measure::water)];
    const auto add = [&](const Sum(&sums)[kMachineAxes], const char* name, double(&into)[kMachineAxes]) {
        const Range& gross = sums[kGross].range;
        const int zone = source(SourceKind::water, name + use.stretch.zone, gross * weight);
        const double above = sums[kAboveIdle].range.value;
        terms[{meter, zone, kNone, kNone}] += weight * above;
        terms[{meter, zone, kNone, 0}] += weight * (gross.value - above);
        into[kAboveIdle] += weight * above, into[kGross] += weight * gross.value;
    };
    add(account.water_on_l, "water on site ", tally.water_on_l);
    add(account.water_off_l, "water off site ", tally.water_off_l);
}

CostModel::Moved CostModel::as_stated(MachineAxis machine) const {
    Moved moved(sources_.size(), 1);
    if (machine == kGross) return moved;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (sources_[i].kind == SourceKind::idle || sources_[i].kind == SourceKind::embodied) moved[i] = 0;
    }
    return moved;
}

std::vector<double> CostModel::costs(std::size_t arm, Measure measure, const Moved& moved) const {
    std::vector<double> costs;
    for (const Spent& spent : arms_[arm].repeats) {
        double sum = 0;
        for (const auto& [rests, amount] : spent.terms[static_cast<int>(measure)]) {
            double product = amount;
            for (const int one : rests) {
                if (one != kNone) product *= moved[static_cast<std::size_t>(one)];
            }
            sum += product;
        }
        costs.push_back(sum);
    }
    return costs;
}

bool CostModel::rests_on(std::size_t arm, Measure measure, std::size_t source) const {
    return std::ranges::any_of(arms_[arm].repeats, [&](const Spent& spent) {
        return std::ranges::any_of(spent.terms[static_cast<int>(measure)], [&](const auto& term) {
            return term.second != 0 && std::ranges::count(term.first, static_cast<int>(source)) > 0;
        });
    });
}

}  // namespace cultivar
