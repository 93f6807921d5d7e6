// The artifact: a trained model's weights in the form in which they are shared, scored and judged.
//
// Format 1 is one zstd frame with its content size in the frame header, or one zlib stream (compression.h tells them
// apart by their first bytes). The content is a safetensors file:
//   8 bytes little-endian H, then H bytes of JSON header beginning with '{' (space padded to a multiple of 8), then the
//   tensors' bytes. Header: {"__metadata__":{"format":"cultivar-artifact-1",...},"name":{"dtype":"I8","shape":[..],
//   "data_offsets":[begin,end]},...}; offsets relative to the end of the header, no holes, no overlap; the
//   whole buffer is used.
// The dtypes are F32, F16 and I8. A quantised matrix NAME [rows, cols] is stored as NAME (I8, one byte per weight
// however few its levels) with NAME.scale (F16, [rows]).
//
// The bytes are untrusted. unpack_artifact() refuses a header over 1 MiB, more than 16,384 tensors, a tensor of more
// than 8 dimensions, a name over 256 bytes, content over the given limit, duplicate keys, bad offsets, overflowing
// shapes, anything before or after the content and anything that does not parse. It does not check values; the code
// that interprets them does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "eval/formats/compression.h"
#include "pool/util/result.h"

namespace cultivar {

struct Tensor {
    std::string dtype;  // "F32", "F16", "I8"
    std::vector<std::int64_t> shape;
    std::string bytes;  // little-endian, row-major
};

struct Artifact {
    std::map<std::string, Tensor> tensors;
    std::map<std::string, std::string> metadata;
};

// Deterministic: the same artifact gives the same bytes. Errors: corrupt (tensors that contradict themselves), io.
Result<std::string> pack_artifact(const Artifact& artifact, Compressor compressor);
// `limit_bytes` bounds the uncompressed content. Errors: corrupt.
Result<Artifact> unpack_artifact(std::string_view bytes, std::int64_t limit_bytes);

}  // namespace cultivar
