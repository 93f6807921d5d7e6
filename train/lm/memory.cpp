#include "train/lm/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace cultivar {
namespace {

constexpr double kFloatBytes = sizeof(float);
constexpr double kLibraryBytes = 250e6;  // torch and what it loads

double number_in(const char* path) {
    double number = std::numeric_limits<double>::infinity();
    std::ifstream file(path);
    if (!(file >> number)) return std::numeric_limits<double>::infinity();  // absent, or "max"
    return number;
}

double machine_available_bytes() {
    std::ifstream file("/proc/meminfo");
    std::string field, unit;
    double kib = 0;
    while (file >> field >> kib) {
        std::getline(file, unit);
        if (field == "MemAvailable:") return kib * 1024;
    }
    return std::numeric_limits<double>::infinity();
}

}  // namespace

double training_memory_bytes(const ModelConfig& config, std::int64_t parameters, std::int64_t micro_tokens,
                             std::int64_t lanes) {
    const auto d = static_cast<double>(config.width), t = static_cast<double>(config.seq_len);
    const double kv = static_cast<double>(config.kv_width()), hidden = static_cast<double>(config.hidden());
    const double mlp_copies = config.mlp == Mlp::swiglu ? 4 : 3;
    // What autograd keeps of a layer for the way back, floats a token: the stream, its norms and mixes, q, k and v in
    // their stages, half of the attention weights, the stages of the feed-forward part.
    const double layer = 13 * d + 7 * kv + static_cast<double>(config.heads) * (t / 2 + 64) + mlp_copies * hidden;
    const double activations =
        static_cast<double>(lanes * micro_tokens) * (static_cast<double>(config.layers) * layer + 8 * d);
    const double states = static_cast<double>((4 + lanes) * parameters);  // weights, two moments, scratch, gradients
    return kLibraryBytes + kFloatBytes * (activations + states);
}

Outcome<void> check_memory(double needed_bytes) {
    const double available_bytes = available_memory_bytes();
    if (needed_bytes <= available_bytes) return {};
    return fail(ErrorEvent{"unfit", fmt::format("this model needs about {:.2f} GB of memory here, {:.2f} GB are free",
                                                needed_bytes / 1e9, available_bytes / 1e9)});
}

double available_memory_bytes() {
    const double group = number_in("/sys/fs/cgroup/memory.max") - number_in("/sys/fs/cgroup/memory.current");
    const double machine = machine_available_bytes();
    return group >= 0 ? std::min(group, machine) : machine;
}

}  // namespace cultivar
