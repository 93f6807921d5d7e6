#include "train/data/text_cleaning.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // U+FEFF
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";      // U+2581
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr int kGzipWindowBits = 15 + 16;

std::size_t plain_run(std::string_view bytes) {
    const auto special = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x7f || (byte < ' ' && byte != '\n' && byte != '\t');
    };
    return static_cast<std::size_t>(std::find_if(bytes.begin(), bytes.end(), special) - bytes.begin());
}

Result<std::string> read_whole(const std::string& path) {
    TRY(check_source(path));
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
    if (!file) {
        return fail(errno == ENOENT ? Code::not_found : Code::io,
                    fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
    }
    std::string bytes;
    char buffer[1 << 16];
    while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file.get())) bytes.append(buffer, got);
    if (std::ferror(file.get())) return fail(Code::io, fmt::format("cannot read '{}'", path));
    return bytes;
}

// Inflates all members of a gzip file, one after another. Zeros after the last member are padding.
Result<std::string> inflate_all(std::string_view packed, const std::string& path) {
    const auto damaged = [&] {
        return fail(Code::corrupt, fmt::format("'{}' is a damaged or truncated gzip file", path));
    };
    z_stream stream{};
    if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) return fail(Code::io, "cannot start zlib");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> cleanup(&stream, &inflateEnd);
    std::string text;
    char buffer[1 << 16];
    int state = Z_OK;
    while (state != Z_STREAM_END || packed.starts_with(kGzipMagic)) {
        if (state == Z_STREAM_END) inflateReset(&stream);
        const std::size_t offered = std::min<std::size_t>(packed.size(), std::numeric_limits<uInt>::max());
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
        stream.avail_in = static_cast<uInt>(offered);
        stream.next_out = reinterpret_cast<Bytef*>(buffer);
        stream.avail_out = sizeof buffer;
        state = inflate(&stream, Z_NO_FLUSH);
        if (state != Z_OK && state != Z_STREAM_END) return damaged();
        text.append(buffer, sizeof buffer - stream.avail_out);
        packed.remove_prefix(offered - stream.avail_in);
    }
    if (packed.find_first_not_of('\0') != std::string_view::npos) return damaged();
    return text;
}

}  // namespace

TextRepairs& TextRepairs::operator+=(const TextRepairs& other) {
    invalid_bytes += other.invalid_bytes;
    replacements += other.replacements;
    dropped_controls += other.dropped_controls;
    replaced_marks += other.replaced_marks;
    return *this;
}

std::string clean_text(std::string_view bytes, TextRepairs& repairs) {
    std::string text;
    text.reserve(bytes.size());
    if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
    while (!bytes.empty()) {
        const std::size_t plain = plain_run(bytes);
        text.append(bytes.substr(0, plain));
        bytes.remove_prefix(plain);
        if (bytes.empty()) break;
        const Sequence next = next_sequence(bytes);
        const std::string_view sequence = bytes.substr(0, next.length);
        bytes.remove_prefix(next.length);
        if (!next.valid) {
            text.append(kReplacement);
            repairs.invalid_bytes += static_cast<std::int64_t>(next.length);
            ++repairs.replacements;
        } else if (sequence == kSpaceMark) {
            text.push_back(' ');
            ++repairs.replaced_marks;
        } else if (next.length > 1) {
            text.append(sequence);
        } else if (sequence == "\r") {
            if (!bytes.starts_with('\n')) text.push_back('\n');
        } else {
            ++repairs.dropped_controls;
        }
    }
    return text;
}

Result<void> check_source(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0)
        return fail(errno == ENOENT ? Code::not_found : Code::io,
                    fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
    if (S_ISREG(facts.st_mode)) return {};
    return fail(Code::usage,
                fmt::format("cannot read '{}': it is {}", path,
                            S_ISDIR(facts.st_mode) ? "a folder" : "no regular file: copy it to one first"));
}

Result<std::string> read_text_bytes(const std::string& path) {
    Result<std::string> bytes = read_whole(path);
    if (!bytes || !bytes->starts_with(kGzipMagic)) return bytes;
    return inflate_all(*bytes, path);
}

}  // namespace cultivar
