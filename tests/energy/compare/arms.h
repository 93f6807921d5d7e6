// Arms for the tests of comparisons, with round figures.
#pragma once

#include "energy/compare/arm.h"
#include "tests/energy/support.h"

namespace cultivar {

struct RunSpec {
    double above_j = 0, gross_j = 0;
    std::optional<double> loss{};
    std::string meter = "rapl at one", zone = "GB";
    double error = 0;
    double machine_s = 0;
};

inline SpentUse spent_use(const RunSpec& spec, std::int64_t start_s, Purpose purpose = Purpose::search) {
    SpentUse use{.purpose = purpose, .method = spec.meter.substr(0, spec.meter.find(' ')), .meter = spec.meter};
    use.stretch.zone = spec.zone, use.stretch.start_s = start_s, use.stretch.machine_s = spec.machine_s;
    use.stretch.joules[kAboveIdle] = Range::within(spec.above_j, spec.error);
    use.stretch.joules[kGross] = Range::within(spec.gross_j, spec.error);
    return use;
}

// Runs of 10 s, one after another.
inline Repeat repeat_of(const std::vector<RunSpec>& specs, std::string seed = "") {
    Repeat repeat{.name = "r", .seed = std::move(seed)};
    std::int64_t at_s = kNewYear_s;
    for (const RunSpec& spec : specs) {
        repeat.runs.push_back({at_s, at_s + 10, 1e9, spec.loss, {spent_use(spec, at_s)}});
        at_s += 10;
    }
    return repeat;
}

inline Arm arm_of(std::vector<Repeat> repeats) { return {"arm", "task", "score", std::move(repeats)}; }

// As many repeats as figures, each of one verified run of so many joules.
inline Arm simple_arm(const std::vector<double>& joules, RunSpec spec = {}) {
    std::vector<Repeat> repeats;
    for (const double one : joules) {
        spec.above_j = one, spec.gross_j = one, spec.loss = 5;
        repeats.push_back(repeat_of({spec}));
    }
    return arm_of(std::move(repeats));
}

}  // namespace cultivar
