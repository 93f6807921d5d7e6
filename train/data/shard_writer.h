// Writes the files of an import into the data folder and returns their digests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "eval/formats/shard.h"
#include "train/data/data_manifest.h"

namespace cultivar {

inline constexpr std::int64_t kShardTokens = 100'000'000;

// Errors: io.
Result<void> create_folder(const std::string& folder);
Result<DataFile> save_shard(const std::string& folder, const std::string& name, std::span<const std::uint16_t> tokens);
Result<DataFile> save_file(const std::string& folder, const std::string& name, std::string_view bytes);

// Writes train_000000.bin and so on with `shard_tokens` tokens each; the last may be smaller.
Result<std::vector<DataFile>> save_training(const std::string& folder, std::span<const std::uint16_t> tokens,
                                            std::int64_t shard_tokens = kShardTokens);

// Writes val_slice.bin, val_full.bin, tokens.bytes and, unless `model` is empty, tokenizer.model, and enters them with
// their figures into the manifest. Errors: usage (a part too short to be scored), io.
Result<void> save_validation(const std::string& folder, std::span<const std::uint16_t> slice,
                             std::span<const std::uint16_t> full, const ByteTable& table, std::string_view model,
                             DataManifest& manifest);

}  // namespace cultivar
