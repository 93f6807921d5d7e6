// Fuzzes artifacts: the bytes as they are, and as the content of a zstd frame, which a fuzzer would never make by
// chance. There the first line is the header and the rest the tensors.
#include <zstd.h>

#include "eval/formats/artifact.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

namespace {

constexpr std::int64_t kLimit_bytes = 1 << 22;

std::string framed(std::string_view header, std::string_view tensors) {
    const std::uint64_t header_bytes = header.size();
    std::string content(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
    content.append(header).append(tensors);
    std::string frame(ZSTD_compressBound(content.size()), '\0');
    frame.resize(ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), 1));
    return frame;
}

void unpack(std::string_view bytes) {
    const auto artifact = unpack_artifact(bytes, kLimit_bytes);
    if (!artifact) return;
    const auto packed = pack_artifact(*artifact, Compressor::zstd);
    demand(packed.has_value());
    const auto again = unpack_artifact(*packed, 2 * kLimit_bytes);
    demand(again && again->metadata == artifact->metadata && again->tensors.size() == artifact->tensors.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = text_of(data, size);
    unpack(bytes);
    const std::size_t feed = std::min(bytes.find('\n'), bytes.size());
    unpack(framed(bytes.substr(0, feed), bytes.substr(std::min(feed + 1, bytes.size()))));
    return 0;
}
