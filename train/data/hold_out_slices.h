// Cuts a verifier's private hold-out text into slices like the pool's own validation slice.
//
// The pool's rules make documents (train/data/text_cleaning.h, train/data/documents.h), and its tokenizer makes tokens.
// Documents in the pool's data are dropped, since everybody may have trained on them. The rest is shuffled with
// randomness of the operating system and cut at documents into slices, each with at least as many targets as the pool's
// slice. The remainder at the end is not used.
#pragma once

#include "train/data/import.h"

namespace cultivar {

inline constexpr std::size_t kMostHoldOutSlices = 64;

struct HoldOutRequest {
    std::vector<std::string> sources;  // paths of text, .gz or .dz files
    std::string separator;             // the pool's; "" means blank lines
    std::string model;                 // bytes of the pool's .model file; "" means the byte tokenizer
    std::vector<std::string> known;    // shards of the pool's data
    std::int64_t targets = 0;          // per slice
};

struct HoldOutSlice {
    std::string name;  // "slice_00.bin"; relative to the folder
    ScoredPart scored;
};

struct HoldOutMade {
    std::vector<HoldOutSlice> slices;
    std::int64_t documents = 0;   // in slices or in the unused remainder
    std::int64_t duplicates = 0;  // within the sources
    std::int64_t known = 0;       // dropped because the pool has them
};

// Writes the slices into `folder`, readable by its owner only. Errors: usage (too little text for one slice),
// not_found, io, corrupt.
Result<HoldOutMade> make_hold_out(const HoldOutRequest& request, const std::string& folder,
                                  const ImportProgress& progress = {});

}  // namespace cultivar
