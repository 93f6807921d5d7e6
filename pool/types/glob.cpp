#include "pool/types/glob.h"

#include <cstddef>
#include <vector>

namespace cultivar {
namespace {

// Greedy with one step back: the last star takes one item more whenever the rest does not match.
bool matches(std::size_t patterns, std::size_t items, auto&& is_star, auto&& is_match) {
    constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t at = 0, item = 0, star = kNone, after_star = 0;
    while (item < items) {
        if (at < patterns && is_star(at)) {
            star = at++;
            after_star = item;
        } else if (at < patterns && is_match(at, item)) {
            ++at, ++item;
        } else if (star != kNone) {
            at = star + 1;
            item = ++after_star;
        } else {
            return false;
        }
    }
    while (at < patterns && is_star(at)) ++at;
    return at == patterns;
}

bool part_matches(std::string_view pattern, std::string_view part) {
    return matches(
        pattern.size(), part.size(), [&](std::size_t at) { return pattern[at] == '*'; },
        [&](std::size_t at, std::size_t item) { return pattern[at] == '?' || pattern[at] == part[item]; });
}

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = path.find('/', begin);
        parts.push_back(path.substr(begin, end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
    const auto patterns = parts_of(pattern), parts = parts_of(path);
    return matches(
        patterns.size(), parts.size(), [&](std::size_t at) { return patterns[at] == "**"; },
        [&](std::size_t at, std::size_t item) { return part_matches(patterns[at], parts[item]); });
}

}  // namespace cultivar
