// The category's fixed benchmark: measures the speed of this trainer's kernels on this machine and checks that they
// still compute the same.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace cultivar {

// Returns the training FLOP/s of forward and backward passes of a fixed model (4 layers, width 256, sequence 512,
// vocabulary 1,024), counted as three times its forward FLOPs per token; the best of three measurements of about 0.6 s.
// Never change the workload: that would change every clone's category.
double training_flops_per_s(at::Device device);

// The losses of a fixed short run: 8 steps of a model of 4 layers and width 64, with its seed, text and clock, and the
// first 16 hex digits of the SHA-256 of their bits. The same program on the same machine with the same number of
// threads always gives the same signature. Another number of threads, instruction set or BLAS may round differently:
// then the losses agree to about five digits and the signatures differ.
struct Signature {
    std::string digest;
    std::vector<double> losses;
};
Signature run_signature();

}  // namespace cultivar
