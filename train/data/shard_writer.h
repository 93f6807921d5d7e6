// The last step of every import: a file into the data folder, with its digest.
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

// train_000000.bin and so on, `shard_tokens` each but the last.
Result<std::vector<DataFile>> save_training(const std::string& folder, std::span<const std::uint16_t> tokens,
                                            std::int64_t shard_tokens = kShardTokens);

// val_slice.bin, val_full.bin, tokens.bytes and, unless empty, tokenizer.model, into the manifest with their figures.
// Errors: usage (a part too short to be scored), io.
Result<void> save_validation(const std::string& folder, std::span<const std::uint16_t> slice,
                             std::span<const std::uint16_t> full, const ByteTable& table, std::string_view model,
                             DataManifest& manifest);

}  // namespace cultivar
