#include "cli/commands/explore_schedule.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "cli/app/terminal.h"
#include "cli/search/while_command.h"
#include "pool/util/text.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr double kDefaultWithin_s = 24 * 3600, kMostWithin_s = 14 * 86'400, kLeastWindow_s = 60;

// Where jobs use several GPUs, all that are visible count.
GpuNeed gpu_need(const std::vector<Settings>& shares) {
    GpuNeed need;
    const auto uses_gpu = [](const Settings& one) { return one.device.value == "cuda"; };
    need.is_needed = std::ranges::any_of(shares, uses_gpu);
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) need.visible = visible;
    if (shares.size() == 1) need.number = shares.front().device_number;
    return need;
}

}  // namespace

void declare_schedule(Parser& parser, ScheduleArguments& into) {
    parser.option("--when", into.when, "EXPR",
                  "hold runs back, with checkpoints, unless this holds: 'carbon < p30 and ac', 'idle', "
                  "'time in 22:00-06:00' (cultivar-energy(7))");
    parser.option("--cleanest", into.cleanest, "TIME",
                  "explore for this time, in the hours with least carbon by the forecast of energy.toml");
    parser.option("--cheapest", into.cheapest, "TIME", "the same by price");
    parser.option("--within", into.within, "TIME", "they lie within this time from now (default: 24h)");
    parser.option("--while", into.while_command, "CMD",
                  "run CMD before each run and every 30 s; while it fails, runs wait with a checkpoint");
}

Result<std::optional<WhenCondition>> condition_of(const ScheduleArguments& words) {
    if (words.cleanest && words.cheapest)
        return fail(Code::usage, "--cleanest and --cheapest exclude each other", "cultivar explore --help");
    if (words.within && !words.has_window())
        return fail(Code::usage, "--within without --cleanest or --cheapest", "cultivar explore --help");
    if (!words.when) return std::optional<WhenCondition>();
    auto when = parse_when(*words.when);
    if (!when) return fail(when.error().code, "--when: " + when.error().message, when.error().hint);
    return std::optional(std::move(*when));
}

ExploreSchedule::ExploreSchedule(Context& context, const Clock& clock, std::string zone, GpuNeed gpu)
    : context_(context),
      clock_(clock),
      grid_(user_factor_file(), std::move(zone)),
      refresh_(user_factor_file(), clock),
      machine_(MachinePlaces(), clock, std::move(gpu)) {}

Result<std::unique_ptr<ExploreSchedule>> ExploreSchedule::make(const ScheduleArguments& words, Context& context,
                                                               const Clock& clock,
                                                               std::optional<std::int64_t> until_unix_s,
                                                               const std::vector<Settings>& shares) {
    GateTerms terms;
    TRY_ASSIGN(terms.when, condition_of(words));
    std::unique_ptr<ExploreSchedule> schedule(
        new ExploreSchedule(context, clock, shares.front().zone.value, gpu_need(shares)));
    schedule->while_command_ = words.while_command;
    const bool needs_grid = words.has_window() || (terms.when && rests_on_grid(*terms.when));
    if (needs_grid) schedule->refresh_.now([&] { return context.interrupted(); });
    TRY(schedule->choose(words, until_unix_s, terms));
    if (terms.when || terms.not_before_s)
        schedule->gate_.emplace(std::move(terms), clock, schedule->grid_, schedule->refresh_, schedule->machine_);
    return schedule;
}

Result<void> ExploreSchedule::choose(const ScheduleArguments& words, std::optional<std::int64_t> until_unix_s,
                                     GateTerms& terms) {
    if (!words.has_window()) return {};
    const Signal signal = words.cleanest ? Signal::carbon : Signal::price;
    const std::string& length = words.cleanest ? *words.cleanest : *words.cheapest;
    TRY_ASSIGN(const double length_s, parse_duration(length));
    double within_s = kDefaultWithin_s;
    if (words.within) {
        TRY_ASSIGN(within_s, parse_duration(*words.within));
    }
    if (length_s < kLeastWindow_s || within_s > kMostWithin_s || length_s > within_s)
        return fail(Code::usage,
                    fmt::format("{} within {}: it takes 1 minute or more, within 14 days or less", clean(length, 40),
                                duration_text(within_s)),
                    "cultivar explore --cleanest 4h --within 24h");
    const std::int64_t now_s = clock_.unix_s();
    if (until_unix_s) within_s = std::min(within_s, static_cast<double>(*until_unix_s - now_s));
    grid_.read();
    const WindowChoice choice = choose_window(grid_.series(signal), now_s, static_cast<std::int64_t>(length_s),
                                              static_cast<std::int64_t>(within_s));
    take(choice, signal,
         fmt::format("the {} {}", signal == Signal::carbon ? "cleanest" : "cheapest", duration_text(length_s)), terms);
    return {};
}

void ExploreSchedule::take(const WindowChoice& choice, Signal signal, const std::string& wanted, GateTerms& terms) {
    end_unix_s_ = choice.end_s;
    if (choice.basis == WindowBasis::no_forecast) {
        note_ = fmt::format("no forecast of {}, so explores at once: {}", name(signal),
                            grid_.at(signal, clock_.unix_s() + kQuarter_s).missing);
        return;
    }
    if (choice.basis == WindowBasis::too_short) {
        note_ = fmt::format("the forecast of {} up to {} holds no such window, so explores at once", name(signal),
                            utc_text(choice.known_until_s));
        return;
    }
    terms.not_before_s = choice.start_s;
    terms.window = wanted;
    const std::string& unit = grid_.series(signal)->head.unit;
    note_ = fmt::format("{}: {} to {}, {} on average", wanted, utc_text(choice.start_s), utc_text(choice.end_s),
                        figure_text(signal, *choice.mean, unit));
    if (choice.at_once) note_ += fmt::format("; at once {}", figure_text(signal, *choice.at_once, unit));
    if (choice.basis == WindowBasis::shortened)
        note_ += fmt::format("; the forecast ends at {}", utc_text(choice.known_until_s));
}

Permission ExploreSchedule::ask() {
    Permission permission = gate_ ? gate_->ask() : Permission();
    if (!permission.is_given || while_command_.empty()) return permission;
    const bool yes = ask_while_command(while_command_, clock_, [this] { return context_.interrupted(); });
    return yes ? permission : Permission{false, fmt::format("'{}' says no", clean(while_command_)), {}};
}

}  // namespace cultivar
