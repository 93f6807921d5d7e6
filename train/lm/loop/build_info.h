// What this worker is made of, for records and bug reports.
#pragma once

#include <string>

namespace cultivar {

struct BuildInfo {
    std::string version;                // cultivar's
    std::string torch;                  // "1.13.1"
    std::string blas;                   // what the library says of itself, "OpenBLAS 0.3.21 ... USE_OPENMP ..."
    std::string blas_library;           // the file that matrix products come from
    std::string instruction_set;        // what our kernels use here: "x86-64-v4" (kernels/clones.h)
    std::string torch_instruction_set;  // what torch's own use: "AVX2"
    int threads = 0;                    // cores that this process may use; a run uses as many as its specification says
};

BuildInfo build_info();

// "cultivar-lm 0.1.0 torch 1.13.1 threads 2"
std::string trainer_name(int threads);

}  // namespace cultivar
