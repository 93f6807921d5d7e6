// Cuts the text of all files into documents, drops copies, and orders the documents by content alone.
//
// A document is the text between separators without the white space around it (a space at its start would not be
// counted). Empty documents and further copies of the same bytes are dropped. Documents are ordered by the SHA-256 of
// their bytes: the same files in any order give the same shards, and the first documents, the validation part, are a
// uniform sample that cannot be chosen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct Documents {
    std::vector<std::string_view> ordered;  // views into the input texts
    std::int64_t duplicates = 0;            // number of dropped copies
};

// An empty `separator` cuts at blank lines (two line feeds with at most spaces and tabs between). Any other separator
// cuts at each occurrence, regardless of the bytes around it. The texts must outlive the result.
Documents cut_documents(const std::vector<std::string>& texts, std::string_view separator);

// The bounds of the parts: [0, slice) is the validation slice, [0, full) the full validation set, and [full, end) the
// training text. Each part takes documents until it has at least the bytes asked for.
struct Parts {
    std::size_t slice = 0, full = 0;
};
// Errors: usage (the text left for training is shorter than the full validation set).
Result<Parts> part_documents(const std::vector<std::string_view>& ordered, std::int64_t slice_bytes,
                             std::int64_t full_bytes);

}  // namespace cultivar
