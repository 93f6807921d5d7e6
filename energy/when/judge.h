// Does a condition hold now? Three-valued: a test whose signal is unknown is neither true nor false, "and" is as bad as its
// worst part, "or" as good as its best one. Only yes lets a run go on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/when/condition.h"

namespace cultivar {

struct Reading {
    std::optional<double> value{};  // in the signal's unit
    std::string unit{};             // of a price: "EUR/kWh"
    std::string missing{};          // why there is no value, a clause: "no battery is here"
};

class Signals {
public:
    virtual ~Signals() = default;
    virtual Reading now(Signal signal) = 0;
    // Of the last 24 hours.
    virtual Reading percentile(Signal signal, double percent) = 0;
};

enum class WhenAnswer { no, unknown, yes };

struct WhenJudged {
    WhenAnswer answer = WhenAnswer::yes;
    std::vector<std::string> why{};  // the tests in the way, a clause each: "carbon is 312 g/kWh, not < 200 g/kWh"
};

WhenJudged judge_when(const WhenCondition& condition, Signals& signals);

}  // namespace cultivar
