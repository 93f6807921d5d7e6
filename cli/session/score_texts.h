// Score texts with as many digits as each category's noise leaves.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cli/session/session.h"
#include "pool/types/score_text.h"

namespace cultivar {

class ScoreTexts {
public:
    explicit ScoreTexts(Session& session) : session_(session), plain_(session.clone->task) {}
    Result<ScoreText> in(const std::string& category);
    // Is the category's noise known: measured, or declared to be none?
    Result<bool> noise_known(const std::string& category);

private:
    Result<std::optional<double>> noise(const std::string& category);

    Session& session_;
    ScoreText plain_;
    std::map<std::string, std::optional<double>> noise_;
};

}  // namespace cultivar
