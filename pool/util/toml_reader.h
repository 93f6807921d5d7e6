// TOML as a flat list of entries, so that toml++ stays behind one file. Reads what people write and what pools hold;
// positions are kept, so that whoever finds a value wrong can say where it stands.
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

// In order of their position. Errors: usage, "<where>:<line>:<column>: what". Dates, nested arrays and tables inside
// arrays of values are refused; at most `limit_bytes` of text, 32 levels and some 2,000 dots in lines of many.
Result<std::vector<TomlEntry>> read_toml(std::string_view text, const std::string& where,
                                         std::size_t limit_bytes = 1 << 20);

}  // namespace cultivar
