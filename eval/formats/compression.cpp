#include "eval/formats/compression.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#define ZLIB_CONST  // next_in points to const bytes
#include <zlib.h>
#include <zstd.h>

namespace cultivar {
namespace {

constexpr int kZstdLevel = 19;
constexpr int kZlibLevel = 9;
constexpr std::size_t kPieceBytes = 1 << 16;
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);
constexpr char kZlibMagic = '\x78';  // deflate with a window of 32 KiB

auto undecodable(std::string what) { return fail(Code::corrupt, "not an artifact: " + std::move(what)); }

auto over(std::int64_t limit_bytes) {
    return undecodable(fmt::format("its content is over the limit of {} bytes", limit_bytes));
}

Result<std::string> compress_zstd(std::string_view content) {
    std::string packed(ZSTD_compressBound(content.size()), '\0');
    const std::size_t size_bytes =
        ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), kZstdLevel);
    if (ZSTD_isError(size_bytes)) {
        return fail(Code::io, fmt::format("cannot compress the artifact: {}", ZSTD_getErrorName(size_bytes)));
    }
    packed.resize(size_bytes);
    return packed;
}

Result<std::string> decompress_zstd(std::string_view bytes, std::int64_t limit_bytes) {
    const unsigned long long content_bytes = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (content_bytes == ZSTD_CONTENTSIZE_ERROR) return undecodable("its zstd frame has no proper header");
    if (content_bytes == ZSTD_CONTENTSIZE_UNKNOWN)
        return undecodable("its frame does not tell the size of its content");
    if (content_bytes > static_cast<unsigned long long>(std::max<std::int64_t>(limit_bytes, 0))) {
        return over(limit_bytes);
    }
    if (ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()) != bytes.size()) {
        return undecodable("it is not exactly one zstd frame");
    }
    std::string content(content_bytes, '\0');
    const std::size_t got = ZSTD_decompress(content.data(), content.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(got) || got != content.size()) return undecodable("its zstd frame does not decompress");
    return content;
}

// zlib counts in 32 bits, so input and output go through it in pieces.
void give(z_stream& z, std::string_view& input) {
    if (z.avail_in > 0) return;
    z.next_in = reinterpret_cast<const Bytef*>(input.data());
    z.avail_in = static_cast<uInt>(std::min(input.size(), kPieceBytes));
    input.remove_prefix(z.avail_in);
}

// Runs call() with room for output, appends this to `output` and returns the result of call().
template <typename Call>
int take(z_stream& z, std::string& output, const Call& call) {
    std::array<Bytef, kPieceBytes> room;
    z.next_out = room.data();
    z.avail_out = kPieceBytes;
    const int code = call();
    output.append(reinterpret_cast<const char*>(room.data()), kPieceBytes - z.avail_out);
    return code;
}

// Deflates all of the input, then flushes.
int deflate_all(z_stream& z, std::string_view input, int flush, std::string& output) {
    int code = Z_OK;
    do {
        give(z, input);
        code = take(z, output, [&] { return deflate(&z, input.empty() ? flush : Z_NO_FLUSH); });
    } while (code == Z_OK && (z.avail_in > 0 || !input.empty() || z.avail_out == 0));
    return code;
}

Result<std::string> compress_zlib(std::string_view content, std::size_t text_bytes) {
    z_stream z{};
    if (deflateInit(&z, kZlibLevel) != Z_OK) return fail(Code::io, "cannot compress the artifact: no memory");
    std::string packed;
    deflate_all(z, content.substr(0, text_bytes), Z_BLOCK, packed);
    take(z, packed, [&] { return deflateParams(&z, kZlibLevel, Z_RLE); });
    const int code = deflate_all(z, content.substr(text_bytes), Z_FINISH, packed);
    deflateEnd(&z);
    if (code != Z_STREAM_END) return fail(Code::io, fmt::format("cannot compress the artifact: zlib says {}", code));
    return packed;
}

Result<std::string> decompress_zlib(std::string_view bytes, std::int64_t limit_bytes) {
    z_stream z{};
    if (inflateInit(&z) != Z_OK) return fail(Code::io, "cannot unpack the artifact: no memory");
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(limit_bytes, 0));
    std::string content;
    int code = Z_OK;
    while (code == Z_OK && content.size() <= limit) {
        give(z, bytes);
        code = take(z, content, [&] { return inflate(&z, Z_NO_FLUSH); });
    }
    inflateEnd(&z);
    if (content.size() > limit) return over(limit_bytes);
    if (code == Z_BUF_ERROR) return undecodable("its zlib stream is cut short");
    if (code != Z_STREAM_END) return undecodable("its zlib stream does not decompress");
    if (z.avail_in > 0 || !bytes.empty()) return undecodable("it is not exactly one zlib stream");
    return content;
}

}  // namespace

Result<std::string> compress(Compressor compressor, std::string_view content, std::size_t text_bytes) {
    return compressor == Compressor::zstd ? compress_zstd(content) : compress_zlib(content, text_bytes);
}

Result<std::string> decompress(std::string_view bytes, std::int64_t limit_bytes) {
    if (bytes.starts_with(kZstdMagic)) return decompress_zstd(bytes, limit_bytes);
    if (bytes.starts_with(kZlibMagic)) return decompress_zlib(bytes, limit_bytes);
    return undecodable("it is neither a zstd frame nor a zlib stream");
}

}  // namespace cultivar
