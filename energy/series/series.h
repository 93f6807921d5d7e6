// A grid's figure over time: carbon or price per kilowatt-hour, in quarters of an hour, with its origin.
//
// Whatever a file's own steps are, a Series holds the mean of each quarter of an hour of UTC that the file covers by half or
// more. A quarter that it does not cover is a gap: it is absent, and nobody fills it in. Prices may be negative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cultivar {

inline constexpr std::int64_t kQuarter_s = 900;

enum class Quantity { carbon, price };
// The power plants that a figure counts: all that run, or those that answer one kilowatt-hour more.
enum class GridKind { unknown, average, marginal };
// The emissions that a figure counts: those of burning, or those of building and fuel supply too.
enum class Scope { unknown, direct, lifecycle };

const char* name(Quantity quantity);
const char* name(GridKind kind);
const char* name(Scope scope);
std::optional<GridKind> grid_kind(std::string_view name);
std::optional<Scope> scope_named(std::string_view name);

struct SeriesHead {
    Quantity quantity = Quantity::carbon;
    std::string unit;          // of `value`: "g/kWh", or a currency: "EUR/kWh"
    std::string unit_in_file;  // "lbs/MWh"
    GridKind kind = GridKind::unknown;
    Scope scope = Scope::unknown;
    bool is_forecast = false;
    std::string area;          // as the file calls it, or ""
    std::string source;        // "NESO"
    std::string format;        // "neso"
    std::string generated_at;  // as the file tells it, or ""
    std::string sha256;        // of the file's bytes
    int passed_over = 0;       // entries that could not be read
};

struct Quarter {
    std::int64_t start_s = 0;  // unix time, a multiple of kQuarter_s
    double value = 0;
};

struct Series {
    SeriesHead head;
    std::vector<Quarter> quarters;  // ascending, none twice

    // The value of the quarter of an hour that holds this moment; none in a gap.
    std::optional<double> at(std::int64_t unix_s) const;
};

}  // namespace cultivar
