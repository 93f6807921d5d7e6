// TPE: a multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023), without linear algebra.
//
// The observations are split by score into good ones (the best ceil(0.15 n), at most 25) and bad ones. Each group is a
// mixture of product kernels: one per observation plus a prior close to uniform. Ordered genes have truncated normals
// on [0, 1] with the larger gap to a neighbour as width; unordered genes have smoothed one-hot kernels. A gene that is
// inactive in an observation has its prior there. Structural genes stay those of `base`, and the mixtures are
// conditioned on them: observations of similar models weigh more.
#pragma once

#include <memory>
#include <vector>

#include "bandit/space/random.h"
#include "pool/types/search_space.h"

namespace cultivar {

struct Observation {
    const Genes* genes = nullptr;  // complete
    double score = 0;              // minimised; infinity if it could not be judged here
    double weight = 1;
    double runs = 1;
};

class Parzen {
public:
    // `observations`: oldest first; of the bad ones the newest 250 are used. `space` must outlive the model. O(n d log
    // n).
    Parzen(const Space& space, const std::vector<Observation>& observations);
    ~Parzen();
    Parzen(Parzen&&) noexcept;
    Parzen& operator=(Parzen&&) noexcept;

    // Draws each plain gene with probability `share` from the good mixture and takes the others from `base`. The result
    // may violate constraints or equal `base`: the caller checks. O(n d).
    Genes sample(const Genes& base, double share, Random& random) const;
    // ln(good density) - ln(bad density): the higher, the likelier an improvement. O(n d).
    double gain(const Genes& genes) const;

private:
    struct Mixtures;
    std::unique_ptr<Mixtures> mixtures_;
};

}  // namespace cultivar
