// Text from people and from pools: UTF-8, control characters, misspelt names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cultivar {

// U+FFFD, which stands for bytes that are not UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Sequence {
    std::size_t length;  // bytes: of the character, or of the maximal invalid part
    bool valid;
};
// The first well-formed byte sequence of `bytes`, which are not empty (The Unicode Standard 15.0, table 3-7).
Sequence next_sequence(std::string_view bytes);

// Every maximal invalid part of a UTF-8 sequence becomes one U+FFFD (The Unicode Standard 15.0, section 3.9).
std::string valid_utf8(std::string_view bytes);

// At most the first `limit` bytes, cut between characters.
std::string_view cut(std::string_view text, std::size_t limit);

// Foreign text made safe for a terminal: control characters, marks that turn text round, characters that nobody sees and
// bytes that are no UTF-8 become '?'; at most `limit` bytes of it, on one line, cut between characters.
std::string clean(std::string_view text, std::size_t limit = 400);

// A whole text as the double nearest to it: an infinity beyond the largest, 0 for a number nearer to 0 than any other
// double; also "nan" and "inf". None: the text is no number.
std::optional<double> nearest_double(std::string_view text);

// Text as one word of a shell, quoted where a shell would take it apart; never an option: "-x" becomes "./-x". Every
// hint that holds a name, path or URL from elsewhere is made with it.
std::string shell_word(std::string_view text);

// The names nearest to a misspelt one (edit distance at most 3), best first; for hints.
std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& names);

}  // namespace cultivar
