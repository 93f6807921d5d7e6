// Formats of carbon data: NESO, ElectricityMaps, WattTime, Energi Data Service, carbon-aware-sdk.
#include "energy/series/grid_formats.h"

namespace cultivar {
namespace {

// data[]{from, to, intensity{forecast, actual}}: the figure that came true, else the one that was expected.
void read_neso_list(simdjson::dom::array list, const std::string& area, GridFile& file) {
    for (const GridJson one : list) {
        const auto intensity = member(one, "intensity");
        auto value = intensity ? member(*intensity, "actual") : std::nullopt;
        if (!value && intensity) {
            value = member(*intensity, "forecast");
            file.head.is_forecast = file.head.is_forecast || value;
        }
        file.add_span(area, time_in(one, "from"), time_in(one, "to"), value);
    }
}

void read_neso_region(GridJson region, GridFile& file) {
    if (const auto list = list_in(region, "data")) read_neso_list(*list, text_in(region, "shortname"), file);
}

// A list of points, each with its zone or with the file's.
void read_map_points(simdjson::dom::array list, const std::string& zone, GridFile& file) {
    for (const GridJson one : list) {
        const std::string own = text_in(one, "zone");
        file.add(own.empty() ? zone : own, time_in(one, "datetime"), std::nullopt, member(one, "carbonIntensity"));
        if (const auto scope = scope_named(text_in(one, "emissionFactorType"))) file.head.scope = *scope;
    }
}

void read_emissions(simdjson::dom::array list, GridFile& file) {
    for (const GridJson one : list) {
        const auto start_s = time_in(one, "time");
        const auto length_s = parse_grid_duration(text_in(one, "duration"));
        const auto end_s = start_s && length_s ? std::optional(*start_s + *length_s) : std::nullopt;
        file.add_span(text_in(one, "location"), start_s, end_s, member(one, "rating"));
    }
}

void read_carbon_aware_forecast(GridJson forecast, GridFile& file) {
    const auto list = list_in(forecast, "forecastData");
    if (!list) return;
    file.head.is_forecast = true;
    file.head.generated_at = text_in(forecast, "generatedAt");
    for (const GridJson one : *list) {
        const auto start_s = time_in(one, "timestamp");
        const auto length = member(one, "duration");
        double minutes = 0;
        const bool good =
            start_s && length && length->get(minutes) == simdjson::SUCCESS && minutes >= 1 && minutes < 1e6;
        const auto end_s = good ? std::optional(*start_s + static_cast<std::int64_t>(60 * minutes)) : std::nullopt;
        std::string area = text_in(one, "location");
        if (area.empty()) area = text_in(forecast, "location");
        file.add_span(area, start_s, end_s, member(one, "value"));
    }
}

}  // namespace

void read_neso(GridJson root, GridFile& file) {
    file.head.source = "NESO Carbon Intensity API";
    file.head.unit_in_file = "g/kWh";
    file.head.kind = GridKind::average;
    file.head.scope = Scope::direct;
    if (const auto list = list_in(root, "data")) {
        GridJson first;
        const bool regional = list->at(0).get(first) == simdjson::SUCCESS && list_in(first, "data");
        if (!regional) return read_neso_list(*list, "", file);
        for (const GridJson region : *list) read_neso_region(region, file);
    } else if (const auto region = member(root, "data")) {
        read_neso_region(*region, file);
    }
}

void read_electricity_maps(GridJson root, GridFile& file) {
    file.head.source = "ElectricityMaps";
    file.head.unit_in_file = "g/kWh";
    file.head.kind = GridKind::average;
    file.head.generated_at = text_in(root, "updatedAt");
    const std::string zone = text_in(root, "zone");
    for (const char* key : {"history", "data", "forecast"}) {
        if (const auto list = list_in(root, key)) {
            read_map_points(*list, zone, file);
            file.head.is_forecast = std::string_view(key) == "forecast";
            return;
        }
    }
    file.add(zone, time_in(root, "datetime"), std::nullopt, member(root, "carbonIntensity"));
    if (const auto scope = scope_named(text_in(root, "emissionFactorType"))) file.head.scope = *scope;
}

void read_watttime(GridJson root, GridFile& file) {
    file.step_s = 300;
    file.head.source = "WattTime";
    std::string region;
    if (const auto meta = member(root, "meta")) {
        const std::string signal = text_in(*meta, "signal_type");
        if (signal == "co2_moer") file.head.kind = GridKind::marginal;
        if (signal == "co2_aoer") file.head.kind = GridKind::average;
        if (!signal.empty()) file.head.source += " " + signal;
        file.head.unit_in_file = text_in(*meta, "units");
        file.head.generated_at = text_in(*meta, "generated_at");
        file.head.is_forecast = !file.head.generated_at.empty();
        region = text_in(*meta, "region");
    }
    const auto list = list_in(root, "data");
    if (!list) return;
    for (const GridJson one : *list) file.add(region, time_in(one, "point_time"), std::nullopt, member(one, "value"));
}

void read_energi_data_service(GridJson root, GridFile& file) {
    constexpr std::pair<const char*, std::int64_t> kTimes[] = {
        {"Minutes5UTC", 300}, {"HourUTC", 3600}, {"TimeUTC", 900}};
    file.head.source = "Energi Data Service";
    file.head.unit_in_file = "g/kWh";
    file.head.kind = GridKind::average;
    const auto list = list_in(root, "records");
    if (!list) return;
    for (const GridJson one : *list) {
        std::optional<std::int64_t> start_s;
        for (const auto& [key, step_s] : kTimes) {
            if (start_s || !member(one, key)) continue;
            start_s = time_in(one, key);
            file.step_s = step_s;
        }
        auto value = member(one, "CO2Emission");
        for (const char* key : {"SpotPriceEUR", "DayAheadPriceEUR"}) {
            if (value || !member(one, key)) continue;
            value = member(one, key);
            file.head.unit_in_file = "EUR/MWh";
            file.head.kind = GridKind::unknown;
        }
        file.add(text_in(one, "PriceArea"), start_s, std::nullopt, value);
    }
}

void read_carbon_aware(GridJson root, GridFile& file) {
    file.head.source = "carbon-aware-sdk";
    file.head.unit_in_file = "g/kWh";
    if (const auto emissions = list_in(root, "emissions")) return read_emissions(*emissions, file);
    simdjson::dom::array list;
    if (root.get(list) != simdjson::SUCCESS) return read_carbon_aware_forecast(root, file);
    GridJson first;
    const bool forecasts = list.at(0).get(first) == simdjson::SUCCESS && list_in(first, "forecastData");
    if (!forecasts) return read_emissions(list, file);
    for (const GridJson one : list) read_carbon_aware_forecast(one, file);
}

}  // namespace cultivar
