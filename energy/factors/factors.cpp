#include "energy/factors/factors.h"

#include <algorithm>
#include <tuple>

namespace cultivar {
namespace {

// How well a factor's zone suits a machine's: 0 not at all, else the more the closer.
std::size_t closeness(const std::string& factor, const std::string& machine) {
    if (factor.empty()) return 1;
    const bool wider = machine.starts_with(factor) && machine.size() > factor.size() && machine[factor.size()] == '-';
    return factor == machine || wider ? 1 + factor.size() : 0;
}

}  // namespace

Factors::Factors(std::vector<Factor> factors)
    : factors_(std::move(factors)),
      has_series_(std::ranges::any_of(factors_, [](const Factor& one) { return one.series != nullptr; })) {}

// Series keep their place before constants of the same zone; a stable sort keeps the order of the file.
const std::vector<const Factor*>& Factors::ranked(FactorKind kind, const std::string& zone) const {
    const auto [found, fresh] = ranked_.try_emplace({kind, zone});
    std::vector<const Factor*>& best = found->second;
    if (!fresh) return best;
    std::vector<std::string> origins;
    for (const Factor& one : factors_) {
        if (std::ranges::find(origins, one.stated_in) == origins.end()) origins.push_back(one.stated_in);
        if (one.kind == kind && closeness(one.zone, zone) > 0) best.push_back(&one);
    }
    const auto rank = [&](const Factor* one) {
        const auto origin = std::ranges::find(origins, one->stated_in) - origins.begin();
        const auto far = -static_cast<std::ptrdiff_t>(closeness(one->zone, zone));
        return std::tuple(origin, far, one->series ? 0 : 1);
    };
    std::ranges::stable_sort(best, {}, rank);
    return best;
}

std::vector<const Factor*> Factors::series(FactorKind kind, const std::string& zone) const {
    std::vector<const Factor*> found;
    for (const Factor* one : ranked(kind, zone)) {
        const bool is_like_first =
            found.empty() || (one->zone == found.front()->zone && one->stated_in == found.front()->stated_in);
        if (one->series && is_like_first) found.push_back(one);
    }
    return found;
}

std::optional<FoundFactor> Factors::find(FactorKind kind, const std::string& zone, std::int64_t unix_s) const {
    for (const Factor* one : ranked(kind, zone)) {
        if (auto value = value_at(*one, unix_s)) return FoundFactor{one, *value};
    }
    return std::nullopt;
}

const FactorsAtOnce& Factors::at(const std::string& zone, std::int64_t unix_s) const {
    const std::int64_t quarter = has_series_ ? unix_s / kQuarter_s : 0;
    const auto [kept, fresh] = kept_[zone].try_emplace(quarter);
    if (fresh) {
        for (int kind = 0; kind < kFactorKinds; ++kind)
            kept->second[static_cast<std::size_t>(kind)] = find(static_cast<FactorKind>(kind), zone, unix_s);
    }
    return kept->second;
}

}  // namespace cultivar
