// An id of a candidate, a record or an artifact as people read it: its first 8 digits.
#pragma once

#include <string>
#include <string_view>

namespace cultivar {

inline std::string short_id(std::string_view id) { return std::string(id.substr(0, 8)); }

}  // namespace cultivar
