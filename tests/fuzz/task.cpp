// Fuzzes pool.toml.
#include "pool/types/task.h"
#include "pool/types/task_parser.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto task = parse_task(text_of(data, size), "pool.toml");
    if (!task) return 0;
    const std::string written = to_toml(*task);
    const auto again = parse_task(written, "pool.toml");
    demand(again && to_toml(*again) == written && again->id() == task->id());
    demand(may_follow(*task, *again).has_value());
    return 0;
}
