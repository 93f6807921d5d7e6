#include "pool/rules/same_candidate.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace cultivar {
namespace {

std::optional<double> number(const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&value)) return *real;
    return std::nullopt;
}

// As a share of the gene's range; infinite where it cannot be told.
double difference(const Gene& gene, const Value& one, const Value& other) {
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    const auto a = number(one), b = number(other);
    if (!a || !b) return kInfinite;
    const bool log_scale = gene.log_scale && *a > 0 && *b > 0;
    const double range = log_scale ? std::log(gene.high / gene.low) : gene.high - gene.low;
    const double apart = std::abs(log_scale ? std::log(*a / *b) : *a - *b);
    return range > 0 ? apart / range : kInfinite;
}

}  // namespace

std::string no_effect(const Space& space, const Genes& one, const Genes& other) {
    double largest = 0;
    std::string text;
    for (const Gene& gene : space.genes()) {
        const auto a = one.find(gene.name), b = other.find(gene.name);
        if (a == one.end() && b == other.end()) continue;
        if (a == one.end() || b == other.end() || space.active(gene, one) != space.active(gene, other)) return "";
        if (a->second == b->second || !space.active(gene, one)) continue;
        const double apart = difference(gene, a->second, b->second);
        if (!(apart <= kNoEffect)) return "";
        if (apart < largest) continue;
        largest = apart;
        text = fmt::format("{} {} against {}", gene.name, *number(a->second), *number(b->second));
    }
    return text;
}

}  // namespace cultivar
