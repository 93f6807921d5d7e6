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
    };
    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void row(std::vector<std::string> cells, Paint paint = Paint::none);
    std::string text(const Ui& ui) const;

private:
    struct Row {
        std::vector<std::string> cells;
        Paint paint;
    };
    std::vector<Column> columns_;
    std::vector<Row> rows_;
};

}  // namespace cultivar
