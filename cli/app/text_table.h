// A table for people: columns as wide as their content, the last one cut to the terminal's width, never cut elsewhere.
#pragma once

#include <string>
#include <vector>

#include "cli/app/terminal.h"

namespace cultivar {

class TextTable {
public:
    struct Column {
        std::string title;
        bool right = false;  // right-aligned
        bool spare = false;  // left out where the terminal has no room for it and the last column
    };
    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void row(std::vector<std::string> cells, Paint paint = Paint::none);
    std::string text(const Ui& ui) const;
    std::string text(const Ui& ui, std::size_t width) const;  // 0: without limit

private:
    struct Row {
        std::vector<std::string> cells;
        Paint paint;
    };
    std::vector<std::size_t> widths() const;
    std::vector<std::size_t> shown(const std::vector<std::size_t>& widths, std::size_t limit) const;

    std::vector<Column> columns_;
    std::vector<Row> rows_;
};

}  // namespace cultivar
