// Fuzzes a line of a verdict ledger.
#include "pool/types/verdict.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto verdict = parse_verdict(text_of(data, size));
    if (!verdict) return 0;
    const std::string line = to_line(*verdict);
    const auto again = parse_verdict(line);
    demand(again && to_line(*again) == line);
    return 0;
}
