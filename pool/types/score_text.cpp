#include "pool/types/score_text.h"

#include <fmt/format.h>

namespace cultivar {

std::string ScoreText::plain(double figure) const {
    return any_metric_ ? fmt::format("{:.6g}", figure) : fmt::format("{:.4f}", figure);
}

std::string ScoreText::of(double loss) const { return plain(maximized_ ? 0.0 - loss : loss); }

std::string ScoreText::interval(double low, double high) const {
    return maximized_ ? of(high) + " to " + of(low) : of(low) + " to " + of(high);
}

std::string ScoreText::error(double width) const {
    return any_metric_ ? fmt::format("{:.2g}", width) : fmt::format("{:.4f}", width);
}

}  // namespace cultivar
