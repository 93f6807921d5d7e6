// The data of a pool of kind "command", format 2: files that are too large for git, each known by its digest.
//
//   [[data.file]]
//   name = "train/part0.csv"      a path below {data}
//   sha256 = "..."
//   bytes = 1234567
//
// `cultivar data import` finds them on each machine; no file goes to the pool. Runs, checks and the evaluator read them at
// {data}/NAME. They are in the task id and in what `cultivar trust` pins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pool/util/toml_table.h"

namespace cultivar {

inline constexpr std::size_t kMaxDataFiles = 1000;
inline constexpr std::string_view kDataFolder = "data/";  // of a validation file that is one of them

struct CommandData {
    std::string name;
    std::string sha256;
    std::int64_t bytes = 0;
};

// May there be files of these names together? Errors: usage.
Result<void> check_data_names(const std::vector<CommandData>& files);
// Sorted by name; none: there is no data. Errors: usage (where:line:col).
Result<std::vector<CommandData>> read_data_files(TomlTable& table);
std::string data_files_toml(const std::vector<CommandData>& files);

}  // namespace cultivar
