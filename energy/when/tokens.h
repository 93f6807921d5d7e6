// The words and signs of a condition. Private to this folder.
#pragma once

#include <string_view>
#include <vector>

namespace cultivar {

struct WhenToken {
    enum class Kind { word, number, time, comparison, percent, dash, open, close, unknown, end };
    Kind kind = Kind::end;
    std::string_view text{};
    std::size_t at = 0;  // its first byte
};

// The last one is an end. Whatever is no token is an `unknown` of one byte.
std::vector<WhenToken> when_tokens(std::string_view text);

}  // namespace cultivar
