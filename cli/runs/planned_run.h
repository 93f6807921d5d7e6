// A planned run: the candidate to train, its origin and the reason. As JSON it survives the process that planned it, in
// <state>/run/plan.json while explore trains it and in <state>/asked/ while somebody else does. Fields may be added; a
// plan that an older version wrote is still read.
#pragma once

#include "cli/app/json.h"
#include "cli/session/session.h"
#include "energy/when/delay.h"
#include "train/energy/energy_meter.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// An output token of a language model takes 0.3 J (8 billion parameters), 2 J (70 billion) or 12 J (671 billion, 37 of them
// active) by EcoLogits' fit to measurements on NVIDIA's H100, servers included.
inline constexpr double kJoulesPerToken = 2, kLeastJoulesPerToken = 0.3, kMostJoulesPerToken = 12;

// The cost of asking an external proposer while this run was planned.
struct ProposerCall {
    std::string name;     // of the operator; "": none was asked
    std::string refused;  // why its answer was not used, or ""
    double seconds = 0;
    std::optional<std::int64_t> tokens;
    std::optional<double> usd;
    std::optional<double> joules{};  // as it says
};

struct PlannedRun {
    Candidate child;
    std::vector<std::string> parents;
    std::string operator_name, choice, category, started;
    bool by_hand = false;  // see Run::by_hand
    int replicate = 0;
    int deaths = 0;  // by a signal that nothing here sent
    double budget_s = 0;
    ProposerCall proposer;
    double wall_s = 0, joules = 0;     // of earlier parts of this run
    Energy slots = {};                 // of those parts, by time and domain
    EnergyMeter::Spent training = {};  // of those parts, between start-up and scoring
    Delays delays = {};                // none: it did not wait
};

Json to_json(const Session& session, const PlannedRun& planned);
// None if it is of another task, or no plan at all.
std::optional<PlannedRun> parse_planned_run(const Session& session, const std::string& text);

// None where a call told neither joules nor tokens.
std::optional<ProposerEnergy> energy_of(const ProposerCall& call);

// A run's record with the fields of its plan; its outcome is still open.
Run blank_record(const Session& session, const PlannedRun& planned);

// Is its record written already? A kill just after the record leaves both.
Result<bool> already_recorded(const Session& session, const PlannedRun& planned);

}  // namespace cultivar
