// A comparison as text, as Markdown and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/app/json.h"
#include "cli/app/terminal.h"
#include "energy/compare/comparison.h"

namespace cultivar {

struct CompareReport {
    Arm arms[2]{};
    Comparison comparison{};
    std::string metric{};              // "bits per byte"
    bool is_maximized = false;         // a score is a negative loss then
    bool is_target_found = false;      // nobody stated it: it is the best score that all repeats reached
    std::vector<std::string> notes{};  // further sentences below the table

    double score_of(double loss) const { return is_maximized ? -loss : loss; }
};

// "energy, above idle: the first arm is lower". The power calculation is named where it is used.
std::string sentence(const Judged& judged);

std::string compare_text(const Ui& ui, const CompareReport& report);
std::string compare_markdown(const CompareReport& report);
Json compare_json(const CompareReport& report);

}  // namespace cultivar
