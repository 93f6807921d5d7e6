// Fuzzes a token shard and a byte table.
#include "eval/formats/shard.h"

#include "eval/formats/bits_per_byte.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const InputFile file(text_of(data, size));
    std::uint64_t sum = 0;
    if (const auto shard = Shard::open(file.path())) {
        demand(shard->tokens().size() * 2 + 1024 == size);
        for (std::uint16_t token : shard->tokens()) sum += token;
    }
    if (const auto table = read_byte_table(file.path())) {
        for (const TokenBytes& token : *table) sum += token.base_bytes;
    }
    demand(sum < UINT64_MAX);
    return 0;
}
