#include "train/lm/loop/token_stream.h"

#include <fmt/format.h>

#include <algorithm>

namespace cultivar {

Result<TokenStream> TokenStream::open(const std::vector<std::string>& paths, std::int64_t vocabulary) {
    TokenStream stream;
    stream.paths_ = paths;
    stream.vocabulary_ = vocabulary;
    for (const std::string& path : paths) {
        TRY_ASSIGN(Shard shard, Shard::open(path));
        stream.round_tokens_ += static_cast<std::int64_t>(shard.tokens().size());
        stream.shards_.push_back(std::move(shard));
    }
    if (stream.round_tokens_ == 0) return fail(Code::usage, "the training shards hold no tokens");
    return stream;
}

Result<void> TokenStream::take(std::span<std::int64_t> out) {
    std::size_t filled = 0;
    while (filled < out.size()) {
        const std::span<const std::uint16_t> tokens = shards_[shard_].tokens();
        const std::size_t count = std::min(out.size() - filled, tokens.size() - offset_);
        for (std::size_t i = 0; i < count; ++i) {
            const std::int64_t token = tokens[offset_ + i];
            if (token >= vocabulary_) {
                return fail(Code::corrupt, fmt::format("shard '{}' has token {}, the vocabulary only {}",
                                                       paths_[shard_], token, vocabulary_));
            }
            out[filled + i] = token;
        }
        filled += count;
        offset_ += count;
        if (offset_ == tokens.size()) {
            shard_ = (shard_ + 1) % shards_.size();
            offset_ = 0;
        }
    }
    position_ += static_cast<std::int64_t>(out.size());
    return {};
}

void TokenStream::seek(std::int64_t position) {
    position_ = position;
    auto left = static_cast<std::size_t>(position % round_tokens_);
    for (shard_ = 0; left >= shards_[shard_].tokens().size(); ++shard_) left -= shards_[shard_].tokens().size();
    offset_ = left;
}

}  // namespace cultivar
