#include "energy/factors/stated_factor.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace cultivar {
namespace {

constexpr std::array<std::string_view, 7> kQuantities = {"carbon", "price",   "water_on_site", "water_off_site",
                                                         "pue",    "network", "embodied"};
constexpr double kMostFigure = 1e9, kMostLife_years = 100;
constexpr int kFirstYear = 1990, kLastYear = 2100;
constexpr std::size_t kMostWord_bytes = 40, kMostSource_bytes = 200;

bool is_plain_text(const std::string& text, std::size_t most) {
    return text.size() <= most && text == valid_utf8(text) &&
           std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// The first thing that is wrong, or "".
std::string fault_of(const StatedFactor& factor) {
    const double low = factor.low.value_or(factor.value.value_or(0)), value = factor.value.value_or(low);
    const double high = factor.high.value_or(value), least = factor.quantity == "price" ? -kMostFigure : 0;
    if (std::ranges::find(kQuantities, factor.quantity) == kQuantities.end())
        return fmt::format("'quantity' is none of {}", fmt::join(kQuantities, ", "));
    if (!(low >= least && low <= value && value <= high && high <= kMostFigure))
        return "'low', 'value' and 'high' do not ascend, or are out of range";
    if (factor.quantity == "pue" && factor.value && low < 1) return "'pue' is below 1";
    if (!factor.grid.empty() && factor.grid != "average" && factor.grid != "marginal")
        return "'grid' is neither average nor marginal";
    if (!(factor.life_years >= 0 && factor.life_years <= kMostLife_years)) return "'life_years' is out of range";
    if (factor.quantity == "embodied" && factor.life_years == 0) return "'life_years' is missing";
    if (factor.year != 0 && (factor.year < kFirstYear || factor.year > kLastYear)) return "'year' is out of range";
    for (const std::string* word : {&factor.zone, &factor.unit}) {
        if (!is_plain_text(*word, kMostWord_bytes)) return "'zone' or 'unit' is no short text";
    }
    return is_plain_text(factor.source, kMostSource_bytes) ? "" : "'source' is no text of one line";
}

}  // namespace

Result<StatedFactor> read_stated_factor(TomlTable& table, const std::string& at) {
    StatedFactor factor;
    const TomlEntry* first = table.take(at + "quantity");
    TRY(table.read(at + "quantity", factor.quantity, true));
    TRY(table.read(at + "grid", factor.grid));
    TRY(table.read(at + "zone", factor.zone));
    TRY(table.read(at + "unit", factor.unit));
    TRY(table.read(at + "source", factor.source));
    TRY(table.read(at + "value", factor.value));
    TRY(table.read(at + "low", factor.low));
    TRY(table.read(at + "high", factor.high));
    TRY(table.read(at + "life_years", factor.life_years));
    TRY(table.read(at + "year", factor.year));
    const std::string fault = fault_of(factor);
    if (!fault.empty()) return fail(table.wrong(*first, fault));
    return factor;
}

}  // namespace cultivar
