#include "bandit/space/coordinates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cultivar {
namespace {

constexpr double kWide = 1000;
constexpr std::int64_t kGrowth = 8;

struct Range {
    double low = 0, high = 0;
};

// The smallest and largest value that the gene accepts.
Range range_of(const Gene& gene) {
    if (gene.type == GeneType::real) return {gene.low, gene.high};
    double multiple = static_cast<double>(gene.multiple_of);
    return {std::ceil(gene.low / multiple) * multiple, std::floor(gene.high / multiple) * multiple};
}

double as_number(const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&value)) return *real;
    return 0;
}

// Log genes keep three significant digits, linear ones a 300th of their range or finer, both in decimals.
double rounded(const Gene& gene, double number) {
    std::string text;
    if (gene.log_scale) {
        text = fmt::format("{:.2e}", number);
    } else {
        int decimals = static_cast<int>(std::ceil(-std::log10((gene.high - gene.low) / 300)));
        text = fmt::format("{:.{}f}", number, std::clamp(decimals, 0, 17));
    }
    double result = number;
    std::from_chars(text.data(), text.data() + text.size(), result);
    return std::clamp(result, gene.low, gene.high);
}

std::size_t nearest_level(const Gene& gene, double number) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < gene.levels.size(); ++i) {
        if (std::abs(static_cast<double>(gene.levels[i]) - number) <
            std::abs(static_cast<double>(gene.levels[best]) - number))
            best = i;
    }
    return best;
}

// Returns the value next to `value` in this direction; `value` itself at the end of the range.
Value neighbour(const Gene& gene, const Value& value, int direction) {
    if (gene.type == GeneType::real) return from_unit(gene, to_unit(gene, value) + 0.01 * direction);
    if (!gene.levels.empty()) {
        auto last = static_cast<std::int64_t>(gene.levels.size()) - 1;
        auto index = static_cast<std::int64_t>(nearest_level(gene, as_number(value))) + direction;
        return gene.levels[static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, last))];
    }
    Range range = range_of(gene);
    double next = as_number(value) + static_cast<double>(gene.multiple_of) * direction;
    return static_cast<std::int64_t>(std::clamp(next, range.low, range.high));
}

}  // namespace

bool is_size(const Gene& gene) {
    if (gene.type != GeneType::integer) return false;
    if (!gene.unit.empty() || gene.log_scale || gene.high - gene.low >= kWide) return true;
    return !gene.levels.empty() && gene.levels.front() > 0 && gene.levels.back() / gene.levels.front() >= kGrowth;
}

std::int64_t value_count(const Gene& gene) {
    switch (gene.type) {
        case GeneType::boolean:
            return 2;
        case GeneType::choice:
            return static_cast<std::int64_t>(gene.choices.size());
        case GeneType::real:
            return gene.high > gene.low ? kManyValues : 1;
        case GeneType::integer:
            break;
    }
    if (!gene.levels.empty()) return static_cast<std::int64_t>(gene.levels.size());
    Range range = range_of(gene);
    double count = (range.high - range.low) / static_cast<double>(gene.multiple_of) + 1;
    return static_cast<std::int64_t>(std::clamp(count, 0.0, static_cast<double>(kManyValues)));
}

double to_unit(const Gene& gene, const Value& value) {
    double number = as_number(value);
    if (!gene.levels.empty()) {
        if (gene.levels.size() < 2) return 0;
        return static_cast<double>(nearest_level(gene, number)) / static_cast<double>(gene.levels.size() - 1);
    }
    Range range = range_of(gene);
    if (!(range.high > range.low)) return 0;
    double unit = gene.log_scale ? std::log(number / range.low) / std::log(range.high / range.low)
                                 : (number - range.low) / (range.high - range.low);
    return std::clamp(unit, 0.0, 1.0);
}

Value from_unit(const Gene& gene, double unit) {
    unit = std::clamp(unit, 0.0, 1.0);
    if (!gene.levels.empty()) {
        auto index = std::llround(unit * static_cast<double>(gene.levels.size() - 1));
        return gene.levels[static_cast<std::size_t>(index)];
    }
    Range range = range_of(gene);
    double number = gene.log_scale && range.low > 0 ? range.low * std::pow(range.high / range.low, unit)
                                                    : range.low + unit * (range.high - range.low);
    if (gene.type == GeneType::real) return range.high > range.low ? rounded(gene, number) : range.low;
    double multiple = static_cast<double>(gene.multiple_of);
    double snapped = std::clamp(std::round(number / multiple) * multiple, range.low, range.high);
    return static_cast<std::int64_t>(snapped);
}

Value step_from(const Gene& gene, const Value& value, int direction, double distance, double share) {
    double unit = to_unit(gene, value);
    if (direction < 0 ? unit <= 0 : unit >= 1) direction = -direction;
    double room = direction < 0 ? unit : 1 - unit;
    if (distance > room) distance = room * share;
    Value stepped = from_unit(gene, unit + direction * distance);
    if (stepped == value) stepped = neighbour(gene, value, direction);
    if (stepped == value) stepped = neighbour(gene, value, -direction);
    return stepped;
}

Point to_point(const Space& space, const Genes& genes) {
    Point point;
    point.reserve(space.genes().size());
    for (const Gene& gene : space.genes()) {
        const Value& value = genes.at(gene.name);
        if (!space.active(gene, genes)) {
            point.push_back(kAbsent);
        } else {
            point.push_back(ordered(gene) ? to_unit(gene, value) : static_cast<double>(to_index(gene, value)));
        }
    }
    return point;
}

std::size_t to_index(const Gene& gene, const Value& value) {
    if (const auto* yes = std::get_if<bool>(&value)) return *yes ? 1 : 0;
    const auto* word = std::get_if<std::string>(&value);
    if (word == nullptr) return 0;
    auto found = std::ranges::find(gene.choices, *word);
    return found == gene.choices.end() ? 0 : static_cast<std::size_t>(found - gene.choices.begin());
}

Value from_index(const Gene& gene, std::size_t index) {
    if (gene.type == GeneType::boolean) return index == 1;
    return gene.choices[index];
}

}  // namespace cultivar
