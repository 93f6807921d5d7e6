#include "pool/util/text.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace cultivar {
namespace {

int edit_distance(std::string_view a, std::string_view b) {
    std::vector<int> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            int above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

// Of one well-formed sequence.
char32_t code_point(std::string_view bytes) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() == 1) return byte(0);
    char32_t code = byte(0) & (0xFFU >> (bytes.size() + 1));
    for (std::size_t at = 1; at < bytes.size(); ++at) code = code << 6U | (byte(at) & 0x3FU);
    return code;
}

// Controls, marks that turn text round, and characters that nobody sees: they move the cursor, or make one name look like
// another.
constexpr std::pair<char32_t, char32_t> kNotShown[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},
    {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},
    {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

bool is_shown(char32_t code) {
    return std::ranges::none_of(kNotShown,
                                [&](const auto& range) { return code >= range.first && code <= range.second; });
}

}  // namespace

Sequence next_sequence(std::string_view bytes) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, true};
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 1;
    if (length == 1) return {1, false};
    unsigned char low = 0x80, high = 0xBF;  // of the second byte
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (std::size_t at = 1; at < length; ++at) {
        if (at >= bytes.size() || byte(at) < low || byte(at) > high) return {at, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true};
}

std::string valid_utf8(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        const Sequence next = next_sequence(bytes);
        text.append(next.valid ? bytes.substr(0, next.length) : kReplacement);
        bytes.remove_prefix(next.length);
    }
    return text;
}

std::string_view cut(std::string_view text, std::size_t limit) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t next = at + next_sequence(text.substr(at)).length;
        if (next > limit) break;
        at = next;
    }
    return text.substr(0, at);
}

std::string clean(std::string_view text, std::size_t limit) {
    std::string out;
    for (std::string_view rest = cut(text, limit); !rest.empty();) {
        const Sequence next = next_sequence(rest);
        const std::string_view bytes = rest.substr(0, next.length);
        if (next.valid && is_shown(code_point(bytes)))
            out.append(bytes);
        else
            out.push_back('?');
        rest.remove_prefix(next.length);
    }
    if (text.size() > limit) out += "...";
    return out;
}

std::optional<double> nearest_double(std::string_view text) {
    double value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size() || wrong == std::errc::invalid_argument) return std::nullopt;
    // from_chars() does not tell a number that is too small from one that is too large.
    if (wrong == std::errc::result_out_of_range) value = std::strtod(std::string(text).c_str(), nullptr);
    return value == 0 ? 0 : value;  // without a sign
}

std::string shell_word(std::string_view text) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-";
    std::string whole = (text.starts_with('-') ? "./" : "") + std::string(text);
    if (!whole.empty() && whole.find_first_not_of(kPlain) == std::string::npos) return whole;
    std::string quoted = "'";
    for (char c : whole) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& names) {
    std::vector<std::pair<int, std::string>> scored;
    for (const std::string& other : names) {
        int distance = edit_distance(name, other);
        int most = std::min(3, 1 + static_cast<int>(name.size()) / 3);
        if (distance <= most && distance < static_cast<int>(std::max(name.size(), other.size()))) {
            scored.emplace_back(distance, other);
        }
    }
    std::sort(scored.begin(), scored.end());
    std::vector<std::string> best;
    for (auto& [distance, other] : scored) best.push_back(std::move(other));
    return best;
}

}  // namespace cultivar
