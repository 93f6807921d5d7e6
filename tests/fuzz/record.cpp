// Fuzzes a line of a journal.
#include "pool/types/record.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto record = parse_line(text_of(data, size));
    if (!record) return 0;
    const std::string line = to_line(*record);
    demand(line.find('\n') == std::string::npos);
    const auto again = parse_line(line);
    demand(again && again->index() == record->index() && to_line(*again) == line);
    return 0;
}
