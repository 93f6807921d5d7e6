// Tokenizers: text to token ids, and the table of bytes per id. Only this file's implementation uses SentencePiece.
//
// Ids 0..3 are pad, BOS, EOS and unknown. Two kinds:
//   sentencepiece  a BPE model with byte fallback. Models trained here neither normalise nor add a space, so that the
//                  byte table counts every document (train/data/documents.h) exactly: its bytes = sum over its tokens
//                  of base + lead. (Other models may fold characters; then the table counts the folded text.)
//   byte           byte b is id 4 + b; 260 ids
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eval/formats/shard.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::uint16_t kBos = 1;
inline constexpr int kTrainedPieces = 1024;

class Tokenizer {
public:
    static Tokenizer bytes();
    // Reads the bytes of a .model file. Errors: corrupt (not a model, over 65,536 pieces, or BOS is not 1).
    static Result<Tokenizer> sentencepiece(std::string_view model);

    // Encodes each document as BOS and its ids, one document after another. Uses up to 16 threads; the result does not
    // depend on their number. Text of over 64 KiB is cut at line feeds first, so that memory and time stay bounded.
    // Errors: corrupt.
    Result<std::vector<std::uint16_t>> encode(const std::vector<std::string_view>& documents) const;

    int vocabulary() const { return static_cast<int>(table_.size()); }
    const ByteTable& byte_table() const { return table_; }  // Parameter Golf's rules (eval/formats/bits_per_byte.h)

private:
    struct Model;
    bool encode_one(std::string_view text, std::vector<std::uint16_t>& tokens) const;

    std::shared_ptr<const Model> model_;  // null for the byte tokenizer
    ByteTable table_;
};

// Trains a BPE model of up to kTrainedPieces pieces on the first documents up to 10 MB and returns the .model file's
// bytes. Deterministic: one thread, no shuffling. Errors: usage (too little text), io.
Result<std::string> train_sentencepiece(const std::vector<std::string_view>& documents);

}  // namespace cultivar
