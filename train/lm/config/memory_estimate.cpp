#include "train/lm/config/memory_estimate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace cultivar {
namespace {

constexpr double kFloatBytes = sizeof(float);
constexpr double kLaneBytes = 15e6;  // BLAS's buffers, per thread
constexpr double kHeld = 1.3;        // measured: memory held by malloc per byte of live tensors

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

// Resident memory of this process now: torch and the libraries that it loads.
double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double total_pages = 0, resident_pages = 0;
    file >> total_pages >> resident_pages;
    return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Floats per token that are kept for the backward pass; see Model::run_block() for the tensors.
double kept_floats_per_token(const ModelConfig& config) {
    const auto d = static_cast<double>(config.width), heads = static_cast<double>(config.heads);
    const double qkv = d + 2 * static_cast<double>(config.kv_width());
    const double hidden = (config.mlp == Mlp::swiglu ? 3 : 2) * static_cast<double>(config.hidden());
    double layer = 7 * d + qkv + hidden + heads + 4;  // norms, and outputs and sums of both parts
    if (config.resid_mix) layer += d;
    if (config.norm_placement == NormPlacement::sandwich) layer += 2 * d;
    if (config.norm_placement == NormPlacement::post) layer += d;
    double ends = 8 * d;  // embedding, its norm, the last norm, and the gradients in progress
    if (config.value_residual) ends += 2 * qkv;
    if (config.smear_gate) ends += 6 * d;
    if (config.bigram_buckets > 0) ends += 2 * d + static_cast<double>(config.bigram_width);
    return static_cast<double>(config.layers) * layer + static_cast<double>(config.skips()) * d + ends + hidden;
}

// Scratch of one thread: attention's planes and blocks of scores, and a block of logits.
double scratch_floats(const ModelConfig& config) {
    const auto t = static_cast<double>(config.seq_len), head = static_cast<double>(config.head_dim());
    return 6 * t * head + 2 * 64 * t + 256 * static_cast<double>(config.vocabulary);
}

}  // namespace

double training_memory_bytes(const LmConfig& config, std::int64_t parameters, std::int64_t micro_tokens,
                             std::int64_t lanes) {
    const double workers = static_cast<double>(lanes), size = static_cast<double>(parameters);
    const double passes = workers * (kHeld * static_cast<double>(micro_tokens) * kept_floats_per_token(config.model) +
                                     scratch_floats(config.model));
    double states = 3 + workers;  // weights, two moments, gradients
    if (config.optim.averaging != Averaging::none) ++states;
    if (config.artifact.qat_share > 0) ++states;
    return resident_bytes() + workers * kLaneBytes + kFloatBytes * (passes + states * size);
}

double scoring_memory_bytes(const LmConfig& config, std::int64_t parameters, std::int64_t batch_tokens,
                            std::int64_t lanes) {
    const ModelConfig& model = config.model;
    const double widest = 8 * static_cast<double>(model.width) + 2 * static_cast<double>(model.kv_width()) +
                          3 * static_cast<double>(model.hidden()) +
                          static_cast<double>(model.skips() * model.width);  // live floats per token at one time
    const double passes = kHeld * static_cast<double>(batch_tokens) * widest + scratch_floats(model);
    const double workers = static_cast<double>(lanes), copies = 3;  // of the weights while the model is loaded
    return resident_bytes() + workers * (kLaneBytes + kFloatBytes * passes) +
           kFloatBytes * copies * static_cast<double>(parameters);
}

Outcome<void> check_memory(double needed_bytes) {
    const double available_bytes = available_memory_bytes() + resident_bytes();
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
