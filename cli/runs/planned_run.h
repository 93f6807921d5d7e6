// A run that was planned: what is to be trained, where it came from and why; as JSON it survives the process that planned
// it, in <state>/run/plan.json while explore trains it and in <state>/asked/ while somebody else does.
#pragma once

#include "cli/app/json.h"
#include "cli/session/session.h"
#include "train/launch/energy_meter.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// What an external proposer took that was asked while this run was planned.
struct ProposerCall {
    std::string name;     // of the operator; "": none was asked
    std::string refused;  // why its answer was not used, or ""
    double seconds = 0;
    std::optional<std::int64_t> tokens;
    std::optional<double> usd;
};

struct PlannedRun {
    Candidate child;
    std::vector<std::string> parents;
    std::string operator_name, choice, category, started;
    bool by_hand = false;  // see Run::by_hand
    int replicate = 0;
    double budget_s = 0;
    ProposerCall proposer;
    double wall_s = 0, joules = 0;     // of earlier parts of this run
    EnergyMeter::Spent training = {};  // of those parts, between start-up and scoring
};

Json to_json(const Session& session, const PlannedRun& planned);
// None: it is of another task, or no plan at all.
std::optional<PlannedRun> parse_planned_run(const Session& session, const std::string& text);

// A run's record with what its plan says; how it went is still open.
Run blank_record(const Session& session, const PlannedRun& planned);

// Was its record written already? A kill between the record and what follows leaves both.
Result<bool> already_recorded(const Session& session, const PlannedRun& planned);

}  // namespace cultivar
