// Compresses an artifact's content, and decompresses untrusted bytes.
//
// zstd: one frame of level 19 with the content's size in its header. zlib: one RFC 1950 stream of level 9. It deflates
// text in the usual way, but numbers (weights on a few levels) with run lengths and Huffman codes alone: deflate's
// string matches are found by chance there and cost more than they save. Measured on gaussian rows, bytes over the
// entropy of their levels:
//   bits         8       6       5       4
//   zstd       0.7 %   0.8 %   1.2 %   1.6 %
//   zlib       0.8 %   0.9 %   1.2 %   1.9 %   (the usual way throughout: 0.9 %, 4.7 %, 13.0 %, 16.3 %)
// Packing several weights into each byte would gain 0.6 % at 4 bits and lose 8 % at 6, so a weight is a byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/util/result.h"

namespace cultivar {

enum class Compressor { zstd, zlib };

// The first `text_bytes` of the content are text, the rest are numbers. Deterministic: one thread, no timestamps.
// Errors: io (no memory).
Result<std::string> compress(Compressor compressor, std::string_view content, std::size_t text_bytes);

// Detects the compressor by the first bytes (28 b5 2f fd, or 78). The bytes are untrusted: they must be exactly one
// complete frame or stream with a content of at most `limit_bytes`; nothing is unpacked beyond. Errors: corrupt.
Result<std::string> decompress(std::string_view bytes, std::int64_t limit_bytes);

}  // namespace cultivar
