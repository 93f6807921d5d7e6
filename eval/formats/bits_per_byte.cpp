#include "eval/formats/bits_per_byte.h"

#include <cmath>
#include <numbers>

namespace cultivar {

std::int64_t scored_targets(std::int64_t stream_tokens) {
    return stream_tokens < 1 ? 0 : (stream_tokens - 1) / kTargetMultiple * kTargetMultiple;
}

std::int64_t target_bytes(std::span<const std::uint16_t> stream, const ByteTable& table, std::int64_t begin,
                          std::int64_t end) {
    const auto entry = [&](std::uint16_t id) { return id < table.size() ? table[id] : TokenBytes{}; };
    std::int64_t bytes = 0;
    for (std::int64_t position = begin; position < end; ++position) {
        const auto at = static_cast<std::size_t>(position);
        const TokenBytes previous = entry(stream[at]);
        const TokenBytes target = entry(stream[at + 1]);
        bytes += target.base_bytes + (target.lead && !previous.boundary ? 1 : 0);
    }
    return bytes;
}

double bits_per_byte(double val_loss, std::int64_t tokens, std::int64_t bytes) {
    return val_loss / std::numbers::ln2 * (static_cast<double>(tokens) / static_cast<double>(bytes));
}

}  // namespace cultivar
