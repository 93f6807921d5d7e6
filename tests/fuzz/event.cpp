// Fuzzes a worker's events and its specification.
#include "tests/fuzz/input.h"
#include "train/protocol/protocol.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = text_of(data, size);
    if (const auto event = parse_event(text); event && !std::holds_alternative<UnknownEvent>(*event)) {
        const std::string line = to_line(*event);
        const auto again = parse_event(line);
        demand(again && again->index() == event->index() && to_line(*again) == line);
    }
    if (const auto specification = parse_specification(text)) {
        const std::string json = to_json(*specification);
        const auto again = parse_specification(json);
        demand(again && to_json(*again) == json);
    }
    return 0;
}
