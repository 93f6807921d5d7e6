#include "cli/format/safe_lines.h"

#include <algorithm>

#include "pool/util/text.h"

namespace cultivar {

std::string safe_lines(std::string_view text) {
    constexpr std::size_t kMostOfALine_bytes = 4000;
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find_first_of("\r\n");
        std::string line(text.substr(0, end));
        std::ranges::replace(line, '\t', ' ');
        out += clean(valid_utf8(line), kMostOfALine_bytes) + "\n";
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

}  // namespace cultivar
