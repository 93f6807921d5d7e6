#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "train/data/import.h"
#include "train/data/shard_writer.h"
#include "train/data/text_cleaning.h"
#include "train/data/tokenizer.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

// Lists the folder's files named PREFIX*.bin, in reading order.
Result<std::vector<fs::path>> shards_in(const std::string& folder, std::string_view prefix) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (name.starts_with(prefix) && name.ends_with(".bin")) paths.push_back(fs::absolute(at->path()));
    }
    if (error) return fail(Code::not_found, fmt::format("cannot read folder '{}': {}", folder, error.message()));
    if (paths.empty()) return fail(Code::not_found, fmt::format("no '{}*.bin' in folder '{}'", prefix, folder));
    std::sort(paths.begin(), paths.end());
    return paths;
}

Result<Shard> open_checked(const fs::path& path, int vocabulary) {
    TRY_ASSIGN(Shard shard, Shard::open(path.string()));
    for (std::uint16_t id : shard.tokens()) {
        if (id >= vocabulary) {
            return fail(Code::corrupt,
                        fmt::format("'{}' has token {}, but the tokenizer has only {}", path.string(), id, vocabulary));
        }
    }
    return shard;
}

Result<DataFile> link_shard(const fs::path& path, const std::string& folder, int vocabulary) {
    TRY_ASSIGN(const Shard shard, open_checked(path, vocabulary));
    DataFile file{path.filename().string(), {}, static_cast<std::int64_t>(shard.tokens().size())};
    TRY_ASSIGN(file.sha256, sha256_file_hex(path.string()));
    const fs::path link = data_path(folder, file);
    std::error_code error;
    if (fs::equivalent(link, path, error)) return file;
    fs::remove(link, error);
    fs::create_symlink(path, link, error);
    if (error) return fail(Code::io, fmt::format("cannot link '{}': {}", link.string(), error.message()));
    return file;
}

// Returns the number of tokens in the first whole documents with at least `slice_bytes` bytes; all tokens if no
// document border comes after that many bytes.
std::size_t slice_length(const std::vector<std::uint16_t>& stream, const ByteTable& table, std::int64_t slice_bytes) {
    std::int64_t bytes = 0;
    for (std::size_t at = 1; at < stream.size(); ++at) {
        if (stream[at] == kBos && bytes >= slice_bytes) return at;
        const TokenBytes token = table[stream[at]];
        bytes += token.base_bytes + (token.lead && !table[stream[at - 1]].boundary ? 1 : 0);
    }
    return stream.size();
}

}  // namespace

Result<DataManifest> import_shards(const std::string& shards, const std::string& model_path, std::int64_t slice_bytes,
                                   const std::string& folder, const ImportProgress& progress) {
    TRY_ASSIGN(const std::string model, read_text_bytes(model_path));
    TRY_ASSIGN(const Tokenizer tokenizer, Tokenizer::sentencepiece(model));
    TRY_ASSIGN(const auto train, shards_in(shards, "fineweb_train_"));
    TRY_ASSIGN(const auto validation, shards_in(shards, "fineweb_val_"));
    TRY(create_folder(folder));

    DataManifest manifest;
    manifest.slice_text_bytes = slice_bytes;
    std::vector<std::uint16_t> full;
    for (const fs::path& path : validation) {
        TRY_ASSIGN(const Shard shard, open_checked(path, tokenizer.vocabulary()));
        full.insert(full.end(), shard.tokens().begin(), shard.tokens().end());
    }
    const std::size_t slice = slice_length(full, tokenizer.byte_table(), slice_bytes);
    TRY(save_validation(folder, std::span(full).first(slice), full, tokenizer.byte_table(), model, manifest));
    for (const fs::path& path : train) {
        if (progress)
            progress("digesting", static_cast<double>(manifest.train.size()) / static_cast<double>(train.size()));
        TRY_ASSIGN(DataFile file, link_shard(path, folder, tokenizer.vocabulary()));
        manifest.train.push_back(std::move(file));
    }
    return manifest;
}

}  // namespace cultivar
