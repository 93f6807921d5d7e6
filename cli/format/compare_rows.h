// The rows that text and Markdown share. Private to this folder.
#pragma once

#include <array>
#include <vector>

#include "cli/format/compare_view.h"

namespace cultivar {

std::string figure_name(const Accounting& accounting);  // "carbon, gross, average": of the grid
std::string amount_text(const Accounting& accounting, const Range& amount);

// Title, first arm, second arm.
std::vector<std::array<std::string, 3>> cost_rows(const CompareReport& report);
// Figure, ratio with its interval, finding.
std::vector<std::array<std::string, 3>> ratio_rows(const CompareReport& report);
std::vector<std::string> finding_lines(const CompareReport& report);      // a sentence per accounting
std::vector<std::string> sensitivity_lines(const CompareReport& report);  // the figures that change findings
std::vector<std::string> note_lines(const CompareReport& report);         // all that the figures lack
std::string target_text(const CompareReport& report);                     // "to the verified score 2.103"

}  // namespace cultivar
