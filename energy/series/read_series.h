// Reads files of grid data, as operators, markets and services hand them out, into a Series.
//
// The format is recognised by its shape, or named: neso, electricitymaps, watttime, energidataservice, carbonaware, awattar,
// nordpool, octopus, plain ([{start, end, value}]). The bytes are foreign: at most kMostSeriesBytes and kMostGridSlots of them
// are read, entries that make no sense are passed over and counted, and a file without a usable entry is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "energy/series/series.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::size_t kMostSeriesBytes = 32 << 20;

// The user's word on a file, which goes before the file's own. "": the file tells it, or nobody does.
struct SeriesTerms {
    std::string format{}, area{}, unit{}, source{};
    GridKind kind = GridKind::unknown;
    Scope scope = Scope::unknown;
};

std::vector<std::string> series_formats();

// `where` names the bytes in messages. Errors: corrupt (no JSON, no known shape, nothing usable, too large), usage (a name
// of no format, a unit that is unknown or missing, several areas and none named, an area that is not there).
Result<Series> read_series(std::string_view bytes, const SeriesTerms& terms, const std::string& where);
// Errors: those, not_found, io.
Result<Series> read_series_file(const std::string& path, const SeriesTerms& terms);

}  // namespace cultivar
