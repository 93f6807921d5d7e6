// The category's fixed benchmark: how fast this machine runs this trainer's own kernels, and whether they still compute
// what they did.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace cultivar {

// Training FLOP/s of forward and backward passes of a fixed model (4 layers, width 256, sequence 512, vocabulary
// 1,024), counted as three times its forward FLOPs a token; the best of three pieces of about 0.6 s. A change of the
// workload moves every clone's category: leave it alone.
double training_flops_per_s(at::Device device);

// The losses of a fixed short run: 8 steps of a model of 4 layers and width 64, with its seed, text and clock, and the
// first 16 hex digits of the SHA-256 of their bits. The same program gives the same signature on the same machine with
// the same number of threads, always. Another number of threads, another instruction set or another BLAS may round
// otherwise: then the losses agree to about five digits and the signatures differ.
struct Signature {
    std::string digest;
    std::vector<double> losses;
};
Signature run_signature();

}  // namespace cultivar
