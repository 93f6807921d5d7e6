// Values out of foreign JSON, and slots out of values.
#include "energy/series/grid_formats.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostText_bytes = 200, kMostAreas = 200;
constexpr double kMostValue = 1e9;
constexpr std::int64_t kMostSlot_s = std::int64_t{400} * 86400;

}  // namespace

std::optional<GridJson> member(GridJson json, std::string_view key) {
    simdjson::dom::object object;
    GridJson value;
    if (json.get(object) != simdjson::SUCCESS) return std::nullopt;
    if (object.at_key_case_insensitive(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
}

std::string text_in(GridJson json, std::string_view key) {
    const auto value = member(json, key);
    std::string_view text;
    if (!value || value->get(text) != simdjson::SUCCESS) return {};
    return std::string(text.substr(0, kMostText_bytes));
}

std::optional<std::int64_t> time_in(GridJson json, std::string_view key) { return parse_grid_time(text_in(json, key)); }

std::optional<simdjson::dom::array> list_in(GridJson json, std::string_view key) {
    const auto value = member(json, key);
    simdjson::dom::array list;
    if (!value || value->get(list) != simdjson::SUCCESS) return std::nullopt;
    return list;
}

void GridFile::add(const std::string& area, std::optional<std::int64_t> start_s, std::optional<std::int64_t> end_s,
                   std::optional<GridJson> value) {
    if (start_s && !value) return;
    double number = 0;
    const bool is_number = value && value->get(number) == simdjson::SUCCESS && std::abs(number) <= kMostValue;
    const bool is_time = start_s && (!end_s || (*end_s > *start_s && *end_s - *start_s <= kMostSlot_s));
    const bool fits = slots < kMostGridSlots && (areas.size() < kMostAreas || areas.contains(area));
    if (!is_number || !is_time || !fits) {
        ++head.passed_over;
        return;
    }
    areas[area].push_back({*start_s, end_s.value_or(0), number});
    ++slots;
}

}  // namespace cultivar
