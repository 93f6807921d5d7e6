// Keeping and reverting under real seed noise: a search climbs by small steps of known true size; the seed noise of
// real configurations disturbs its runs.
#pragma once

#include <string>
#include <vector>

#include "bandit/space/random.h"
#include "pool/util/result.h"

namespace cultivar {

// A seeds file has a header, then a configuration and the final loss of each of its seeds per row. The struct holds
// each configuration's losses minus their mean, widened by sqrt(n / (n - 1)). Configurations with one seed are left
// out.
struct SeedNoise {
    std::string name;
    std::vector<std::vector<double>> residuals;
    double sigma = 0;  // pooled standard deviation
    double level = 0;  // mean loss
};

// Errors: io, corrupt (a field is not a number, no configuration has two seeds, there is no noise).
Result<SeedNoise> read_seeds(const std::string& path);

// Proposals: a child of the best so far. With this chance it is better by |N(0, 1)| * `scale` sigma, otherwise worse by
// as much.
struct Proposals {
    double improving = 0.2;
    double scale = 1;
};

struct ClimbResult {
    int kept = 0;
    int falsely = 0;      // kept though no better than the parent
    double gain = 0;      // true value of the published candidate minus the start's, in sigma
    double optimism = 0;  // published - true value, in sigma; negative: it promises too much
    int runs = 0;         // replicates included
};

//   ours      judge() of bandit/policy/keep_test.h on a History, with replicates of the incumbent as the planner does
//   single    kept if one run beats the record
//   three     three seeds against the record's, one-sided at 95 % with the sigma of the file
const std::vector<std::string>& noise_methods();

// Replays a climb of `runs` runs. `method` is one of noise_methods().
ClimbResult replay_climb(const SeedNoise& noise, const std::string& method, const Proposals& proposals, int runs,
                         Random& random);

}  // namespace cultivar
