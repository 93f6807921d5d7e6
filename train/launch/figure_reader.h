// Reads figures, such as the score, out of the output of a pool's command by the rules of its task
// (pool/types/figure_rule.h). The output is foreign: expressions are matched in linear time, a line counts up to 64 KiB,
// and a figure that is no finite number is a fault.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pool/types/trainer_command.h"

namespace cultivar {

// Can all expressions of the command be used, with one group for a figure and two for progress? Errors: usage.
Result<void> check_rules(const PoolCommand& command);

struct Figures {
    // Why there is no score. `none`: there is one.
    enum class Fault { none, no_score, several_scores, not_finite, unreadable } fault = Fault::none;
    std::string message;                    // of the fault; one line
    std::optional<double> score;            // as the program counts it; none also if the program writes events
    std::map<std::string, double> metrics;  // those that were found
};

struct Progress {
    std::int64_t step = 0;
    double score = 0;  // the running one
};

class FigureReader {
public:
    // Errors: as check_rules().
    static Result<FigureReader> make(const PoolCommand& command);
    // Of the score alone. Errors: usage.
    static Result<FigureReader> make(const FigureRule& score);
    FigureReader(FigureReader&&) noexcept;
    FigureReader& operator=(FigureReader&&) noexcept;
    ~FigureReader();

    bool reads_events() const;  // is the score an event of the program?

    // A line of the program's standard output or error. Returns the progress that it tells.
    std::optional<Progress> take_line(std::string_view line, bool from_errors);

    // The figures after the program's end; JSON files lie in `folder`, with a trailing '/'.
    Figures finish(const std::string& folder) const;

private:
    struct Impl;
    explicit FigureReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace cultivar
