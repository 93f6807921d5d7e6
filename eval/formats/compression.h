// The compressed bytes of an artifact's content, and reading what strangers compressed.
//
// zstd: one frame of level 19, the content's size in its header. zlib: one RFC 1950 stream of level 9, whose text is
// deflated in the usual way and whose numbers, weights on a few levels, with run lengths and Huffman codes alone:
// deflate's search for strings finds what is there by chance and pays more for it than it saves. Measured on gaussian
// rows, bytes over the entropy of their levels:
//   bits         8       6       5       4
//   zstd       0.7 %   0.8 %   1.2 %   1.6 %
//   zlib       0.8 %   0.9 %   1.2 %   1.9 %   (the usual way throughout: 0.9 %, 4.7 %, 13.0 %, 16.3 %)
// Packing the bits of several weights into each byte would gain 0.6 % at 4 bits and lose 8 % at 6: a weight is a byte.
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

// Tells the compressor by the first bytes (28 b5 2f fd, or 78). Foreign bytes: exactly one frame or stream, whole, with
// a content of at most `limit_bytes`, beyond which nothing is unpacked. Errors: corrupt.
Result<std::string> decompress(std::string_view bytes, std::int64_t limit_bytes);

}  // namespace cultivar
