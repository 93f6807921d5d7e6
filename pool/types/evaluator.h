// The evaluator of a pool of kind "command": a program of the pool that scores an artifact.
//
//   [evaluate]
//   run = ["python3", "files/judge.py", "{artifact}", "{validation}"]
//   score = { regex = 'accuracy: ([0-9.]+)' }   absent: the rule of [command]
//   validation = "files/valid.csv"              {validation} and {hold_out}: a file of the pool, or data/NAME
//   tolerance = 0.001                           by which two scores of one artifact may differ; absent: 0
//   limit_s = 60                                absent: that of [command]
//
// Its score is the run's score, whatever the run itself printed; a run without an artifact has none. Who claims a score runs
// it at the end of each run, and a verifier runs it again on the same artifact. It starts in an empty folder with the pool's
// own files, when the run's processes are gone, and can reach nothing that the run left except its artifact.
//
// Where `run` names {hold_out}, a verifier with a file of its own scores the artifact once more, with {hold_out} for that
// file. In every other scoring it is the validation file, so that nobody needs another one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pool/types/figure_rule.h"
#include "pool/util/toml_table.h"

namespace cultivar {

struct Evaluator {
    std::vector<std::string> run;
    FigureRule score;        // as it counts: that of [command] if it has none of its own
    bool own_score = false;  // does its table hold it?
    std::string validation;  // "files/..." or "data/..."; "": none
    double tolerance = 0;    // in units of the score
    std::optional<double> limit_s;

    bool takes_hold_out() const;
};

// None: there is no table [evaluate]. `score`: the rule of [command]. Errors: usage (where:line:col).
Result<std::optional<Evaluator>> read_evaluator(TomlTable& table, const FigureRule& score);
std::string evaluator_toml(const Evaluator& evaluator);

// The difference that rounding explains: records keep six digits and more, machines sum in other orders.
double score_rounding(double one, double other);
// Do two scores of one artifact agree, within the tolerance and the rounding of records?
bool scores_agree(const Evaluator& evaluator, double one, double other);

}  // namespace cultivar
