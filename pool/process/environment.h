// Variables of a child's environment, "NAME=value".
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace cultivar {

// Does one of these have the name of this variable?
inline bool has_name_of(const std::vector<std::string>& variables, std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    return std::ranges::any_of(variables, [&](const std::string& one) { return one.starts_with(name); });
}

}  // namespace cultivar
