#include "pool/types/artifact_folder.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "pool/types/surface.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kBlock = 512, kNameField = 100, kSizeAt = 124, kSumAt = 148, kSizeDigits = 11;
constexpr std::string_view kTop = "artifact";

// `at` and `text`: a field of the header.
void put(std::string& header, std::size_t at, std::string_view text) { header.replace(at, text.size(), text); }

std::string header_of(std::string_view prefix, std::string_view name, std::size_t size, char type) {
    constexpr std::size_t kPrefixAt = 345;
    std::string header(kBlock, '\0');
    put(header, 0, name);
    put(header, 100, "0000755");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, kSizeAt, fmt::format("{:0{}o}", size, kSizeDigits));
    put(header, 136, "00000000000");
    put(header, kSumAt, "        ");
    header[156] = type;
    put(header, 257, std::string_view("ustar\00000", 8));
    put(header, 265, "cultivar");
    put(header, 297, "cultivar");
    put(header, 329, "0000000");
    put(header, 337, "0000000");
    put(header, kPrefixAt, prefix);
    const auto sum = std::accumulate(header.begin(), header.end(), 0U,
                                     [](unsigned so_far, char c) { return so_far + static_cast<unsigned char>(c); });
    put(header, kSumAt, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return header;
}

std::string top_header() { return header_of("", std::string(kTop) + "/", 0, '5'); }
std::string file_header(std::string_view path, std::size_t size) { return header_of(kTop, path, size, '0'); }

std::size_t padding_of(std::size_t size) { return (kBlock - size % kBlock) % kBlock; }

bool good_part(std::string_view part) {
    constexpr std::string_view kBegin = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const auto rest = [&](char c) {
        return kBegin.find(c) != kBegin.npos || std::string_view(".-+=,@%").find(c) != kBegin.npos;
    };
    return !part.empty() && kBegin.find(part.front()) != kBegin.npos && std::ranges::all_of(part, rest);
}

bool good_path(std::string_view path) {
    std::size_t parts = 0;
    for (std::size_t begin = 0; begin <= path.size(); ++parts) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        if (!good_part(path.substr(begin, end - begin))) return false;
        begin = end + 1;
    }
    return parts <= kMaxArtifactDepth && path.size() <= kNameField;
}

// Takes a path after those before it. Errors: corrupt.
class Paths {
public:
    Result<void> add(const std::string& path) {
        const auto refuse = [&](const char* why) {
            return fail(Code::corrupt, fmt::format("'{}' in its artifact {}", clean(path), why));
        };
        if (!good_path(path)) return refuse("has no name that every machine can take");
        if (!takes_name({}, names_, path)) return refuse("differs from another path in case alone, or is in a file");
        if (++count_ > kMaxArtifactFiles)
            return fail(Code::corrupt, fmt::format("its artifact has more than {} files", kMaxArtifactFiles));
        return {};
    }

private:
    PathNames names_;
    std::size_t count_ = 0;
};

// The archive as far as it is read.
class ArchiveReader {
public:
    explicit ArchiveReader(std::string_view bytes) : rest_(bytes) {}

    bool take(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    bool ends() const { return rest_ == std::string(2 * kBlock, '\0'); }
    // The next file; false where none is well formed.
    bool take_file(std::string& path, std::string_view& content) {
        if (rest_.size() < kBlock) return false;
        const std::string_view name = rest_.substr(0, kNameField);
        path = name.substr(0, name.find('\0'));
        std::size_t size = 0;
        const char* digits = rest_.data() + kSizeAt;
        std::from_chars(digits, digits + kSizeDigits, size, 8);
        if (!take(file_header(path, size)) || size > rest_.size()) return false;
        content = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return take(std::string(padding_of(size), '\0'));
    }

private:
    std::string_view rest_;
};

}  // namespace

bool is_artifact_folder(std::string_view bytes) { return bytes.starts_with(top_header()); }

Result<std::string> pack_artifact_folder(std::vector<std::pair<std::string, std::string>> files) {
    if (files.empty()) return fail(Code::corrupt, "its artifact is a folder without files");
    std::ranges::sort(files);
    Paths paths;
    std::string bytes = top_header();
    for (const auto& [path, content] : files) {
        TRY(paths.add(path));
        bytes += file_header(path, content.size());
        bytes += content;
        bytes.append(padding_of(content.size()), '\0');
    }
    return bytes.append(2 * kBlock, '\0');
}

Result<PackedFiles> unpack_artifact_folder(std::string_view bytes) {
    const auto malformed = [] { return fail(Code::corrupt, "its artifact begins as a folder's archive, and is none"); };
    ArchiveReader reader(bytes);
    if (!reader.take(top_header())) return malformed();
    PackedFiles files;
    Paths paths;
    while (!reader.ends()) {
        std::string path;
        std::string_view content;
        if (!reader.take_file(path, content)) return malformed();
        TRY(paths.add(path));
        if (!files.empty() && files.back().first >= path) return malformed();
        files.emplace_back(std::move(path), content);
    }
    if (files.empty()) return malformed();
    return files;
}

}  // namespace cultivar
