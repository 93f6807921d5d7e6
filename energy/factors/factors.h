// The factors that apply: those of the user's energy.toml, then the built-in ones.
//
// Of one origin, a factor of the machine's zone goes before one of a wider zone ("DE-BY", then "DE"), and that before one
// without a zone; a series before a constant. Another origin is asked where the first has nothing for the zone and the moment.
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "energy/factors/factor.h"
#include "energy/factors/stated_factor.h"

namespace cultivar {

struct FoundFactor {
    const Factor* factor = nullptr;
    FactorValue value;
};

// By FactorKind; none: no factor is stated for it.
using FactorsAtOnce = std::array<std::optional<FoundFactor>, kFactorKinds>;

class Factors {
public:
    // `factors` in the order of their origins.
    explicit Factors(std::vector<Factor> factors);
    Factors(Factors&&) = default;  // a copy would point into the first one

    // None: no factor is stated for it.
    std::optional<FoundFactor> find(FactorKind kind, const std::string& zone, std::int64_t unix_s) const;
    // All kinds at once, kept for each quarter of an hour that was asked for: a pool's runs share quarters.
    const FactorsAtOnce& at(const std::string& zone, std::int64_t unix_s) const;
    // Those with a series, of the closest zone and the first origin that have one, in their order.
    std::vector<const Factor*> series(FactorKind kind, const std::string& zone) const;
    // Is there a factor that changes with time? If not, energy need not be split in slots.
    bool has_series() const { return has_series_; }

private:
    const std::vector<const Factor*>& ranked(FactorKind kind, const std::string& zone) const;

    std::vector<Factor> factors_;
    bool has_series_ = false;
    mutable std::map<std::pair<FactorKind, std::string>, std::vector<const Factor*>> ranked_;        // best first
    mutable std::unordered_map<std::string, std::unordered_map<std::int64_t, FactorsAtOnce>> kept_;  // zone, quarter
};

// The user's energy.toml: $XDG_CONFIG_HOME/cultivar/energy.toml, or ~/.config/cultivar/energy.toml.
std::string user_factor_file();

// Where a stated file of grid data lies, and the command that refreshes it.
struct FetchedFile {
    std::string path;
    std::vector<std::string> command;
    double limit_s = 60;
};

// Reads a user's file with its series; relative paths begin at its folder. A missing file states nothing. Errors: usage (a
// factor without a source or of an unknown kind), corrupt, not_found and io of a series.
Result<std::vector<Factor>> read_factor_file(const std::string& path);
// The files that a user's file names with a command, without reading the series: they may not be there yet.
Result<std::vector<FetchedFile>> fetched_files(const std::string& path);
// `first`, then those of the user's file, then the built-in ones. Errors: those of the file.
Result<Factors> known_factors(std::vector<Factor> first = {});
// A constant, as a person states it. Errors: usage.
Result<Factor> constant_factor(const StatedFactor& stated, const std::string& stated_in);

}  // namespace cultivar
