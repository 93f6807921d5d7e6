// The state of the whole pool that the worth of a claim depends on.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "cli/session/session.h"
#include "eval/judge/audit_policy.h"

namespace cultivar {

struct Surroundings {
    std::map<std::string, double> best;  // accepted, by category
    std::map<std::string, std::string> leader;
    std::map<std::string, int> children;
    std::map<std::pair<std::string, std::string>, int> fresh_seeds;  // of verifiers, by category and candidate
    bool hold_out = false;
};

// Errors: those of the index and the hold-out's.
Result<Surroundings> snapshot(Session& session);

// Is its candidate the best accepted one of its category?
bool leads(const Surroundings& around, const Claim& claim);
ClaimImpact impact_of(const Surroundings& around, const Claim& claim);
// The fresh seeds that verifiers scored of its candidate in its category, whichever claim they were made for.
int fresh_seeds_of(const Surroundings& around, const Claim& claim);

}  // namespace cultivar
