// The manifest of an import: its sources, its settings and the digests of the files that it made. With it another
// machine can make the same files, or name the file that differs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/formats/shard.h"
#include "pool/util/result.h"
#include "train/data/text_cleaning.h"

namespace cultivar {

struct DataFile {
    std::string name;  // in the data folder; may be a link to a user's own shard
    std::string sha256;
    std::int64_t tokens = 0;  // shards only
    bool operator==(const DataFile&) const = default;
};

struct SourceFile {
    std::string name;    // without folders; used in messages, the digest identifies the file
    std::string sha256;  // of the file as given, compressed or not
    bool operator==(const SourceFile&) const = default;
};

// A scored part of the validation set (eval/formats/bits_per_byte.h): tokens / bytes is a constant of the pool.
struct ScoredPart {
    std::int64_t tokens = 0;  // targets, a multiple of 4,096
    std::int64_t bytes = 0;
    double tokens_per_byte() const { return static_cast<double>(tokens) / static_cast<double>(bytes); }
    bool operator==(const ScoredPart&) const = default;
};

// Counts the targets and bytes of a whole part. `what` names the part in messages. Errors: usage (too few tokens to be
// scored).
Result<ScoredPart> scored_part(std::span<const std::uint16_t> stream, const ByteTable& table, const std::string& what);

enum class TokenizerKind { sentencepiece, byte };

struct DataManifest {
    // The request.
    std::vector<SourceFile> sources;  // empty if existing shards were imported
    std::string separator;            // "" means blank lines
    std::int64_t slice_text_bytes = 0;
    std::int64_t full_text_bytes = 0;
    TokenizerKind tokenizer_kind = TokenizerKind::sentencepiece;
    // The files made.
    std::vector<DataFile> train;  // in reading order
    DataFile slice, full, byte_table;
    DataFile tokenizer;  // name is "" without a model
    std::int64_t vocabulary = 0;
    ScoredPart slice_scored, full_scored;
    // Statistics of the text; 0 for existing shards.
    std::int64_t text_bytes = 0;  // in the kept documents
    std::int64_t documents = 0;   // kept
    std::int64_t duplicates = 0;  // dropped
    TextRepairs repairs;

    bool operator==(const DataManifest&) const = default;
};

std::string data_path(const std::string& folder, const DataFile& file);

// Computes the digest of every file of the manifest again and counts the validation parts' targets and bytes. Errors:
// not_found, corrupt (names the first file that is missing or differs, or the part with other figures), io. Cost: one
// reading of all data.
Result<void> check_data(const std::string& folder, const DataManifest& manifest);

// Checks that an import made exactly the files that the pool names. Errors: corrupt, naming the first source file that
// differs, is missing or is one too many, or else the first file made with another digest.
Result<void> require_same(const DataManifest& made, const DataManifest& expected);
// Compares only the sources, so that a wrong one is found before the import starts.
Result<void> require_same_sources(const std::vector<SourceFile>& given, const std::vector<SourceFile>& expected);

}  // namespace cultivar
