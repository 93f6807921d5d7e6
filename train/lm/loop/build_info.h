// Describes this worker's build and libraries, for records and bug reports.
#pragma once

#include <string>

namespace cultivar {

struct BuildInfo {
    std::string version;                // cultivar's
    std::string torch;                  // "1.13.1"
    std::string blas;                   // the library's description of itself, "OpenBLAS 0.3.21 ... USE_OPENMP ..."
    std::string blas_library;           // the library file that computes matrix products
    std::string instruction_set;        // of cultivar's kernels: "x86-64-v4" (train/lm/kernels/target_clones.h)
    std::string torch_instruction_set;  // of torch's own kernels: "AVX2"
    int threads = 0;                    // cores that this process may use; a run uses the number in its specification
};

BuildInfo build_info();

// "cultivar-lm 0.1.0 torch 1.13.1 threads 2"
std::string trainer_name(int threads);

}  // namespace cultivar
