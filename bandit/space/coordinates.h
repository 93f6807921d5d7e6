// Genes as coordinates: ordered genes (whole and real numbers) on [0, 1], in log space where declared, levels at equal
// distances; unordered genes (boolean, choice) as an index. What comes back from a coordinate is always a legal value:
// snapped to multiples or levels, reals rounded to about three significant digits so that people can read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool/types/search_space.h"

namespace cultivar {

inline bool ordered(const Gene& gene) { return gene.type == GeneType::integer || gene.type == GeneType::real; }

// A whole number that counts something (steps, tokens, channels): it has a unit, or a logarithmic or wide range, or
// levels that grow eightfold.
bool is_size(const Gene& gene);

// How many values the gene can take: at most `kManyValues`, which is what a real gene has unless its range is a point.
inline constexpr std::int64_t kManyValues = 1000;
std::int64_t value_count(const Gene& gene);

// Ordered genes only; `value` has the gene's type.
double to_unit(const Gene& gene, const Value& value);
Value from_unit(const Gene& gene, double unit);
// The value `distance` > 0 away in `direction` (-1 or +1). A step beyond the end of the range lands at the given
// `share` (0 to 1) of the way to that end instead, so that the direction is kept; at the end itself it turns back.
// Differs from `value` where the gene has more than one value.
Value step_from(const Gene& gene, const Value& value, int direction, double distance, double share);

// A complete assignment as one coordinate a gene, in the space's order: unit, index, or kAbsent where it is inactive.
inline constexpr double kAbsent = -1;
using Point = std::vector<double>;
Point to_point(const Space& space, const Genes& genes);

// Unordered genes only.
std::size_t to_index(const Gene& gene, const Value& value);
Value from_index(const Gene& gene, std::size_t index);

}  // namespace cultivar
