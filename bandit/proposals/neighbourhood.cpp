#include "bandit/proposals/neighbourhood.h"

#include <algorithm>
#include <limits>

#include "bandit/space/coordinates.h"

namespace cultivar {
namespace {

constexpr double kClimb = 0.05;  // of a gene's range

}  // namespace

std::vector<Value> neighbours(const Gene& gene, const Value& value) {
    std::vector<Value> values;
    if (ordered(gene)) {
        for (int direction : {-1, 1}) values.push_back(step_from(gene, value, direction, kClimb, 1));
    } else {
        for (std::size_t i = 0; i < static_cast<std::size_t>(value_count(gene)); ++i)
            values.push_back(from_index(gene, i));
    }
    std::erase(values, value);
    return values;
}

Value any_value(const Gene& gene, Random& random) {
    if (ordered(gene)) return from_unit(gene, random.uniform());
    return from_index(gene, random.below(static_cast<std::uint64_t>(value_count(gene))));
}

std::vector<Value> all_values(const Gene& gene) {
    std::vector<Value> values;
    auto count = static_cast<std::size_t>(value_count(gene));
    for (std::size_t i = 0; i < count; ++i) {
        double unit = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0;
        values.push_back(ordered(gene) ? from_unit(gene, unit) : from_index(gene, i));
    }
    return values;
}

bool tunable(const Gene& gene) { return !gene.structural && value_count(gene) > 1; }

std::ptrdiff_t tunable_count(const Space& space) { return std::ranges::count_if(space.genes(), tunable); }

std::ptrdiff_t moved_count(const Space& space, const Genes& from, const Genes& to) {
    return std::ranges::count_if(space.genes(), [&](const Gene& gene) {
        return space.active(gene, from) && space.active(gene, to) && from.at(gene.name) != to.at(gene.name);
    });
}

std::ptrdiff_t most_moved(const Space& space) {
    return tunable_count(space) > kFewGenes ? kMostMoved : std::numeric_limits<std::ptrdiff_t>::max();
}

std::int64_t assignment_count(const Space& space) {
    std::int64_t count = 1;
    for (const Gene& gene : space.genes()) {
        if (tunable(gene)) count = std::min(count * value_count(gene), kSmallSpace + 1);
    }
    return count;
}

std::vector<Genes> every_assignment(const Space& space, const Genes& base) {
    std::vector<Genes> found{base};
    for (const Gene& gene : space.genes()) {
        if (!tunable(gene)) continue;
        std::vector<Genes> wider;
        for (const Value& value : all_values(gene)) {
            for (Genes genes : found) {
                genes.at(gene.name) = value;
                wider.push_back(std::move(genes));
            }
        }
        found = std::move(wider);
    }
    return found;
}

}  // namespace cultivar
