#include "train/data/data_manifest.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "eval/formats/bits_per_byte.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr const char* kSlice = "validation slice";
constexpr const char* kFull = "full validation set";

constexpr auto kImportHint = "cultivar data import FILE...";

Result<void> check_file(const std::string& folder, const DataFile& file) {
    const std::string path = data_path(folder, file);
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error) {
        return fail(Code::not_found, fmt::format("data file '{}' is missing", path), kImportHint);
    }
    TRY_ASSIGN(const std::string sha256, sha256_file_hex(path));
    if (sha256 != file.sha256) {
        return fail(
            Code::corrupt,
            fmt::format("data file '{}' is not the pool's: its sha256 is {} instead of {}", path, sha256, file.sha256),
            kImportHint);
    }
    return {};
}

Result<void> require_same_file(const DataFile& made, const DataFile& expected) {
    if (made == expected) return {};
    return fail(Code::corrupt,
                fmt::format("'{}' came out different from the pool's '{}': its sha256 is {} instead of {}", made.name,
                            expected.name, made.sha256, expected.sha256));
}

Result<void> require_same_part(const std::string& what, const ScoredPart& made, const ScoredPart& expected) {
    if (made == expected) return {};
    return fail(Code::corrupt, fmt::format("the {} has {} targets that stand for {} bytes, the pool says {} and {}",
                                           what, made.tokens, made.bytes, expected.tokens, expected.bytes));
}

Result<void> check_part(const std::string& folder, const DataManifest& manifest, const DataFile& file,
                        const std::string& what, const ScoredPart& expected) {
    TRY_ASSIGN(const Shard shard, Shard::open(data_path(folder, file)));
    TRY_ASSIGN(const ByteTable table, read_byte_table(data_path(folder, manifest.byte_table)));
    TRY_ASSIGN(const ScoredPart made, scored_part(shard.tokens(), table, what));
    return require_same_part(what, made, expected);
}

bool holds(const std::vector<SourceFile>& files, const std::string& sha256) {
    return std::any_of(files.begin(), files.end(), [&](const SourceFile& file) { return file.sha256 == sha256; });
}

}  // namespace

std::string data_path(const std::string& folder, const DataFile& file) {
    return (std::filesystem::path(folder) / file.name).string();
}

Result<void> check_data(const std::string& folder, const DataManifest& manifest) {
    for (const DataFile& file : manifest.train) TRY(check_file(folder, file));
    for (const DataFile& file : {manifest.slice, manifest.full, manifest.byte_table}) TRY(check_file(folder, file));
    if (!manifest.tokenizer.name.empty()) TRY(check_file(folder, manifest.tokenizer));
    TRY(check_part(folder, manifest, manifest.slice, kSlice, manifest.slice_scored));
    return check_part(folder, manifest, manifest.full, kFull, manifest.full_scored);
}

Result<ScoredPart> scored_part(std::span<const std::uint16_t> stream, const ByteTable& table, const std::string& what) {
    ScoredPart part;
    part.tokens = scored_targets(static_cast<std::int64_t>(stream.size()));
    part.bytes = target_bytes(stream, table, 0, part.tokens);
    if (part.tokens == 0 || part.bytes == 0) {
        return fail(Code::usage, fmt::format("the {} has {} tokens, too few to be scored: at least {} are needed", what,
                                             stream.size(), kTargetMultiple + 1));
    }
    return part;
}

Result<void> require_same_sources(const std::vector<SourceFile>& given, const std::vector<SourceFile>& expected) {
    for (const SourceFile& file : expected) {
        if (holds(given, file.sha256)) continue;
        const auto same_name =
            std::find_if(given.begin(), given.end(), [&](const SourceFile& other) { return other.name == file.name; });
        if (same_name == given.end()) {
            return fail(Code::corrupt,
                        fmt::format("source file '{}' of the pool is missing: sha256 {}", file.name, file.sha256));
        }
        return fail(Code::corrupt, fmt::format("source file '{}' is not the pool's: its sha256 is {} instead of {}",
                                               file.name, same_name->sha256, file.sha256));
    }
    for (const SourceFile& file : given) {
        if (!holds(expected, file.sha256)) {
            return fail(Code::corrupt,
                        fmt::format("source file '{}' is none of the pool's: sha256 {}", file.name, file.sha256));
        }
    }
    return {};
}

Result<void> require_same(const DataManifest& made, const DataManifest& expected) {
    TRY(require_same_sources(made.sources, expected.sources));
    if (made.train.size() != expected.train.size()) {
        return fail(Code::corrupt, fmt::format("the import made {} training shards instead of the pool's {}",
                                               made.train.size(), expected.train.size()));
    }
    TRY(require_same_file(made.tokenizer, expected.tokenizer));
    TRY(require_same_file(made.byte_table, expected.byte_table));
    TRY(require_same_file(made.slice, expected.slice));
    TRY(require_same_file(made.full, expected.full));
    for (std::size_t shard = 0; shard < made.train.size(); ++shard) {
        TRY(require_same_file(made.train[shard], expected.train[shard]));
    }
    TRY(require_same_part(kSlice, made.slice_scored, expected.slice_scored));
    return require_same_part(kFull, made.full_scored, expected.full_scored);
}

}  // namespace cultivar
