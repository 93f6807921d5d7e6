// The energy that a run or a verdict took, as records hold it: the totals, and joules by time slot and domain.
//
//   {"joules":J,"idle_watts":W,"method":M,"train_joules":T,"slot_s":900,
//    "domains":[{"domain":D,"method":M,"error":E,"slots":[["2026-11-30T06:45Z",SECONDS,GROSS,IDLE],...]},...]}
//
// Records hold no carbon, water or money: a reader applies factors, so that anybody can compute them again. Records from
// before the domains have the totals alone. No domain counts what another one counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::int64_t kEnergySlot_s = 900, kLongestEnergySlot_s = 86'400;
inline constexpr std::size_t kMostEnergyDomains = 8, kMostEnergySlots = 2'000;
inline constexpr std::size_t kMostSlotsWritten = 1'000;  // of a run in all domains; longer slots beyond that
// Nothing that trains one candidate draws more.
inline constexpr double kMostPower_w = 100'000;

struct EnergySlot {
    std::int64_t start_unix_s = 0;  // a multiple of the slot's length
    double seconds = 0;             // of the run within it; pauses are left out
    double gross_joules = 0;
    double idle_joules =
        0;  // of those, the part that the idle machine would have drawn; 0 also where that is not known

    bool operator==(const EnergySlot&) const = default;
};

struct EnergyDomain {
    // "cpu" (processor packages), "dram", "gpu", or "machine" (all of it: battery, meter, declared). A reader counts a
    // word that it does not know as "machine".
    std::string domain;
    // "rapl", "nvml", "hwmon" (a GPU of AMD), "battery", "meter" (the user's own command), "declared", "estimated", or
    // "shared": the part of one run among several on a measured machine.
    std::string method;
    double error = 0;  // the true value is expected between joules / (1 + error) and joules * (1 + error)
    std::vector<EnergySlot> slots{};  // ascending, none twice

    bool operator==(const EnergyDomain&) const = default;
};

struct Energy {
    double joules = 0;      // above idle where the idle power is known; of the whole run, all domains together
    double idle_watts = 0;  // of all domains together, taken off joules; 0 if unknown
    std::string method;     // that of the domain with most joules
    // Of the training alone: the mean power between start-up and scoring x train_s. Unknown in records written before
    // it was recorded, and of runs that never trained.
    std::optional<double> train_joules{};
    std::int64_t slot_s = kEnergySlot_s;
    std::vector<EnergyDomain> domains{};  // none in records from before them, and where only a total is known

    bool operator==(const Energy&) const = default;
};

// The relative error that a method is recorded with; that of "estimated" for a word that is not known.
double error_of(std::string_view method);

// Adds the slots of `more`, domain by domain and method by method, and nothing else.
void add_slots(Energy& energy, const Energy& more);
// A domain's seconds are no more than those of the run, whose clock may begin later than the meter's.
void limit_seconds(Energy& energy, double wall_s);
// As precise as they are worth keeping: milliseconds and millijoules. Slots become longer where they are too many.
void round_figures(Energy& energy);

// The same object as in a record. Errors: corrupt; figures out of range, too many domains or slots.
std::string to_text(const Energy& energy);
Result<Energy> parse_energy(std::string_view json);

// The first thing in its domains that no machine could have measured in so much time, as a sentence; none: it is sound.
std::optional<std::string> wrong_in(const Energy& energy, double wall_s);

}  // namespace cultivar
