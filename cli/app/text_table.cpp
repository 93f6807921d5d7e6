#include "cli/app/text_table.h"

#include <algorithm>

namespace cultivar {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastLast = 24;  // characters that the last column needs to say something

}  // namespace

void TextTable::row(std::vector<std::string> cells, Paint paint) { rows_.push_back({std::move(cells), paint}); }

std::string TextTable::text(const Ui& ui) const { return text(ui, ui.width()); }

std::vector<std::size_t> TextTable::widths() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = characters(columns_[i].title);
        for (const Row& row : rows_) width = std::max(width, characters(row.cells[i]));
        widths.push_back(width);
    }
    return widths;
}

// From the right, spare columns give way until the last one has room.
std::vector<std::size_t> TextTable::shown(const std::vector<std::size_t>& widths, std::size_t limit) const {
    std::vector<std::size_t> shown;
    std::size_t needed = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        shown.push_back(i);
        needed += i + 1 < columns_.size() ? widths[i] + kGap : std::min(widths[i], kLeastLast);
    }
    for (std::size_t i = columns_.size(); i-- > 0 && limit > 0 && needed > limit;) {
        if (!columns_[i].spare) continue;
        std::erase(shown, i);
        needed -= widths[i] + kGap;
    }
    return shown;
}

std::string TextTable::text(const Ui& ui, std::size_t limit) const {
    const std::vector<std::size_t> widths = this->widths(), shown = this->shown(widths, limit);
    auto line = [&](auto&& cell) {
        std::string out;
        for (const std::size_t i : shown) {
            const std::string text = cell(i);
            const std::string padding(widths[i] - characters(text), ' ');
            out += columns_[i].right ? padding + text : text + padding;
            if (i != shown.back()) out += std::string(kGap, ' ');
        }
        while (!out.empty() && out.back() == ' ') out.pop_back();
        if (limit > 3 && characters(out) > limit) out = std::string(first_characters(out, limit - 3)) + "...";
        return out;
    };
    std::string text = ui.paint(Paint::dim, line([&](std::size_t i) { return columns_[i].title; })) + "\n";
    for (const Row& row : rows_) text += ui.paint(row.paint, line([&](std::size_t i) { return row.cells[i]; })) + "\n";
    return text;
}

}  // namespace cultivar
