// What an import made, and of what: everything another machine needs to make the same, or to say why it cannot.
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
    std::string name;  // in the data folder, where it may be a link to somebody's own shard
    std::string sha256;
    std::int64_t tokens = 0;  // shards only
    bool operator==(const DataFile&) const = default;
};

struct SourceFile {
    std::string name;    // without folders; for messages, it is the digest that counts
    std::string sha256;  // of the file as it lies there, packed or not
    bool operator==(const SourceFile&) const = default;
};

// A part of the validation set as it is scored (eval/formats/bits_per_byte.h): tokens / bytes is a constant of the pool.
struct ScoredPart {
    std::int64_t tokens = 0;  // targets, a multiple of 4,096
    std::int64_t bytes = 0;
    double tokens_per_byte() const { return static_cast<double>(tokens) / static_cast<double>(bytes); }
    bool operator==(const ScoredPart&) const = default;
};

// Of a whole part's tokens; `what` names it in messages. Errors: usage (too few tokens to be scored).
Result<ScoredPart> scored_part(std::span<const std::uint16_t> stream, const ByteTable& table, const std::string& what);

enum class TokenizerKind { sentencepiece, byte };

struct DataManifest {
    // What was asked for.
    std::vector<SourceFile> sources;  // empty: existing shards, taken as they are
    std::string separator;            // "": blank lines
    std::int64_t slice_text_bytes = 0;
    std::int64_t full_text_bytes = 0;
    TokenizerKind tokenizer_kind = TokenizerKind::sentencepiece;
    // What came of it.
    std::vector<DataFile> train;  // in reading order
    DataFile slice, full, byte_table;
    DataFile tokenizer;  // name "" without a model
    std::int64_t vocabulary = 0;
    ScoredPart slice_scored, full_scored;
    // What was met on the way; 0 for existing shards.
    std::int64_t text_bytes = 0;  // of the documents kept
    std::int64_t documents = 0;   // kept
    std::int64_t duplicates = 0;  // dropped
    TextRepairs repairs;

    bool operator==(const DataManifest&) const = default;
};

std::string data_path(const std::string& folder, const DataFile& file);

// Digests every file of the manifest again and counts the validation parts' targets and bytes. Errors: not_found,
// corrupt (naming the first file that is missing or differs, or the part whose figures do), io. Costs one reading of all
// data.
Result<void> check_data(const std::string& folder, const DataManifest& manifest);

// Did an import make the very files that the pool names? Errors: corrupt, naming the first source file that differs, is
// missing or is one too many, or else the first file that came out different.
Result<void> require_same(const DataManifest& made, const DataManifest& expected);
// Only the sources, so that a wrong one is found before the work is done.
Result<void> require_same_sources(const std::vector<SourceFile>& given, const std::vector<SourceFile>& expected);

}  // namespace cultivar
