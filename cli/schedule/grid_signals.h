// Carbon and price of the grid at a moment, out of the series that the user's energy.toml states for this machine's zone.
//
// Series of one kind and zone fill each other's gaps, as a file of the past and one of the forecast do; the first stated counts
// where both tell. Carbon is that of the average grid, or the marginal one where only that is stated. Constants tell no moment.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "energy/series/series.h"
#include "energy/when/judge.h"

namespace cultivar {

class GridSignals {
public:
    // `factor_file`: energy.toml. Nothing is known before read().
    GridSignals(std::string factor_file, std::string zone)
        : factor_file_(std::move(factor_file)), zone_(std::move(zone)) {}

    // Reads the file and its series again; if that fails, all is unknown, and the readings say why.
    void read();

    Reading at(Signal signal, std::int64_t unix_s) const;
    Reading percentile(Signal signal, double percent, std::int64_t unix_s) const;
    // None: there is none.
    const Series* series(Signal signal) const;

private:
    std::string without_series() const;

    std::string factor_file_, zone_, trouble_;
    std::map<Signal, Series> series_;
};

}  // namespace cultivar
