// Formats of prices: aWATTar, Nord Pool, Octopus; and the plain one, which may hold anything.
#include "energy/series/grid_formats.h"

namespace cultivar {
namespace {

std::optional<std::int64_t> moment_of_ms(GridJson json, std::string_view key) {
    constexpr std::int64_t kFrom_ms = 946'684'800'000, kTo_ms = 4'102'444'800'000;  // the years 2000 to 2099
    const auto value = member(json, key);
    std::int64_t moment_ms = 0;
    const bool good =
        value && value->get(moment_ms) == simdjson::SUCCESS && moment_ms >= kFrom_ms && moment_ms < kTo_ms;
    return good ? std::optional(moment_ms / 1000) : std::nullopt;
}

constexpr std::int64_t kOpenSlot_s = std::int64_t{366} * 86400;  // of a tariff without an end

}  // namespace

void read_awattar(GridJson root, GridFile& file) {
    file.head.source = "aWATTar";
    file.head.unit_in_file = "EUR/MWh";
    const auto list = list_in(root, "data");
    if (!list) return;
    for (const GridJson one : *list) {
        file.add_span("", moment_of_ms(one, "start_timestamp"), moment_of_ms(one, "end_timestamp"),
                      member(one, "marketprice"));
    }
}

void read_nord_pool(GridJson root, GridFile& file) {
    file.head.source = "Nord Pool";
    const std::string currency = text_in(root, "currency");
    file.head.unit_in_file = (currency.empty() ? "EUR" : currency) + "/MWh";
    file.head.generated_at = text_in(root, "updatedAt");
    const auto list = list_in(root, "multiAreaEntries");
    if (!list) return;
    for (const GridJson one : *list) {
        const auto start_s = time_in(one, "deliveryStart"), end_s = time_in(one, "deliveryEnd");
        const auto prices = member(one, "entryPerArea");
        simdjson::dom::object areas;
        if (!prices || prices->get(areas) != simdjson::SUCCESS) {
            ++file.head.passed_over;
            continue;
        }
        for (const auto [area, price] : areas)
            file.add_span(std::string(area.substr(0, 40)), start_s, end_s,
                          price.is_null() ? std::nullopt : std::optional<GridJson>(price));
    }
}

// Prices with tax, of payment by direct debit where there are two.
void read_octopus(GridJson root, GridFile& file) {
    file.head.source = "Octopus Energy";
    file.head.unit_in_file = "p/kWh";
    const auto list = list_in(root, "results");
    if (!list) return;
    for (const GridJson one : *list) {
        if (text_in(one, "payment_method") == "NON_DIRECT_DEBIT") continue;
        const auto start_s = time_in(one, "valid_from");
        auto end_s = time_in(one, "valid_to");
        if (start_s && !member(one, "valid_to")) end_s = *start_s + kOpenSlot_s;
        file.add_span("", start_s, end_s, member(one, "value_inc_vat"));
    }
}

void read_plain(GridJson root, GridFile& file) {
    file.head.source = "";
    simdjson::dom::array list;
    if (root.get(list) != simdjson::SUCCESS) {
        const auto result = member(root, "result");
        const auto rates = list_in(result ? *result : root, "rates");
        if (!rates) return;
        list = *rates;
    }
    for (const GridJson one : list) file.add_span("", time_in(one, "start"), time_in(one, "end"), member(one, "value"));
}

}  // namespace cultivar
