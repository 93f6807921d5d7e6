// Generated prose, enough to train a tokenizer, the same each time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cultivar {

// About 90 bytes per document; documents differ, and some have accents, digits, tabs, runs of spaces and rare
// characters.
inline std::string sample_text(int documents) {
    static constexpr std::array<std::string_view, 24> kSyllables = {
        "ba",  "cor", "del", "fin", "gra", "hol", "jun", "kel", "lim", "mor", "nat",       "pol",
        "qui", "ros", "sel", "tor", "uni", "ver", "wal", "xen", "yor", "zet", "\xC3\xA9t", "\xC3\xBC"};
    std::uint64_t state = 42;
    const auto draw = [&](std::uint64_t below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % below;
    };
    std::string text;
    for (int document = 0; document < documents; ++document) {
        const std::uint64_t words = 8 + draw(10);
        for (std::uint64_t word = 0; word < words; ++word) {
            for (std::uint64_t syllable = 0; syllable < 1 + draw(3); ++syllable) text += kSyllables[draw(24)];
            text += word % 7 == 6 ? ",\n  " : " ";
        }
        text += std::to_string(document) + (document % 97 == 0 ? "\t\xE2\x82\xAC \xF0\x9F\x8C\xB1" : "") + ".\n\n";
    }
    return text;
}

}  // namespace cultivar
