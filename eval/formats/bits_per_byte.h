// Bits per byte: a language model's score that does not depend on the tokenizer.
//
//   bytes(i)  = base[y] + (lead[y] and not boundary[x])   for target y with true previous token x
//   val_bpb   = (val_loss / ln 2) * (tokens / bytes)      val_loss: token-weighted mean cross-entropy in nats
//
// Validation keeps a multiple of 4,096 targets, and sequence lengths divide 4,096, so that every candidate is scored on
// the same tokens; tokens/bytes is then a constant of the pool. Chunk c of 64 covers targets [c*T/64, (c+1)*T/64).
#pragma once

#include <cstdint>
#include <span>

#include "eval/formats/shard.h"

namespace cultivar {

inline constexpr std::int64_t kTargetMultiple = 4096;

// Returns the number of scored targets in a stream of N tokens: floor((N-1)/4096)*4096.
std::int64_t scored_targets(std::int64_t stream_tokens);

// Returns the number of bytes of the targets stream[begin+1 .. end], which are target positions [begin, end). Ids
// beyond the table count as boundary tokens of 0 bytes.
std::int64_t target_bytes(std::span<const std::uint16_t> stream, const ByteTable& table, std::int64_t begin,
                          std::int64_t end);

double bits_per_byte(double val_loss, std::int64_t tokens, std::int64_t bytes);

}  // namespace cultivar
