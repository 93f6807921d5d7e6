#include "pool/util/local_time.h"

#include <charconv>
#include <ctime>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

// Takes what it is asked for from the front of a text; once something is missing, nothing fits any more.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    int number(std::size_t digits, int most) {
        int value = 0;
        const std::string_view part = rest_.substr(0, digits);
        const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
        good_ = good_ && part.size() == digits && read.ec == std::errc() && read.ptr == part.data() + digits &&
                part[0] != '-' && value <= most;
        if (good_) rest_.remove_prefix(digits);
        return value;
    }
    void need(char sign) { good_ = take(sign) && good_; }
    bool take(char sign) {
        const bool there = rest_.starts_with(sign);
        if (there) rest_.remove_prefix(1);
        return there;
    }
    bool is_done() const { return good_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool good_ = true;
};

constexpr int kHours = 23, kMinutes = 59;

// None where the calendar or the zone does not have this time.
std::optional<std::int64_t> in_this_zone(std::tm parts) {
    std::tm same = parts;
    same.tm_isdst = -1;
    const std::time_t moment = std::mktime(&same);
    const bool is_kept = same.tm_mon == parts.tm_mon && same.tm_mday == parts.tm_mday &&
                         same.tm_hour == parts.tm_hour && same.tm_min == parts.tm_min;
    return is_kept ? std::optional<std::int64_t>(moment) : std::nullopt;
}

std::optional<std::int64_t> in_utc(std::tm parts) {
    std::tm same = parts;
    const std::time_t moment = ::timegm(&same);
    const bool is_kept = same.tm_mon == parts.tm_mon && same.tm_mday == parts.tm_mday;
    return is_kept ? std::optional<std::int64_t>(moment) : std::nullopt;
}

std::optional<std::int64_t> next_time_of_day(std::string_view text, std::int64_t now) {
    Scanner scan(text);
    const int hour = scan.number(2, kHours);
    scan.need(':');
    const int minute = scan.number(2, kMinutes);
    if (!scan.is_done()) return std::nullopt;
    std::tm parts{};
    const std::time_t time = now;
    ::localtime_r(&time, &parts);
    parts.tm_hour = hour, parts.tm_min = minute, parts.tm_sec = 0, parts.tm_isdst = -1;
    std::tm today = parts;
    if (const std::time_t moment = std::mktime(&today); moment > now) return moment;
    ++parts.tm_mday;
    return std::mktime(&parts);
}

std::optional<std::int64_t> date_and_time(std::string_view text) {
    Scanner scan(text);
    std::tm parts{};
    parts.tm_year = scan.number(4, 9999) - 1900;
    scan.need('-');
    parts.tm_mon = scan.number(2, 12) - 1;
    scan.need('-');
    parts.tm_mday = scan.number(2, 31);
    scan.need('T');
    parts.tm_hour = scan.number(2, kHours);
    scan.need(':');
    parts.tm_min = scan.number(2, kMinutes);
    if (scan.take(':')) parts.tm_sec = scan.number(2, kMinutes);
    if (scan.is_done()) return in_this_zone(parts);
    if (scan.take('Z')) return scan.is_done() ? in_utc(parts) : std::nullopt;
    const bool behind = scan.take('-');
    if (!behind) scan.need('+');
    int ahead_s = scan.number(2, kHours) * 3600;
    scan.need(':');
    ahead_s += scan.number(2, kMinutes) * 60;
    const auto moment = in_utc(parts);
    if (!scan.is_done() || !moment) return std::nullopt;
    return *moment - (behind ? -ahead_s : ahead_s);
}

}  // namespace

Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_s) {
    auto moment = next_time_of_day(text, now_unix_s);
    if (!moment) moment = date_and_time(text);
    if (moment) return *moment;
    return fail(Code::usage, fmt::format("'{}' is no time: it is written 07:30 or 2026-11-30T07:30", cut(text, 40)));
}

}  // namespace cultivar
