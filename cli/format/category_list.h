// Categories as `top` and `status` list them. Anybody may invent as many as they like: of those that nobody verified and
// that are not this machine's, only the first few are listed, and the rest is one line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pool/index/rows.h"

namespace cultivar {

inline constexpr std::size_t kStrangeCategories = 3;

struct CategoryList {
    std::vector<CategoryRow> shown;   // `mine` first
    std::vector<CategoryRow> hidden;  // one line
};

// `mine`: this machine's category, or "".
CategoryList listed(std::vector<CategoryRow> rows, const std::string& mine);
// "cpu-600s-e11 (yours)"
std::string title_of(const CategoryRow& row, const std::string& mine);
// "and 1497 categories that nobody verified, with 1523 candidates"; "" if none is hidden.
std::string hidden_text(const CategoryList& list);

}  // namespace cultivar
