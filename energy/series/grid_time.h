// Times and durations as grid operators and markets write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cultivar {

// "2026-01-01T00:30Z", "2026-01-01T00:30:00.000+01:00", "2026-01-01 00:30": seconds since 1970. A time without a zone is UTC.
// None: another form, a date that the calendar does not have, or a year outside 2000 to 2099.
std::optional<std::int64_t> parse_grid_time(std::string_view text);

// "00:05:00" or "1.00:00:00" (days before the dot): seconds, above 0.
std::optional<std::int64_t> parse_grid_duration(std::string_view text);

}  // namespace cultivar
