// Keeping and reverting under real seed noise: a search that climbs by small steps whose true size is known, its runs
// disturbed by what the seeds of real configurations did.
#pragma once

#include <string>
#include <vector>

#include "bandit/space/random.h"
#include "pool/util/result.h"

namespace cultivar {

// A seeds file: a header, then a configuration and the final loss of each of its seeds. Each configuration's losses
// less their mean, widened by sqrt(n / (n - 1)); configurations with one seed are left out.
struct SeedNoise {
    std::string name;
    std::vector<std::vector<double>> residuals;
    double sigma = 0;  // pooled standard deviation
    double level = 0;  // mean loss
};

// Errors: io, corrupt (a field that is no number, no configuration with two seeds, no noise).
Result<SeedNoise> read_seeds(const std::string& path);

// Proposals: a child of the best so far that is better with this chance, by |N(0, 1)| * `scale` sigma, or as much worse.
struct Proposals {
    double improving = 0.2;
    double scale = 1;
};

struct ClimbResult {
    int kept = 0;
    int falsely = 0;      // kept though no better than the parent
    double gain = 0;      // true value of what is published over the start's, in sigma
    double optimism = 0;  // published less true, in sigma; negative: it promises too much
    int runs = 0;         // replicates included
};

//   ours      judge() of bandit/noise on a History, the incumbent again now and then as the planner does
//   single    kept if one run beats the record
//   three     three seeds against the record's, one-sided at 95 % with the sigma of the file
const std::vector<std::string>& noise_methods();

// A climb of `runs` runs. `method` is one of noise_methods().
ClimbResult replay_climb(const SeedNoise& noise, const std::string& method, const Proposals& proposals, int runs,
                         Random& random);

}  // namespace cultivar
