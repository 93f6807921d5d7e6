// Times as every record has them: UTC, to the second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/util/result.h"

namespace cultivar {

// "2026-11-21T03:40:00Z" of seconds since 1970, and back. Errors: corrupt.
std::string utc_text(std::int64_t unix_s);
Result<std::int64_t> parse_utc(std::string_view text);

}  // namespace cultivar
