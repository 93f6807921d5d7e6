#include "cli/session/score_texts.h"

namespace cultivar {

Result<std::optional<double>> ScoreTexts::noise(const std::string& category) {
    if (const auto found = noise_.find(category); found != noise_.end()) return found->second;
    TRY_ASSIGN(const std::optional<double> sigma, session_.index->noise(category));
    return noise_[category] = sigma;
}

Result<ScoreText> ScoreTexts::in(const std::string& category) {
    if (!plain_.any_metric() || session_.clone->task.noiseless) return plain_;
    TRY_ASSIGN(const std::optional<double> sigma, noise(category));
    return plain_.with_noise(sigma.value_or(0));
}

Result<bool> ScoreTexts::noise_known(const std::string& category) {
    if (session_.clone->task.noiseless) return true;
    TRY_ASSIGN(const std::optional<double> sigma, noise(category));
    return sigma.has_value();
}

}  // namespace cultivar
