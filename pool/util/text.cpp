#include "pool/util/text.h"

#include <algorithm>
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

std::string clean(std::string_view text, std::size_t limit) {
    std::size_t most = std::min(limit, text.size());
    const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    for (int back = 0; back < 3 && most > 0 && most < text.size() && continues(most); ++back) --most;
    std::string out;
    for (unsigned char c : text.substr(0, most)) out.push_back(c < 0x20 || c == 0x7f ? '?' : static_cast<char>(c));
    auto at = [&](std::size_t i) { return i < out.size() ? static_cast<unsigned char>(out[i]) : 0; };
    for (std::size_t i = 0; i + 1 < out.size(); ++i) {
        // C1 controls hide in UTF-8 as C2 80..9F; marks that turn text round as E2 80 8E..8F, E2 80 AA..AE, E2 81 A6..A9.
        bool control = at(i) == 0xC2 && at(i + 1) >= 0x80 && at(i + 1) < 0xA0;
        int last = at(i + 2);
        bool mark =
            at(i) == 0xE2 && at(i + 1) == 0x80 && (last == 0x8E || last == 0x8F || (last >= 0xAA && last <= 0xAE));
        bool isolate = at(i) == 0xE2 && at(i + 1) == 0x81 && last >= 0xA6 && last <= 0xA9;
        if (!control && !mark && !isolate) continue;
        out[i] = '?';
        out.erase(i + 1, control ? 1 : 2);
    }
    if (text.size() > limit) out += "...";
    return out;
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
