// The state of the whole pool that the worth of a claim depends on.
#pragma once

#include <map>
#include <string>

#include "cli/session/session.h"
#include "eval/judge/audit_policy.h"

namespace cultivar {

struct Surroundings {
    std::map<std::string, double> best;  // accepted, by category
    std::map<std::string, std::string> leader;
    std::map<std::string, int> children;
    bool hold_out = false;
};

// Errors: those of the index and the hold-out's.
Result<Surroundings> snapshot(Session& session);

// Is its candidate the best accepted one of its category?
bool leads(const Surroundings& around, const Claim& claim);
ClaimImpact impact_of(const Surroundings& around, const Claim& claim);

}  // namespace cultivar
