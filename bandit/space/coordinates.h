// Maps genes to coordinates and back. Ordered genes (whole and real numbers) lie on [0, 1], in log space where
// declared, levels at equal distances. Unordered genes (boolean, choice) are an index. The way back always gives a
// legal value: snapped to multiples or levels, reals rounded to about three significant digits for readability.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool/types/search_space.h"

namespace cultivar {

inline bool ordered(const Gene& gene) { return gene.type == GeneType::integer || gene.type == GeneType::real; }

// True for a whole number that counts something (steps, tokens, channels): it has a unit, or a logarithmic or wide
// range, or levels that grow eightfold.
bool is_size(const Gene& gene);

// Returns the number of values of the gene, at most `kManyValues`. A real gene has that many unless its range is a
// point.
inline constexpr std::int64_t kManyValues = 1000;
std::int64_t value_count(const Gene& gene);

// Ordered genes only; `value` has the gene's type.
double to_unit(const Gene& gene, const Value& value);
Value from_unit(const Gene& gene, double unit);
// Returns the value `distance` > 0 away in `direction` (-1 or +1). A step beyond the end of the range lands at the
// given `share` (0 to 1) of the way to that end instead, which keeps the direction; at the end itself it turns back.
// The result differs from `value` if the gene has more than one value.
Value step_from(const Gene& gene, const Value& value, int direction, double distance, double share);

// A complete assignment as one coordinate per gene, in the space's order: unit, index, or kAbsent if the gene is
// inactive.
inline constexpr double kAbsent = -1;
using Point = std::vector<double>;
Point to_point(const Space& space, const Genes& genes);

// Unordered genes only.
std::size_t to_index(const Gene& gene, const Value& value);
Value from_index(const Gene& gene, std::size_t index);

}  // namespace cultivar
