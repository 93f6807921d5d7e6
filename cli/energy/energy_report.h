// A silent engine: the energy of a pool's runs and verdicts, summed by a key, with carbon, water and money.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "energy/accounting/account.h"
#include "pool/index/index.h"

namespace cultivar {

enum class EnergyBy { run, candidate, lineage, operator_name, contributor, category, day, zone };

// "run", "candidate", "lineage", "operator", "contributor", "category", "day", "zone".
std::optional<EnergyBy> energy_by(std::string_view name);

struct EnergyRow {
    std::string key;
    int runs = 0;  // and verdicts, and calls
    Account account;
    std::map<std::string, double> methods{};  // gross joules by method
};

struct EnergyGain {  // energy for a verified improvement
    VerifiedImprovement improvement;
    Range joules[kMachineAxes]{};  // of the whole category
};

struct EnergyReport {
    EnergyRow total;
    std::vector<EnergyRow>
        lines;  // search, failed, stopped, rejected, verification, proposer, network: those that are there
    std::vector<EnergyRow> rows;  // by the key, most gross joules first; days in their order
    std::vector<EnergyGain> gains{};
    double spread_joules = 0;  // above idle, of records that tell no slots
};

struct EnergyQuery {
    std::optional<EnergyBy> by{};
    std::string id{};  // a candidate's, a run's or a verdict's; rows are then it and its ancestors
};

// Errors: those of the index.
Result<EnergyReport> energy_report(Index& index, const Factors& factors, const EnergyQuery& query);

}  // namespace cultivar
