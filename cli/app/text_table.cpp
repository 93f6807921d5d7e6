#include "cli/app/text_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace cultivar {

void TextTable::row(std::vector<std::string> cells, Paint paint) { rows_.push_back({std::move(cells), paint}); }

std::string TextTable::text(const Ui& ui) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = columns_[i].title.size();
        for (const Row& row : rows_) width = std::max(width, row.cells[i].size());
        widths.push_back(width);
    }
    auto line = [&](auto&& cell) {
        std::string out;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            bool last = i + 1 == columns_.size();
            std::string text = cell(i);
            if (columns_[i].right) {
                out += fmt::format("{:>{}}", text, widths[i]);
            } else {
                out += last ? text : fmt::format("{:<{}}", text, widths[i]);
            }
            if (!last) out += "  ";
        }
        auto limit = static_cast<std::size_t>(ui.width());
        if (limit > 3 && out.size() > limit) out = out.substr(0, limit - 3) + "...";
        while (!out.empty() && out.back() == ' ') out.pop_back();
        return out;
    };
    std::string text = ui.paint(Paint::dim, line([&](std::size_t i) { return columns_[i].title; })) + "\n";
    for (const Row& row : rows_) text += ui.paint(row.paint, line([&](std::size_t i) { return row.cells[i]; })) + "\n";
    return text;
}

}  // namespace cultivar
