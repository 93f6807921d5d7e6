#include "train/lm/loop/build_info.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <thread>

#include "train/lm/kernels/target_clones.h"

namespace cultivar {
namespace {

// Torch reports it only in a line of text, "  - CPU capability usage: AVX512".
std::string torch_instruction_set() {
    const std::string report = at::show_config(), label = "CPU capability usage: ";
    const std::size_t begin = report.find(label);
    if (begin == std::string::npos) return "unknown";
    const std::size_t from = begin + label.size();
    return report.substr(from, report.find('\n', from) - from);
}

std::string blas_name() {
    using Describe = char* (*)();
    const auto describe = reinterpret_cast<Describe>(dlsym(RTLD_DEFAULT, "openblas_get_config"));
    return describe ? describe() : "unknown";
}

std::string blas_library() {
    Dl_info place{};
    void* sgemm = dlsym(RTLD_DEFAULT, "sgemm_");
    return sgemm && dladdr(sgemm, &place) && place.dli_fname ? place.dli_fname : "unknown";
}

}  // namespace

BuildInfo build_info() {
    return {CULTIVAR_VERSION,
            TORCH_VERSION,
            blas_name(),
            blas_library(),
            kernel_instruction_set(),
            torch_instruction_set(),
            static_cast<int>(std::thread::hardware_concurrency())};
}

std::string trainer_name(int threads) {
    return fmt::format("cultivar-lm {} torch {} threads {}", CULTIVAR_VERSION, TORCH_VERSION, threads);
}

}  // namespace cultivar
