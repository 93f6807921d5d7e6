#include "pool/types/category.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr double kMostThreads = 1024;
constexpr std::array<std::string_view, 3> kDevices = {"cpu", "cuda", "mps"};

// The rest of a text after a mark that it may begin with, up to the next one.
std::optional<std::string_view> part_after(std::string_view mark, std::string_view& text) {
    if (!text.starts_with(mark)) return std::nullopt;
    text.remove_prefix(mark.size());
    const std::string_view part = text.substr(0, text.find("-t"));
    text.remove_prefix(part.size());
    return part;
}

std::optional<double> number(std::string_view text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    const bool whole = read.ec == std::errc() && read.ptr == end && std::isfinite(value);
    return whole ? std::optional(value) : std::nullopt;
}

// 0: not a number of threads.
int threads_of(std::string_view text) {
    const double threads = number(text).value_or(0);
    const bool sound = threads >= 1 && threads <= kMostThreads && threads == std::floor(threads);
    return sound ? static_cast<int>(threads) : 0;
}

}  // namespace

Category category_named(const std::string& name) {
    Category category{name};
    const std::string_view text = name;
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return category;
    if (std::find(kDevices.begin(), kDevices.end(), text.substr(0, dash)) == kDevices.end()) return category;
    category.device = text.substr(0, dash);
    const std::string_view rest = text.substr(dash + 1);
    const std::size_t unit = rest.find('s');
    if (unit == std::string_view::npos) return category;
    std::string_view tail = rest.substr(unit + 1);
    const auto speed = part_after("-e", tail), share = part_after("-t", tail);
    const auto budget_s = number(rest.substr(0, unit));
    const auto decade = speed ? number(*speed) : std::nullopt;
    const int threads = share ? threads_of(*share) : 0;
    if (!budget_s || !tail.empty() || speed.has_value() != decade.has_value()) return category;
    if (share && threads == 0) return category;
    category.budget_s = budget_s;
    category.speed_decade = decade;
    if (share) category.threads = threads;
    return category;
}

bool is_misspelt(const Category& category) {
    if (!category.budget_s) return false;
    std::string name = fmt::format("{}-{}s", category.device, *category.budget_s);
    if (category.speed_decade) name += fmt::format("-e{}", *category.speed_decade);
    if (category.threads) name += fmt::format("-t{}", *category.threads);
    return name != category.name;
}

double budget_of(const Category& category, double pool_budget_s) { return category.budget_s.value_or(pool_budget_s); }

bool is_of_another_device(const Category& category, const std::string& device) {
    return !category.device.empty() && category.device != device;
}

}  // namespace cultivar
