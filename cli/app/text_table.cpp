#include "cli/app/text_table.h"

#include <algorithm>

namespace cultivar {

void TextTable::row(std::vector<std::string> cells, Paint paint) { rows_.push_back({std::move(cells), paint}); }

std::string TextTable::text(const Ui& ui) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = characters(columns_[i].title);
        for (const Row& row : rows_) width = std::max(width, characters(row.cells[i]));
        widths.push_back(width);
    }
    const std::size_t limit = ui.width();
    auto line = [&](auto&& cell) {
        std::string out;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string text = cell(i);
            const std::string padding(widths[i] - characters(text), ' ');
            out += columns_[i].right ? padding + text : text + padding;
            if (i + 1 < columns_.size()) out += "  ";
        }
        if (limit > 3 && characters(out) > limit) out = std::string(first_characters(out, limit - 3)) + "...";
        while (!out.empty() && out.back() == ' ') out.pop_back();
        return out;
    };
    std::string text = ui.paint(Paint::dim, line([&](std::size_t i) { return columns_[i].title; })) + "\n";
    for (const Row& row : rows_) text += ui.paint(row.paint, line([&](std::size_t i) { return row.cells[i]; })) + "\n";
    return text;
}

}  // namespace cultivar
