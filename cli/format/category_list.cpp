#include "cli/format/category_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/app/terminal.h"

namespace cultivar {

CategoryList listed(std::vector<CategoryRow> rows, const std::string& mine) {
    std::stable_partition(rows.begin(), rows.end(), [&](const CategoryRow& row) { return row.name == mine; });
    CategoryList list;
    std::size_t strange = 0;
    for (CategoryRow& row : rows) {
        const bool known = row.own || row.verified || row.name == mine;
        (known || ++strange <= kStrangeCategories ? list.shown : list.hidden).push_back(std::move(row));
    }
    return list;
}

std::string title_of(const CategoryRow& row, const std::string& mine) {
    return clean(row.name, 64) + (row.name == mine || (mine.empty() && row.own) ? " (yours)" : "");
}

std::string hidden_text(const CategoryList& list) {
    if (list.hidden.empty()) return "";
    std::int64_t candidates = 0;
    for (const CategoryRow& row : list.hidden) candidates += row.scored;
    return fmt::format("and {} categor{} more that nobody verified, with {}", list.hidden.size(),
                       list.hidden.size() == 1 ? "y" : "ies", counted(candidates, "candidate"));
}

}  // namespace cultivar
