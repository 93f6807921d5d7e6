// Energy times factors: carbon, water, money and the share in the making of a machine, with bounds and with all that is missing.
//
//   carbon   = E x PUE x intensity of the grid in that quarter of an hour
//   water    = E x (WUE on site + PUE x WUE off site): the two parts apart, and PUE once
//   money    = E x PUE x price
//   embodied = kg of the machine / life x time reserved, part of gross alone
//
// Two axes are never mixed: the machine's (above idle, or gross) and the grid's (average, or marginal). Bounds are carried along
// from the measurement and from the factor. Energy without a factor is counted as unpriced, energy in a gap of a series has the
// series' own bounds, and both are told.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "energy/factors/factors.h"

namespace cultivar {

inline constexpr double kJoulesPerKwh = 3.6e6;

enum MachineAxis { kAboveIdle, kGross, kMachineAxes };
enum GridAxis { kAverage, kMarginal, kGridAxes };

// Energy in one stretch of time and one zone.
struct EnergyStretch {
    std::string zone;
    std::int64_t start_s = 0, length_s = kQuarter_s;
    Range joules[kMachineAxes]{};
    double without_gross_joules = 0;  // above idle, where no idle power was measured: gross holds as much for them
    double machine_s = 0;             // of machines reserved
    bool is_cooled = true;            // PUE applies; not to a network's figures
};

struct Sum {
    Range range;
    double unpriced_joules = 0;  // no factor is stated for them
    double gap_joules = 0;       // in a gap of a series

    bool is_priced(double joules) const { return joules <= 0 || unpriced_joules < joules; }
    Sum& operator+=(const Sum& other);
};

struct Account {
    Range joules[kMachineAxes]{};
    double without_gross_joules = 0;
    double machine_s = 0, unpriced_s = 0;  // unpriced: no embodied factor
    Sum carbon_g[kGridAxes][kMachineAxes]{};
    Sum water_on_l[kMachineAxes]{}, water_off_l[kMachineAxes]{};
    std::map<std::string, Sum> money[kMachineAxes]{};  // by currency
    double without_price_joules = 0;
    Range embodied_g{};
    std::set<const Factor*> used{};

    Account& operator+=(const Account& other);
};

// Adds the use and all that follows from it. A use longer than a quarter of an hour is spread evenly over its quarters.
void add_use(Account& account, const EnergyStretch& use, const Factors& factors);

// The energy of so many bytes on the network; none without a factor.
std::optional<Range> network_joules(double bytes, const Factors& factors, Account& account);

}  // namespace cultivar
