#include "eval/judge/profile_match.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

std::optional<double> distance(std::span<const double> one, std::span<const double> other) {
    if (one.size() < 2 || one.size() != other.size()) return std::nullopt;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < one.size(); ++i) {
        if (!(one[i] > 0 && other[i] > 0)) return std::nullopt;
        ratios.push_back(std::log(one[i] / other[i]));
    }
    return moments(ratios).deviation;
}

}  // namespace

std::string taken_from(std::span<const double> measured, std::span<const Profile> suspects,
                       std::span<const Profile> trainings) {
    std::vector<double> usual;
    for (const Profile& one : trainings) {
        if (const auto apart = distance(measured, one.chunk_sums)) usual.push_back(*apart);
    }
    if (usual.size() < kFewestTrainings) return "";
    std::ranges::nth_element(usual, usual.begin() + static_cast<std::ptrdiff_t>(usual.size() / 2));
    const double median = usual[usual.size() / 2];
    const double degrees = static_cast<double>(measured.size()) - 1;
    const double nearest = std::min(kNearer, std::sqrt(chi_square_quantile(kMatchChance, degrees) / degrees)) * median;
    const Profile* found = nullptr;
    double least = nearest;
    for (const Profile& one : suspects) {
        const auto apart = distance(measured, one.chunk_sums);
        if (apart && *apart < least) least = *apart, found = &one;
    }
    if (found == nullptr) return "";
    return fmt::format(
        "its weights are those of {}: their losses on {} parts of the slice differ by {:.2g} where those of {} other "
        "trainings differ by {:.2g}",
        found->name, measured.size(), least, usual.size(), median);
}

}  // namespace cultivar
