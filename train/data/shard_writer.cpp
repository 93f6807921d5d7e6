#include "train/data/shard_writer.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

Result<DataFile> digested(const std::string& folder, const std::string& name, std::int64_t tokens) {
    DataFile file{name, {}, tokens};
    TRY_ASSIGN(file.sha256, sha256_file_hex(data_path(folder, file)));
    return file;
}

}  // namespace

Result<void> create_folder(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Code::io, fmt::format("cannot create folder '{}': {}", folder, error.message()));
    return {};
}

Result<DataFile> save_shard(const std::string& folder, const std::string& name, std::span<const std::uint16_t> tokens) {
    TRY(write_shard(data_path(folder, {name, {}, 0}), tokens));
    return digested(folder, name, static_cast<std::int64_t>(tokens.size()));
}

Result<DataFile> save_file(const std::string& folder, const std::string& name, std::string_view bytes) {
    TRY(write_file_atomically(data_path(folder, {name, {}, 0}), bytes));
    return digested(folder, name, 0);
}

Result<std::vector<DataFile>> save_training(const std::string& folder, std::span<const std::uint16_t> tokens,
                                            std::int64_t shard_tokens) {
    std::vector<DataFile> files;
    while (!tokens.empty()) {
        const std::size_t count = std::min(tokens.size(), static_cast<std::size_t>(shard_tokens));
        TRY_ASSIGN(DataFile file,
                   save_shard(folder, fmt::format("train_{:06}.bin", files.size()), tokens.first(count)));
        files.push_back(std::move(file));
        tokens = tokens.subspan(count);
    }
    return files;
}

Result<void> save_validation(const std::string& folder, std::span<const std::uint16_t> slice,
                             std::span<const std::uint16_t> full, const ByteTable& table, std::string_view model,
                             DataManifest& manifest) {
    TRY_ASSIGN(manifest.slice_scored, scored_part(slice, table, "validation slice"));
    TRY_ASSIGN(manifest.full_scored, scored_part(full, table, "full validation set"));
    TRY_ASSIGN(manifest.slice, save_shard(folder, "val_slice.bin", slice));
    TRY_ASSIGN(manifest.full, save_shard(folder, "val_full.bin", full));
    TRY(write_byte_table(data_path(folder, {"tokens.bytes", {}, 0}), table));
    TRY_ASSIGN(manifest.byte_table, digested(folder, "tokens.bytes", 0));
    if (!model.empty()) {
        TRY_ASSIGN(manifest.tokenizer, save_file(folder, "tokenizer.model", model));
    }
    manifest.vocabulary = static_cast<std::int64_t>(table.size());
    return {};
}

}  // namespace cultivar
