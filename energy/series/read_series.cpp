#include "energy/series/read_series.h"

#include <array>

#include <fmt/format.h>

#include "energy/series/grid_formats.h"
#include "energy/series/grid_unit.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostDepth = 12;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The first entry of a list, or the thing itself.
std::optional<GridJson> first_of(GridJson json) {
    simdjson::dom::array list;
    if (json.get(list) != simdjson::SUCCESS) return json;
    GridJson first;
    return list.at(0).get(first) == simdjson::SUCCESS ? std::optional(first) : std::nullopt;
}

std::optional<GridJson> first_in(GridJson json, std::string_view key) {
    const auto value = member(json, key);
    return value ? first_of(*value) : std::nullopt;
}

bool is_list(GridJson json) { return json.type() == simdjson::dom::element_type::ARRAY; }

bool is_neso(GridJson root) {
    const auto first = first_in(root, "data");
    return first && (member(*first, "intensity") || (list_in(*first, "data") && !member(*first, "meta")));
}
bool is_electricity_maps(GridJson root) {
    if (is_list(root) || !member(root, "zone")) return false;
    return list_in(root, "forecast") || list_in(root, "history") || list_in(root, "data") ||
           member(root, "carbonIntensity");
}
bool is_watttime(GridJson root) {
    const auto meta = member(root, "meta");
    return meta && member(*meta, "signal_type") && list_in(root, "data");
}
bool is_energi_data_service(GridJson root) { return list_in(root, "records").has_value(); }
bool is_carbon_aware(GridJson root) {
    if (list_in(root, "emissions")) return true;
    const auto first = first_of(root);
    return first && (list_in(*first, "forecastData") || (is_list(root) && member(*first, "rating")));
}
bool is_awattar(GridJson root) {
    const auto first = first_in(root, "data");
    return first && member(*first, "start_timestamp");
}
bool is_nord_pool(GridJson root) { return list_in(root, "multiAreaEntries").has_value(); }
bool is_octopus(GridJson root) { return list_in(root, "results").has_value(); }
bool is_plain(GridJson root) {
    const auto result = member(root, "result");
    if (list_in(result ? *result : root, "rates")) return true;
    const auto first = first_of(root);
    return is_list(root) && first && member(*first, "start") && member(*first, "end");
}

struct GridFormat {
    const char* name;
    bool (*is_it)(GridJson root);
    void (*read)(GridJson root, GridFile& file);
};

constexpr std::array<GridFormat, 9> kFormats = {{
    {"neso", is_neso, read_neso},
    {"electricitymaps", is_electricity_maps, read_electricity_maps},
    {"watttime", is_watttime, read_watttime},
    {"energidataservice", is_energi_data_service, read_energi_data_service},
    {"carbonaware", is_carbon_aware, read_carbon_aware},
    {"awattar", is_awattar, read_awattar},
    {"nordpool", is_nord_pool, read_nord_pool},
    {"octopus", is_octopus, read_octopus},
    {"plain", is_plain, read_plain},
}};

Result<const GridFormat*> format_of(GridJson root, const std::string& named, const std::string& where) {
    for (const GridFormat& one : kFormats) {
        if (named.empty() ? one.is_it(root) : named == one.name) return &one;
    }
    const std::string known = fmt::format("{}", fmt::join(series_formats(), ", "));
    if (named.empty()) return fail(Code::corrupt, fmt::format("{}: the shape is that of none of {}", where, known));
    return fail(Code::usage, fmt::format("{}: '{}' is no format of grid data: {}", where, clean(named, 40), known));
}

Result<std::vector<GridSlot>> slots_of(GridFile& file, const std::string& area, const std::string& where) {
    std::vector<std::string> names;
    for (const auto& [name, slots] : file.areas) {
        if (names.size() < 8) names.push_back(clean(name, 40));
    }
    if (names.empty()) return fail(Code::corrupt, fmt::format("{}: no entry has a time and a number", where));
    const std::string listed = fmt::format("{}", fmt::join(names, ", "));
    if (area.empty() && file.areas.size() > 1)
        return fail(Code::usage, fmt::format("{}: it has several areas: {}", where, listed), "area = \"NAME\"");
    const auto found = area.empty() ? file.areas.begin() : file.areas.find(area);
    if (found == file.areas.end())
        return fail(Code::usage, fmt::format("{}: area '{}' is not there: {}", where, clean(area, 40), listed));
    file.head.area = found->first;
    return std::move(found->second);
}

void overrule(SeriesHead& head, const SeriesTerms& terms) {
    if (!terms.unit.empty()) head.unit_in_file = terms.unit;
    if (!terms.source.empty()) head.source = terms.source;
    if (terms.kind != GridKind::unknown) head.kind = terms.kind;
    if (terms.scope != Scope::unknown) head.scope = terms.scope;
}

Result<Series> series_of(GridFile& file, const SeriesTerms& terms, const std::string& where) {
    overrule(file.head, terms);
    const auto unit = parse_grid_unit(file.head.unit_in_file);
    if (!unit && file.head.unit_in_file.empty())
        return fail(Code::usage, fmt::format("{}: the file does not tell its unit", where), "unit = \"g/kWh\"");
    if (!unit)
        return fail(Code::usage,
                    fmt::format("{}: '{}' is no unit of carbon or price", where, clean(file.head.unit_in_file, 40)),
                    "unit = \"g/kWh\"");
    TRY_ASSIGN(std::vector<GridSlot> slots, slots_of(file, terms.area, where));
    file.head.quantity = unit->quantity;
    file.head.unit = unit->unit;
    close_slots(slots, file.step_s);
    auto quarters = resample(std::move(slots));
    if (!quarters) return fail(quarters.error().code, fmt::format("{}: {}", where, quarters.error().message));
    if (quarters->empty()) return fail(Code::corrupt, fmt::format("{}: it covers no quarter of an hour", where));
    for (Quarter& one : *quarters) one.value *= unit->factor;
    return Series{std::move(file.head), std::move(*quarters)};
}

}  // namespace

std::vector<std::string> series_formats() {
    std::vector<std::string> names;
    for (const GridFormat& one : kFormats) names.emplace_back(one.name);
    return names;
}

Result<Series> read_series(std::string_view bytes, const SeriesTerms& terms, const std::string& where) {
    if (bytes.size() > kMostSeriesBytes)
        return fail(Code::corrupt, fmt::format("{}: it is larger than {} MiB", where, kMostSeriesBytes >> 20));
    const std::string_view json = bytes.substr(bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
    simdjson::dom::parser parser;
    GridJson root;
    const bool good = parser.allocate(json.size(), kMostDepth) == simdjson::SUCCESS &&
                      parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS;
    if (!good) return fail(Code::corrupt, fmt::format("{}: it is no JSON, or nested too deeply", where));
    TRY_ASSIGN(const GridFormat* format, format_of(root, terms.format, where));
    GridFile file;
    file.head.format = format->name;
    file.head.sha256 = sha256_hex(bytes);
    format->read(root, file);
    return series_of(file, terms, where);
}

Result<Series> read_series_file(const std::string& path, const SeriesTerms& terms) {
    TRY_ASSIGN(const std::string bytes, read_file(path, kMostSeriesBytes));
    return read_series(bytes, terms, path);
}

}  // namespace cultivar
