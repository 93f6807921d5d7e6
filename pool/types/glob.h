// Patterns of paths: `*` and `?` stand for characters within a part of the path, `**` as a whole part for any number of
// parts. "src/**" is everything below src, "src/*.py" the scripts right in it.
#pragma once

#include <string_view>

namespace cultivar {

// Takes time in proportion to the product of both lengths at most, whatever the pattern.
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace cultivar
