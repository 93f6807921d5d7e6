// Moments as people and schedulers write them, by this machine's time zone.
#pragma once

#include <cstdint>
#include <string_view>

#include "pool/util/result.h"

namespace cultivar {

// "07:30" is the next one after `now`; "2026-11-30T07:30" may have seconds and a zone ("Z", "+01:00"). Gives seconds since
// 1970. Errors: usage (another form; a time that the calendar or the zone does not have).
Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_s);

}  // namespace cultivar
