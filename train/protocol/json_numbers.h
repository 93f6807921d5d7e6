// Numbers that JSON lacks, and that some languages write into it all the same.
#pragma once

#include <string_view>

namespace cultivar {

inline bool has_no_number(std::string_view line) {
    return line.find("NaN") != std::string_view::npos || line.find("Infinity") != std::string_view::npos;
}

}  // namespace cultivar
