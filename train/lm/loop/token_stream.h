// The training text as one endless stream: the shards in their order, then again from the start; never shuffled.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/formats/shard.h"
#include "pool/util/result.h"

namespace cultivar {

class TokenStream {
public:
    // Maps every shard. Errors: not_found, io, corrupt (a shard), usage (no tokens at all).
    static Result<TokenStream> open(const std::vector<std::string>& paths, std::int64_t vocabulary);

    // Reads the next out.size() tokens. Errors: corrupt (a token outside the vocabulary; the message names the shard).
    Result<void> take(std::span<std::int64_t> out);

    // Tokens taken since the start, over all rounds; a checkpoint stores it.
    std::int64_t position() const { return position_; }
    void seek(std::int64_t position);  // position >= 0

private:
    std::vector<std::string> paths_;
    std::vector<Shard> shards_;
    std::int64_t vocabulary_ = 0;
    std::int64_t round_tokens_ = 0;  // tokens of all shards
    std::int64_t position_ = 0;
    std::size_t shard_ = 0;   // the shard of the next token
    std::size_t offset_ = 0;  // its position in that shard
};

}  // namespace cultivar
