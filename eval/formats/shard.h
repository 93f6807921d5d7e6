// Token shards and byte tables: the files that a trainer reads. This folder needs no tokenizer and no torch.
//
// A shard (Parameter Golf's *.bin) has 256 little-endian int32 = 1024 bytes: [0] = 20240520, [1] = 1, [2] = N tokens,
// rest 0; then N little-endian uint16. Its size is exactly 1024 + 2N bytes. A document is BOS (1) followed by its ids;
// documents run across shard borders. Shards are read in lexicographic order of their names.
//
// A byte table (*.bytes) has 8 bytes "CVBYTES1", uint32 little-endian V, then V entries of 4 bytes, one per token id:
//   uint16 little-endian base   bytes of UTF-8 of the token, without a leading space
//   uint8 lead                  1: a space stands before it, counted unless the token before is a boundary
//   uint8 boundary              1: control, unknown or unused
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

// A shard mapped read-only into memory. The mapping lives as long as the object. Thread-safe to read.
class Shard {
public:
    // Checks header, version and exact length. Errors: not_found, io, corrupt (path in the message).
    static Result<Shard> open(const std::string& path);
    std::span<const std::uint16_t> tokens() const;

private:
    struct Mapping;
    std::shared_ptr<Mapping> mapping_;
};

// Writes to a temporary name and renames it. Errors: io.
Result<void> write_shard(const std::string& path, std::span<const std::uint16_t> tokens);

struct TokenBytes {
    std::uint16_t base_bytes = 0;
    bool lead = false;
    bool boundary = true;
};
using ByteTable = std::vector<TokenBytes>;

Result<void> write_byte_table(const std::string& path, const ByteTable& table);
// Errors: not_found, io, corrupt.
Result<ByteTable> read_byte_table(const std::string& path);

}  // namespace cultivar
