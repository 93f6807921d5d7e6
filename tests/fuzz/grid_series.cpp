// Fuzzes files of grid data: by their shape, and as each of the formats, with and without a unit.
#include <algorithm>
#include <cmath>

#include "energy/series/read_series.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

namespace {

void read(std::string_view bytes, const SeriesTerms& terms) {
    const auto series = read_series(bytes, terms, "input");
    if (!series) return;
    demand(!series->quarters.empty() && series->head.sha256.size() == 64);
    const Quarter* before = nullptr;
    for (const Quarter& one : series->quarters) {
        demand(std::isfinite(one.value) && one.start_s % kQuarter_s == 0);
        demand(before == nullptr || before->start_s < one.start_s);
        before = &one;
    }
    demand(series->at(series->quarters.front().start_s) == series->quarters.front().value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::string> formats = series_formats();
    const std::string_view bytes = text_of(data, size);
    read(bytes, {});
    read(bytes, {.unit = "lbs/MWh"});
    for (const std::string& format : formats) read(bytes, {.format = format, .unit = "EUR/MWh"});
    return 0;
}
