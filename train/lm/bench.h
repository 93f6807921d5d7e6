// The category's fixed benchmark: how fast this machine runs this trainer's own kernels.
#pragma once

namespace cultivar {

// Training FLOP/s of forward and backward passes of a fixed model (4 layers, width 256, sequence 512, vocabulary
// 1,024), counted as three times its forward FLOPs a token; the best of three pieces of about 0.6 s. A change of the
// workload moves every clone's category: leave it alone.
double training_flops_per_s();

}  // namespace cultivar
