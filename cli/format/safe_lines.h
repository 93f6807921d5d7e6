// Foreign text for a terminal, line by line.
#pragma once

#include <string>
#include <string_view>

namespace cultivar {

// Each line made safe (pool/util/text.h: clean()) and ended by a line feed; tabs become blanks.
std::string safe_lines(std::string_view text);

}  // namespace cultivar
