#include "energy/when/tokens.h"

#include <algorithm>

namespace cultivar {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Bytes from 0x80 on too: a degree sign is a part of a unit.
bool begins_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_in_word(char c) { return begins_word(c) || is_digit(c) || c == '/' || c == '_'; }

std::size_t run_of(std::string_view text, bool (*is_part)(char)) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_part) - text.begin());
}

WhenToken number_or_time(std::string_view text) {
    std::size_t length = run_of(text, is_digit);
    const auto rest = text.substr(length);
    const bool is_time = rest.size() >= 3 && rest[0] == ':' && is_digit(rest[1]) && is_digit(rest[2]);
    if (is_time && length <= 2) return {WhenToken::Kind::time, text.substr(0, length + 3)};
    if (rest.size() >= 2 && rest[0] == '.' && is_digit(rest[1])) length += 1 + run_of(rest.substr(1), is_digit);
    return {WhenToken::Kind::number, text.substr(0, length)};
}

WhenToken sign(std::string_view text) {
    switch (text[0]) {
        case '<':
        case '>':
        case '=':
            return {WhenToken::Kind::comparison, text.substr(0, text.size() > 1 && text[1] == '=' ? 2 : 1)};
        case '%':
            return {WhenToken::Kind::percent, text.substr(0, 1)};
        case '-':
            return {WhenToken::Kind::dash, text.substr(0, 1)};
        case '(':
            return {WhenToken::Kind::open, text.substr(0, 1)};
        case ')':
            return {WhenToken::Kind::close, text.substr(0, 1)};
        default:
            return {WhenToken::Kind::unknown, text.substr(0, 1)};
    }
}

WhenToken first_token(std::string_view text) {
    if (is_digit(text[0])) return number_or_time(text);
    if (begins_word(text[0])) return {WhenToken::Kind::word, text.substr(0, run_of(text, is_in_word))};
    return sign(text);
}

}  // namespace

std::vector<WhenToken> when_tokens(std::string_view text) {
    std::vector<WhenToken> tokens;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == ' ' || text[at] == '\t' || text[at] == '\n') {
            ++at;
            continue;
        }
        WhenToken token = first_token(text.substr(at));
        token.at = at;
        at += token.text.size();
        tokens.push_back(token);
    }
    tokens.push_back({WhenToken::Kind::end, "", text.size()});
    return tokens;
}

}  // namespace cultivar
