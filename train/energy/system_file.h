// The small files of /sys and /proc: one figure or one word each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cultivar {

struct SystemFile {
    enum class State { readable, forbidden, missing } state = State::missing;
    std::string text;  // its first line
};

SystemFile read_system_file(const std::string& path);
// None: it is missing, forbidden, or holds something else.
std::optional<std::uint64_t> system_number(const std::string& path);
// The names in a folder, sorted; none where it cannot be read.
std::vector<std::string> names_in(const std::string& folder);

}  // namespace cultivar
