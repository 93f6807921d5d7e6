// The formats of grid data, each with a function that reads it. Private to this folder.
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "energy/series/grid_time.h"
#include "energy/series/resample.h"
#include "energy/series/series.h"

namespace cultivar {

using GridJson = simdjson::dom::element;

// Everything that a format's function found: the head as far as the file tells it, and slots by area.
struct GridFile {
    SeriesHead head;
    std::int64_t step_s = 3600;  // of points, where there is but one
    std::map<std::string, std::vector<GridSlot>> areas{};
    std::size_t slots = 0;

    // A null value makes a gap; an entry without a time or a number is passed over and counted.
    void add(const std::string& area, std::optional<std::int64_t> start_s, std::optional<std::int64_t> end_s,
             std::optional<GridJson> value);
    // The same of a format whose entries have both times: one without either is passed over.
    void add_span(const std::string& area, std::optional<std::int64_t> start_s, std::optional<std::int64_t> end_s,
                  std::optional<GridJson> value) {
        add(area, end_s ? start_s : std::nullopt, end_s, value);
    }
};

std::optional<GridJson> member(GridJson json, std::string_view key);  // in any case; null counts as absent
std::string text_in(GridJson json, std::string_view key);             // "": absent, or no text; at most 200 bytes
std::optional<std::int64_t> time_in(GridJson json, std::string_view key);
std::optional<simdjson::dom::array> list_in(GridJson json, std::string_view key);

void read_neso(GridJson root, GridFile& file);
void read_electricity_maps(GridJson root, GridFile& file);
void read_watttime(GridJson root, GridFile& file);
void read_energi_data_service(GridJson root, GridFile& file);
void read_carbon_aware(GridJson root, GridFile& file);
void read_awattar(GridJson root, GridFile& file);
void read_nord_pool(GridJson root, GridFile& file);
void read_octopus(GridJson root, GridFile& file);
void read_plain(GridJson root, GridFile& file);

}  // namespace cultivar
