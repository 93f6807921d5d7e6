// The neighbourhood of an assignment in its plain genes: the values near one, all values, and the size of a space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bandit/space/random.h"
#include "pool/types/search_space.h"

namespace cultivar {

inline constexpr std::ptrdiff_t kFewGenes = 10;   // in a space with more genes the model's children
inline constexpr std::ptrdiff_t kMostMoved = 6;   // differ from their parents in at most so many
inline constexpr std::int64_t kSmallSpace = 500;  // assignments

// Returns the values next to this one: one climbing step either way, or every other value of an unordered gene.
std::vector<Value> neighbours(const Gene& gene, const Value& value);
Value any_value(const Gene& gene, Random& random);
// Returns every value of a gene that has few.
std::vector<Value> all_values(const Gene& gene);

// True for a plain gene with more than one value.
bool tunable(const Gene& gene);
std::ptrdiff_t tunable_count(const Space& space);

// Counts the genes that are active in both with different values.
std::ptrdiff_t moved_count(const Space& space, const Genes& from, const Genes& to);
// Returns the most plain genes that a child of the model may differ in. In a space of many genes the model favours
// changing many that nobody has changed, because it is most uncertain there. The result would tell little about any gene.
std::ptrdiff_t most_moved(const Space& space);

// Returns the number of assignments of the tunable genes; at most kSmallSpace + 1.
std::int64_t assignment_count(const Space& space);
// Returns `base` with every combination of values of the tunable genes; some may violate constraints. For small spaces.
std::vector<Genes> every_assignment(const Space& space, const Genes& base);

}  // namespace cultivar
