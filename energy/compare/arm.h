// An arm of a comparison: one way of searching, tried once or several times.
//
// Everything that was spent belongs to a run: its own energy, that of the proposer that was asked before it, its bytes on the
// network, and the verification of the claims that end with it. Runs that failed, were stopped or were rejected stand in the
// list as any other.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "energy/accounting/account.h"

namespace cultivar {

enum class Purpose { search, verification, proposer, network };

struct SpentUse {
    Purpose purpose = Purpose::search;
    std::string method{};     // "rapl"
    std::string meter{};      // method and machine: figures of one meter err alike, those of two meters each for itself
    EnergyStretch stretch{};  // its joules with the bounds of the measurement; of a network none
    double bytes = 0;         // of a network
};

struct SpentRun {
    std::int64_t start_s = 0, end_s = 0;  // unix time
    std::optional<double> flops{};        // none: the record does not tell
    std::optional<double>
        verified_loss{};  // of a claim that a verifier accepted and that this run completed; less is better
    std::vector<SpentUse> uses{};
};

struct Repeat {
    std::string name{};
    std::string seed{};            // repeats of the two arms with equal seeds are a pair; "": it has no pair
    std::vector<SpentRun> runs{};  // by end
};

struct Arm {
    std::string name{};
    std::string task{}, scoring{};  // scores of equal ones are comparable
    std::vector<Repeat> repeats{};
    std::optional<double> bought_kg{};  // embodied in machines that were bought for it; none: nobody says

    // Of its runs and of verification, as far as they hold joules.
    std::set<std::string> methods() const;
};

}  // namespace cultivar
