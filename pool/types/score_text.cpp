#include "pool/types/score_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr int kDigits = 6, kMostDigits = 15;

int exponent_of(double figure) { return static_cast<int>(std::floor(std::log10(std::abs(figure)))); }

// Significant digits down to the first digit that noise hides. Those before the decimal point are always there.
int digits_of(double figure, double sigma) {
    if (!(sigma > 0) || figure == 0 || !std::isfinite(figure) || !std::isfinite(sigma)) return kDigits;
    const int highest = exponent_of(figure), lowest = exponent_of(sigma) - 1;
    return std::clamp(highest - lowest + 1, std::clamp(highest + 1, 1, kDigits), kMostDigits);
}

}  // namespace

ScoreText ScoreText::with_noise(double sigma) const {
    ScoreText text = *this;
    text.sigma_ = sigma;
    return text;
}

std::string ScoreText::plain(double figure) const {
    return any_metric_ ? fmt::format("{:.{}g}", figure, digits_of(figure, sigma_)) : fmt::format("{:.4f}", figure);
}

std::string ScoreText::of(double loss) const { return plain(maximized_ ? 0.0 - loss : loss); }

std::string ScoreText::interval(double low, double high) const {
    return maximized_ ? of(high) + " to " + of(low) : of(low) + " to " + of(high);
}

std::string ScoreText::error(double width) const {
    return any_metric_ ? fmt::format("{:.2g}", width) : fmt::format("{:.4f}", width);
}

}  // namespace cultivar
