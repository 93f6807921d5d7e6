#include "energy/series/grid_time.h"

#include <charconv>
#include <ctime>

namespace cultivar {
namespace {

// Takes parts from the front of a text; once one is missing, nothing fits any more.
class Parts {
public:
    explicit Parts(std::string_view text) : rest_(text) {}

    int number(std::size_t digits, int low, int high) {
        int value = 0;
        const std::string_view part = rest_.substr(0, digits);
        const auto [at, ec] = std::from_chars(part.data(), part.data() + part.size(), value);
        good_ = good_ && ec == std::errc() && part.size() == digits && at == part.data() + digits && part[0] != '-' &&
                value >= low && value <= high;
        if (good_) rest_.remove_prefix(digits);
        return value;
    }
    bool take(char sign) {
        const bool there = rest_.starts_with(sign);
        if (there) rest_.remove_prefix(1);
        return there;
    }
    void need(char sign) { good_ = take(sign) && good_; }
    void digits() {
        while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') rest_.remove_prefix(1);
    }
    bool good() const { return good_; }
    bool done() const { return good_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool good_ = true;
};

constexpr int kLastHour = 23, kLastMinute = 59;

std::tm date_and_time(Parts& parts) {
    std::tm time{};
    time.tm_year = parts.number(4, 2000, 2099) - 1900;
    parts.need('-');
    time.tm_mon = parts.number(2, 1, 12) - 1;
    parts.need('-');
    time.tm_mday = parts.number(2, 1, 31);
    if (!parts.take(' ')) parts.need('T');
    time.tm_hour = parts.number(2, 0, kLastHour);
    parts.need(':');
    time.tm_min = parts.number(2, 0, kLastMinute);
    if (parts.take(':')) {
        time.tm_sec = parts.number(2, 0, kLastMinute);
        if (parts.take('.')) parts.digits();
    }
    return time;
}

// Seconds east of UTC.
int zone_s(Parts& parts) {
    if (parts.done() || parts.take('Z')) return 0;
    const bool west = parts.take('-');
    if (!west) parts.need('+');
    int seconds = parts.number(2, 0, kLastHour) * 3600;
    parts.take(':');
    seconds += parts.number(2, 0, kLastMinute) * 60;
    return west ? -seconds : seconds;
}

}  // namespace

std::optional<std::int64_t> parse_grid_time(std::string_view text) {
    Parts parts(text);
    const std::tm read = date_and_time(parts);
    const int east_s = parts.good() ? zone_s(parts) : 0;
    if (!parts.done()) return std::nullopt;
    std::tm kept = read;
    const std::time_t moment = ::timegm(&kept);
    if (kept.tm_mday != read.tm_mday || kept.tm_mon != read.tm_mon) return std::nullopt;
    return moment - east_s;
}

std::optional<std::int64_t> parse_grid_duration(std::string_view text) {
    std::int64_t days = 0;
    if (const std::size_t dot = text.find('.'); dot != std::string_view::npos && dot <= 3 && text.size() > dot + 8) {
        Parts front(text.substr(0, dot));
        days = front.number(dot, 0, 999);
        if (!front.done()) return std::nullopt;
        text.remove_prefix(dot + 1);
    }
    Parts parts(text);
    std::int64_t seconds = days * 86400 + parts.number(2, 0, kLastHour) * 3600;
    parts.need(':');
    seconds += parts.number(2, 0, kLastMinute) * 60;
    parts.need(':');
    seconds += parts.number(2, 0, kLastMinute);
    if (parts.take('.')) parts.digits();
    return parts.done() && seconds > 0 ? std::optional(seconds) : std::nullopt;
}

}  // namespace cultivar
