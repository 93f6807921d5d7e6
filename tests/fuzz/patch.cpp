// Fuzzes a unified diff: read, and applied to what its own lines say was there.
#include "pool/util/patch.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto files = parse_patch(text_of(data, size), "patch");
    if (!files) return 0;
    for (const FilePatch& file : *files) {
        demand(!file.path.empty() || !file.hunks.empty());
        (void)apply_patch(file, "one\ntwo\nthree\n");
        (void)apply_patch(file, "");
    }
    return 0;
}
