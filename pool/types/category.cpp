#include "pool/types/category.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::array<std::string_view, 3> kDevices = {"cpu", "cuda", "mps"};

std::optional<double> number(std::string_view text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    const bool whole = read.ec == std::errc() && read.ptr == end && std::isfinite(value);
    return whole ? std::optional(value) : std::nullopt;
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
    const std::string_view speed = rest.substr(unit + 1);
    if (!speed.empty() && !speed.starts_with("-e")) return category;
    const auto budget_s = number(rest.substr(0, unit));
    const auto decade = speed.empty() ? std::nullopt : number(speed.substr(2));
    if (!budget_s || (!speed.empty() && !decade)) return category;
    category.budget_s = budget_s;
    category.speed_decade = decade;
    return category;
}

bool is_misspelt(const Category& category) {
    if (!category.budget_s) return false;
    std::string name = fmt::format("{}-{}s", category.device, *category.budget_s);
    if (category.speed_decade) name += fmt::format("-e{}", *category.speed_decade);
    return name != category.name;
}

double budget_of(const Category& category, double pool_budget_s) { return category.budget_s.value_or(pool_budget_s); }

bool is_of_another_device(const Category& category, const std::string& device) {
    return !category.device.empty() && category.device != device;
}

}  // namespace cultivar
