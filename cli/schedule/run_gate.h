// Holds runs back while the grid or the machine is not as their user wants it (explore --when, --cleanest, --cheapest).
//
// Thread-safe: the loops of an exploration share one. Only a yes lets runs go on; what is unknown holds them, and the permission
// says why. A "no" takes effect at once. After one that held a run back the condition must hold for kHold_s without a break
// before runs go on, so that they do not flap.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/schedule/grid_refresh.h"
#include "cli/schedule/grid_signals.h"
#include "cli/schedule/machine_signals.h"
#include "cli/schedule/permission.h"
#include "energy/when/judge.h"
#include "energy/when/window.h"

namespace cultivar {

inline constexpr double kHold_s = 120, kAskWhileWaiting_s = 5, kAskWhileRunning_s = 30;

struct GateTerms {
    std::optional<WhenCondition> when{};
    std::optional<std::int64_t> not_before_s{};  // the start of a chosen window
    std::string window{};                        // "the cleanest 4 h within 24 h"
};

class RunGate {
public:
    // All of them must outlive it.
    RunGate(GateTerms terms, const Clock& clock, GridSignals& grid, GridRefresh& refresh, MachineSignals& machine)
        : terms_(std::move(terms)), clock_(clock), grid_(grid), refresh_(refresh), machine_(machine) {}

    Permission ask();

private:
    Permission judge_now();
    Permission before_window() const;
    Permission by_condition(const WhenCondition& when);
    std::optional<std::int64_t> known_yes(const WhenCondition& when);

    const GateTerms terms_;
    const Clock& clock_;
    GridSignals& grid_;
    GridRefresh& refresh_;
    MachineSignals& machine_;
    std::mutex mutex_;
    Permission last_{};
    double asked_s_ = -1e9;
    bool has_gone_ = false;               // a run may have begun
    std::optional<double> held_since_s_;  // without a break, while runs wait
    std::optional<std::int64_t> next_yes_s_;
    double looked_ahead_s_ = -1e9;
};

// The first full minute from now on, within two days, in which the condition holds by the series and the clock while the
// machine stays as it is. None: there is none.
std::optional<std::int64_t> first_yes(const WhenCondition& when, const GridSignals& grid, MachineSignals& machine,
                                      std::int64_t now_s);

}  // namespace cultivar
