// Reads TOML into a flat list of entries, so that toml++ stays behind one file. Input comes from people and from pools;
// entries keep their positions for error messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"
#include "pool/util/value.h"

namespace cultivar {

struct TomlEntry {
    std::vector<std::string> path;  // table keys from the root; an array of tables adds its index: constraint, 0, left
    std::vector<Value> values;      // one, or an array's
    bool is_array = false;
    int line = 0, column = 0;

    std::string dotted(std::size_t from = 0) const;  // "optim.matrix_lr"
};

// In order of their position. Errors: usage, "<where>:<line>:<column>: reason". Refuses dates, nested arrays and tables
// inside arrays of values, more than `limit_bytes` of text, 32 levels, and more than about 2,000 dots in lines with
// many dots.
Result<std::vector<TomlEntry>> read_toml(std::string_view text, const std::string& where,
                                         std::size_t limit_bytes = 1 << 20);

}  // namespace cultivar
