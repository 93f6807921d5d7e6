// Joules by domain, method and 15-minute slot, as they come in.
#pragma once

#include <string>
#include <vector>

#include "pool/types/energy.h"

namespace cultivar {

struct MeasuredPower {
    std::string domain, method;
    double error = 0;
    double gross_joules = 0, idle_joules = 0;
};

class SlotBook {
public:
    // All that was drawn in `seconds` that began at `from_unix_s`, in equal parts for each second. Sources of one domain and
    // method, such as two packages, are one entry, and its seconds count once.
    void add(double from_unix_s, double seconds, const std::vector<MeasuredPower>& drawn);

    double gross_joules() const { return gross_joules_; }
    double idle_joules() const { return idle_joules_; }
    // With the totals, the mean idle power over `seconds`, and the method with most joules.
    Energy energy(double seconds) const;

private:
    Energy slots_;
    double gross_joules_ = 0, idle_joules_ = 0;
};

// Joules, idle power and method of an energy as its slots have them; nothing where there are none.
void take_totals(Energy& energy, double seconds);

}  // namespace cultivar
