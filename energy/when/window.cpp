#include "energy/when/window.h"

#include <algorithm>
#include <cmath>

namespace cultivar {
namespace {

constexpr double kAlike = 1e-9;  // sums of the same figures differ by their rounding

std::optional<double> mean_of(const Series& series, std::int64_t start_s, std::int64_t end_s) {
    double sum = 0;
    for (std::int64_t at = start_s; at < end_s;) {
        const std::int64_t next = std::min(end_s, at - at % kQuarter_s + kQuarter_s);
        const auto value = series.at(at);
        if (!value) return std::nullopt;
        sum += *value * static_cast<double>(next - at);
        at = next;
    }
    return sum / static_cast<double>(end_s - start_s);
}

}  // namespace

WindowChoice choose_window(const Series* series, std::int64_t now_s, std::int64_t length_s, std::int64_t within_s) {
    WindowChoice choice{.start_s = now_s, .end_s = now_s + length_s};
    if (!series || series->quarters.empty()) return choice;
    choice.known_until_s = series->quarters.back().start_s + kQuarter_s;
    if (choice.known_until_s <= now_s) return choice;
    choice.at_once = mean_of(*series, now_s, now_s + length_s);
    const std::int64_t asked_s = now_s + within_s, until_s = std::min(asked_s, choice.known_until_s);
    for (std::int64_t start_s = now_s; start_s + length_s <= until_s;
         start_s = start_s - start_s % kQuarter_s + kQuarter_s) {
        const auto mean = mean_of(*series, start_s, start_s + length_s);
        if (!mean || (choice.mean && *mean >= *choice.mean - kAlike * std::abs(*choice.mean))) continue;
        choice.mean = mean;
        choice.start_s = start_s, choice.end_s = start_s + length_s;
    }
    choice.basis = until_s < asked_s ? WindowBasis::shortened : WindowBasis::forecast;
    if (!choice.mean) choice.basis = WindowBasis::too_short;
    return choice;
}

}  // namespace cultivar
