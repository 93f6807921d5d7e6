#include "energy/when/units.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "energy/series/grid_unit.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

std::optional<double> seconds_per(std::string_view unit) {
    for (const char* one : {"s", "sec", "second", "seconds"}) {
        if (unit == one) return 1;
    }
    for (const char* one : {"m", "min", "minute", "minutes"}) {
        if (unit == one) return 60;
    }
    for (const char* one : {"h", "hour", "hours"}) {
        if (unit == one) return 3600;
    }
    return std::nullopt;
}

const char* units_of(Signal signal) {
    switch (signal) {
        case Signal::carbon:
            return "gCO2/kWh, kg/MWh, lbs/MWh";
        case Signal::price:
            return "EUR/MWh, ct/kWh, GBP/kWh";
        case Signal::idle:
            return "s, min, h";
        case Signal::temperature:
            return "C";
        case Signal::gpu:
            return "it has none";
        default:
            return "%";
    }
}

bool apply_grid_unit(WhenTest& test, std::string_view unit) {
    const auto known = parse_grid_unit(unit);
    const Quantity wanted = test.signal == Signal::carbon ? Quantity::carbon : Quantity::price;
    if (!known || known->quantity != wanted) return false;
    test.figure *= known->factor;
    if (test.signal == Signal::price) test.unit = known->unit;
    return true;
}

bool apply_known(WhenTest& test, std::string_view unit) {
    switch (test.signal) {
        case Signal::carbon:
            return unit.empty() || apply_grid_unit(test, unit);
        case Signal::price:
            return apply_grid_unit(test, unit);
        case Signal::idle: {
            const auto scale = seconds_per(unit);
            test.figure *= scale.value_or(1);
            return scale.has_value();
        }
        case Signal::temperature:
            return unit.empty() || unit == "C" ||
                   unit ==
                       "\xC2\xB0"
                       "C";
        case Signal::battery:
        case Signal::load:
            return unit.empty() || unit == "%";
        default:
            return unit.empty();
    }
}

}  // namespace

std::optional<std::string> apply_unit(WhenTest& test, std::string_view unit) {
    if (apply_known(test, unit)) return std::nullopt;
    const std::string is =
        unit.empty() ? "a unit is missing" : fmt::format("'{}' is no unit of {}", clean(unit, 40), name(test.signal));
    return fmt::format("{}: {}", is, units_of(test.signal));
}

std::optional<double> minutes_of(std::string_view time) {
    const std::size_t colon = time.find(':');
    const auto part = [](std::string_view digits) {
        int value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    };
    const int hour = part(time.substr(0, colon)), minute = part(time.substr(colon + 1));
    return hour < 24 && minute < 60 ? std::optional(60.0 * hour + minute) : std::nullopt;
}

const char* example_of(Signal signal) {
    switch (signal) {
        case Signal::carbon:
            return "p30";
        case Signal::price:
            return "50 EUR/MWh";
        case Signal::idle:
            return "10 min";
        case Signal::time:
            return "06:00";
        case Signal::temperature:
            return "80 C";
        case Signal::gpu:
            return "1";
        default:
            return "50 %";
    }
}

}  // namespace cultivar
