// The text of a loss, which everything inside minimises, as its task counts scores: with its sign, and as many digits as
// the metric needs. val_bpb has four decimals. The scores of a pool's own command have six significant digits, or, once
// the noise is known, all digits down to about a tenth of it.
#pragma once

#include <string>

#include "pool/types/task.h"

namespace cultivar {

class ScoreText {
public:
    ScoreText() = default;  // of val_bpb
    explicit ScoreText(const Task& task)
        : any_metric_(task.command.has_value()), maximized_(task.direction == "maximize") {}

    ScoreText with_noise(double sigma) const;             // sigma: of one run's score; 0: unknown
    bool any_metric() const { return any_metric_; }       // rather than val_bpb
    std::string of(double loss) const;                    // "2.1034"; of a maximised score: "0.931" for -0.931
    std::string interval(double low, double high) const;  // of losses: "2.1012 to 2.1034", the lesser score first
    std::string error(double width) const;                // a standard error: "0.0012"

private:
    std::string plain(double figure) const;

    bool any_metric_ = false, maximized_ = false;
    double sigma_ = 0;
};

}  // namespace cultivar
