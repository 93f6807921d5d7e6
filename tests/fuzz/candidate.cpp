// Fuzzes a candidate's TOML, as users write it and as a pool stores it.
#include <memory>

#include "pool/types/candidate.h"
#include "tests/fuzz/input.h"
#include "train/lm/space/lm_search_space.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Space space = [] {
        Space made = Space::make(lm_genes(), lm_constraints()).value();
        Surface surface;
        surface.edit = {"src/**"};
        demand(surface.add_task_file("src/fit.py", std::string(64, '1'), "").has_value());
        made.set_surface(std::make_shared<const Surface>(surface));
        return made;
    }();
    static const std::string task_id(64, '7');
    const std::string_view text = text_of(data, size);
    if (const auto candidate = parse_canonical(space, task_id, text)) demand(candidate->toml == text);
    if (const auto written = read_candidate(space, task_id, text, "input")) {
        const auto again = parse_canonical(space, task_id, written->toml);
        demand(again && again->id == written->id && again->genes == written->genes && again->files == written->files);
    }
    return 0;
}
