// Measures the energy of a run: joules by domain, method and 15-minute slot, gross and idle apart.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

#include "pool/types/energy.h"
#include "pool/util/clock.h"
#include "train/energy/energy_plan.h"
#include "train/energy/idle_power.h"
#include "train/energy/shared_machine.h"
#include "train/energy/slot_book.h"

namespace cultivar {

class EnergyMeter {
public:
    // `clock` must outlive the meter, and so must `shared`: the machine that it shares with others, or null.
    EnergyMeter(const Clock& clock, EnergyPlan plan, IdlePowers idle = {}, SharedMachine* shared = nullptr,
                int threads = 1);
    EnergyMeter(const EnergyMeter&) = delete;
    EnergyMeter& operator=(const EnergyMeter&) = delete;

    bool measures() const { return plan_.measures(); }

    void start();
    // Reads the sources if a second has passed: counters wrap around after minutes, and readings of power are worth as
    // much as they are many. Call it at least once per second between start and stop.
    void poll();
    // The processes of the run are in this group from now on.
    void follow(pid_t group);
    // Energy above idle and time since start(). Joules are below 0 while the machine is quieter than its idle power. The
    // difference of two readings is the cost of the time between them.
    struct Spent {
        double joules = 0, seconds = 0;
    };
    Spent spent();
    Energy stop();

    // The faults since the last call, one line each; each is told once in a run.
    std::vector<std::string> take_troubles();

private:
    void read();
    std::vector<MeasuredPower> drawn(const EnergyCoverage& coverage, double seconds);
    MeasuredPower told_by(const EnergySource& source, double joules, double seconds);
    std::optional<MeasuredPower> lost_by(const EnergySource& source, double seconds);
    double idle_of(const EnergySource& source, double seconds);
    double part_of(const EnergySource& source);
    double begun_unix_s(double seconds);

    const Clock& clock_;
    EnergyPlan plan_;
    std::vector<std::shared_ptr<EnergySource>> sources_;
    IdlePowers idle_;
    SharedMachine* shared_;
    int threads_;
    int run_ = 0;      // its number on the shared machine
    double part_ = 1;  // of the shared machine, in the time that is read
    std::map<const EnergySource*, std::optional<double>> taken_;
    std::map<const EnergySource*, Spent> so_far_;  // of each source, for when it falls silent
    SlotBook book_;
    std::set<std::string> told_;
    std::vector<std::string> troubles_;
    double started_s_ = 0, read_s_ = 0;
    double anchor_s_ = 0, anchor_unix_s_ = 0;  // one moment by both clocks
};

}  // namespace cultivar
