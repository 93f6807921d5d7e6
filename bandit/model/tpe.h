// TPE: multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023), no linear algebra.
//
// The observations are split by score into good (the best ceil(0.15 n), at most 25) and bad; each group is a mixture of
// product kernels, one an observation plus a uniform-like prior: truncated normals on [0, 1] with the larger gap to a
// neighbour as width, smoothed one-hot kernels for unordered genes. A gene that is inactive in an observation has its
// prior there. Structural genes stay those of `base`, and the mixtures are conditioned on them: observations of alike
// models weigh more.
#pragma once

#include <memory>
#include <vector>

#include "bandit/space/random.h"
#include "pool/types/search_space.h"

namespace cultivar {

struct Observation {
    const Genes* genes = nullptr;  // complete
    double score = 0;              // minimised; infinity: could not be judged here
    double weight = 1;
    double runs = 1;
};

class Parzen {
public:
    // Oldest observation first. At most the newest 250 bad ones are used. `space` outlives the model. O(n d log n).
    Parzen(const Space& space, const std::vector<Observation>& observations);
    ~Parzen();
    Parzen(Parzen&&) noexcept;
    Parzen& operator=(Parzen&&) noexcept;

    // Each plain gene with probability `share` from the good mixture, the others from `base`. May violate constraints or
    // equal `base`: the caller checks. O(n d).
    Genes sample(const Genes& base, double share, Random& random) const;
    // ln good - ln bad: the higher, the likelier an improvement. O(n d).
    double gain(const Genes& genes) const;

private:
    struct Mixtures;
    std::unique_ptr<Mixtures> mixtures_;
};

}  // namespace cultivar
