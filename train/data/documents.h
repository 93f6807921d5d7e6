// Documents: the text of all files cut into pieces, each once, in an order that depends on nothing but their content.
//
// A document is what stands between separators, without the white space around it (so that none begins with a space,
// which would stand uncounted at its start); what is empty then is dropped, and so is every further copy of the same
// bytes. Documents are ordered by the SHA-256 of their bytes: the same files in any order give the same shards, and the
// first documents, the validation part, are a uniform sample that cannot be chosen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct Documents {
    std::vector<std::string_view> ordered;  // into the texts that they were cut from
    std::int64_t duplicates = 0;            // dropped
};

// `separator` empty: at blank lines (two line feeds with at most spaces and tabs between). Otherwise: at each
// occurrence of the separator, whatever surrounds it. The texts must outlive the result.
Documents cut_documents(const std::vector<std::string>& texts, std::string_view separator);

// Where the ordered documents part: [0, slice) is the validation slice, [0, full) the full validation set,
// [full, end) is trained on. Each part takes documents until it has at least the bytes asked for.
struct Parts {
    std::size_t slice = 0, full = 0;
};
// Errors: usage, when too little text is left to train on (less than the full validation set).
Result<Parts> part_documents(const std::vector<std::string_view>& ordered, std::int64_t slice_bytes,
                             std::int64_t full_bytes);

}  // namespace cultivar
