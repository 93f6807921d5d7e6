// The options of explore that hold runs back: --when, --cleanest, --cheapest, --within and --while.
#pragma once

#include <memory>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/settings.h"
#include "cli/schedule/run_gate.h"
#include "pool/util/clock.h"

namespace cultivar {

struct ScheduleArguments {
    std::optional<std::string> when, cleanest, cheapest, within;
    std::string while_command;

    bool has_window() const { return cleanest || cheapest; }
};
void declare_schedule(Parser& parser, ScheduleArguments& into);
// Of --when; none: it is not given. Errors: usage, also of options that exclude each other.
Result<std::optional<WhenCondition>> condition_of(const ScheduleArguments& words);

class ExploreSchedule {
public:
    // `context` and `clock` must outlive it. Fetches grid data that are due, where they matter. Errors: usage.
    static Result<std::unique_ptr<ExploreSchedule>> make(const ScheduleArguments& words, Context& context,
                                                         const Clock& clock, std::optional<std::int64_t> until_unix_s,
                                                         const std::vector<Settings>& shares);

    bool holds_back() const { return gate_ || !while_command_.empty(); }
    Permission ask();
    // Of the chosen window: no run begins that would end later.
    std::optional<std::int64_t> end_unix_s() const { return end_unix_s_; }
    const std::string& note() const { return note_; }  // on the window; one line, or ""

private:
    ExploreSchedule(Context& context, const Clock& clock, std::string zone, GpuNeed gpu);
    Result<void> choose(const ScheduleArguments& words, std::optional<std::int64_t> until_unix_s, GateTerms& terms);
    void take(const WindowChoice& choice, Signal signal, const std::string& wanted, GateTerms& terms);

    Context& context_;
    const Clock& clock_;
    std::string while_command_;
    GridSignals grid_;
    GridRefresh refresh_;
    MachineSignals machine_;
    std::optional<RunGate> gate_;
    std::optional<std::int64_t> end_unix_s_;
    std::string note_;
};

}  // namespace cultivar
