#include "pool/util/utc_time.h"

#include <cstdio>
#include <ctime>

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {

std::string utc_text(std::int64_t unix_s) {
    std::time_t time = unix_s;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Result<std::int64_t> parse_utc(std::string_view text) {
    std::tm parts{};
    std::string copy(text);
    int used = 0;
    if (copy.size() != 20 ||
        std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                    &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6 ||
        used != 20)
        return fail(Code::corrupt, fmt::format("'{}' is not a UTC time", cut(copy, 32)));
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    std::int64_t unix_s = timegm(&parts);
    if (utc_text(unix_s) != copy) return fail(Code::corrupt, fmt::format("'{}' is not a UTC time", copy));
    return unix_s;
}

}  // namespace cultivar
