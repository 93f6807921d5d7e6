// A verifier's private hold-out: text that nobody else has, cut into slices like the pool's own validation slice.
//
// Text becomes documents by the pool's own rule (train/data/text, train/data/documents) and tokens by its tokenizer. What
// the pool's data hold already is dropped, since everybody may have trained on it. The rest is put in an order drawn from
// the operating system and cut at documents into slices of at least as many targets as the pool's slice has; what is left
// over at the end is not used.
#pragma once

#include "train/data/import.h"

namespace cultivar {

inline constexpr std::size_t kMostHoldOutSlices = 64;

struct HoldOutRequest {
    std::vector<std::string> sources;  // paths of text, .gz or .dz files
    std::string separator;             // the pool's; "": blank lines
    std::string model;                 // bytes of the pool's .model file; "": the tokenizer of bytes
    std::vector<std::string> known;    // shards of the pool's data
    std::int64_t targets = 0;          // of a slice
};

struct HoldOutSlice {
    std::string name;  // "slice_00.bin", in the folder
    ScoredPart scored;
};

struct HoldOutMade {
    std::vector<HoldOutSlice> slices;
    std::int64_t documents = 0;   // used or left over
    std::int64_t duplicates = 0;  // within the sources
    std::int64_t known = 0;       // dropped: the pool has them
};

// Into `folder`, which only its owner may read. Errors: usage (too little text for one slice), not_found, io, corrupt.
Result<HoldOutMade> make_hold_out(const HoldOutRequest& request, const std::string& folder,
                                  const ImportProgress& progress = {});

}  // namespace cultivar
