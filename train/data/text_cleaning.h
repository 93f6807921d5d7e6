// Cleans the text of users' files for training.
//
// The rules are the same for every tokenizer:
//   - .gz and .dz content (recognised by its first bytes, not its name) is inflated, with all its members
//   - a byte order mark at the start of a file is dropped
//   - every maximal invalid part of a UTF-8 sequence becomes one U+FFFD (The Unicode Standard 15.0, section 3.9,
//     "U+FFFD Substitution of Maximal Subparts")
//   - CR LF and a lone CR become LF
//   - control characters other than line feed and tab (U+0000..U+001F, U+007F) are dropped
//   - U+2581, which SentencePiece reserves as its mark of a space, becomes a space
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/util/result.h"

namespace cultivar {

struct TextRepairs {
    std::int64_t invalid_bytes = 0;     // bytes that were not UTF-8
    std::int64_t replacements = 0;      // U+FFFD written for them
    std::int64_t dropped_controls = 0;  // without carriage returns
    std::int64_t replaced_marks = 0;    // U+2581

    TextRepairs& operator+=(const TextRepairs& other);
    bool operator==(const TextRepairs&) const = default;
};

// Applies all rules to the content of one file and adds to `repairs`. The result is valid UTF-8.
std::string clean_text(std::string_view bytes, TextRepairs& repairs);

// Can this be read to an end, twice and with the same bytes? Errors: usage (a folder, device or pipe), not_found, io.
Result<void> check_source(const std::string& path);

// Reads a file and inflates it if it is gzip. Errors: those of check_source(), corrupt (a damaged or truncated gzip
// stream).
Result<std::string> read_text_bytes(const std::string& path);

}  // namespace cultivar
