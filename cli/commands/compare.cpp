// compare: holds the cost of two arms to the same verified score against each other.
#include <ctime>
#include <memory>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/pools.h"
#include "cli/commands/registry.h"
#include "cli/commands/simulated.h"
#include "cli/commands/version.h"
#include "cli/compare/arm_loader.h"
#include "cli/format/boamps.h"
#include "cli/format/compare_view.h"
#include "cli/session/session.h"
#include "pool/util/file.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostRepeats = 200, kShown = 60;
constexpr const char* kHelp = "cultivar compare --help";

struct CompareArguments {
    std::vector<std::string> arms;
    std::optional<std::string> to, compute, joules, repeats, bought, boamps, simulate;
    bool paired = false, unlike = false, markdown = false;
};

Result<double> above_zero(const std::string& option, const std::string& text) {
    const auto number = nearest_double(text);
    if (number && *number > 0) return *number;
    return fail(Code::usage, fmt::format("{} = '{}': it takes a number above 0", option, clean(text, kShown)), kHelp);
}

std::string metric_of(const Task& task) { return task.command ? clean(task.metric, kShown) : "bits per byte"; }

// Every repeat of an arm, and the task that they share.
struct LoadedArm {
    Arm arm;
    const Task* task = nullptr;
};

Result<LoadedArm> load_arm(Pools& pools, const ArmSpec& spec, const std::vector<std::string>& folders,
                           const CompareArguments& options) {
    LoadedArm loaded{.arm = {.name = spec.text}};
    for (const std::string& folder : folders) {
        TRY_ASSIGN(Session * session, pools.at(folder));
        const Task& task = session->clone->task;
        TRY_ASSIGN(Repeat repeat, load_repeat(*session->index, spec, !task.command));
        repeat.name = folder;
        // The n-th of one arm goes with the n-th of the other.
        if (options.paired || options.repeats) repeat.seed = std::to_string(loaded.arm.repeats.size() + 1);
        if (loaded.task && session->clone->task_id != loaded.arm.task)
            return fail(Code::usage,
                        fmt::format("the pools of arm '{}' have different tasks", clean(spec.text, kShown)), kHelp);
        loaded.task = &task;
        loaded.arm.task = session->clone->task_id;
        loaded.arm.scoring = fmt::format("{} {}", task.metric, task.direction);
        loaded.arm.repeats.push_back(std::move(repeat));
    }
    return loaded;
}

Result<std::vector<std::string>> folders_of(const Pools& pools, const ArmSpec& spec, const CompareArguments& options) {
    const bool is_pools = spec.kind == ArmSpec::Kind::pools;
    if (is_pools && options.repeats)
        return fail(Code::usage, "--repeats names pools for arms that are parts of one", "--paired");
    std::vector<std::string> folders = {pools.here()};
    if (is_pools) folders = spec.words;
    if (options.repeats) {
        TRY_ASSIGN(folders, parse_list(*options.repeats));
    }
    if (folders.size() > kMostRepeats)
        return fail(Code::usage, fmt::format("more than {} repeats", kMostRepeats), kHelp);
    return folders;
}

Result<Target> target_of(const CompareArguments& options, const CompareReport& report, const Task& task) {
    if (!!options.to + !!options.compute + !!options.joules > 1)
        return fail(Code::usage, "--to, --compute and --joules exclude each other", kHelp);
    if (options.compute) {
        TRY_ASSIGN(const double flops, above_zero("--compute", *options.compute));
        return Target{TargetKind::compute, flops};
    }
    if (options.joules) {
        TRY_ASSIGN(const double joules, above_zero("--joules", *options.joules));
        return Target{TargetKind::joules, joules};
    }
    if (options.to) {
        const auto score = nearest_double(*options.to);
        if (!score) return fail(Code::usage, fmt::format("--to = '{}': no number", clean(*options.to, kShown)), kHelp);
        return Target{TargetKind::score, task.loss_of(*score)};
    }
    if (const auto loss = common_loss(report.arms[0], report.arms[1])) return Target{TargetKind::score, *loss};
    return fail(Code::not_found, "a repeat has no verified score", "cultivar verify --pending");
}

Result<void> add_bought(CompareReport& report, const std::string& text) {
    TRY_ASSIGN(const std::vector<std::string> parts, parse_list(text));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto kg = nearest_double(parts[i]);
        if (parts.size() != 2 || !kg || !(*kg >= 0 && *kg <= 1e12))
            return fail(Code::usage, fmt::format("--bought = '{}': it takes two masses in kg", clean(text, kShown)),
                        "--bought 0,164");
        report.arms[i].bought_kg = *kg;
    }
    return {};
}

Result<void> refuse_unlike(const CompareReport& report, bool allowed) {
    const std::vector<std::string> differences = unlike(report.arms[0], report.arms[1]);
    if (differences.empty() || allowed) return {};
    return fail(Code::usage, fmt::format("{}", fmt::join(differences, "; ")),
                "--unlike compares them all the same, and marks the result");
}

Result<void> write_boamps(Context& context, const CompareReport& report, const Task& task, const std::string& path) {
    const BoampsTask about{task.command ? clean(task.name, kShown) : "language modelling",
                           task.command ? "command of the pool" : "transformer", task.command ? "other" : "token",
                           kVersion};
    for (const std::size_t arm : {0, 1}) {
        const std::string file = boamps_file(path, arm);
        TRY(write_file_atomically(file, pretty(boamps_json(report, arm, about, std::time(nullptr)))));
        context.ui.note(fmt::format("wrote '{}'", clean(file)));
    }
    return {};
}

Result<int> show(Context& context, const CompareReport& report, bool markdown) {
    if (context.ui.json())
        context.ui.print(pretty(compare_json(report)));
    else
        context.ui.print(markdown ? compare_markdown(report) : compare_text(context.ui, report));
    return kYes;
}

Result<int> compare_simulated(Context& context, const CompareArguments& options) {
    const bool has_more = !options.arms.empty() || options.to || options.compute || options.joules || options.repeats ||
                          options.bought || options.boamps;
    if (has_more) return fail(Code::usage, "the scenario of --simulate names arms, target and machines", kHelp);
    TRY_ASSIGN(const Simulated simulated, simulated_report(context, *options.simulate));
    return show(context, simulated.report, options.markdown);
}

Result<int> compare(Context& context, const CompareArguments& options) {
    if (options.simulate) return compare_simulated(context, options);
    if (options.arms.size() != 2) return fail(Code::usage, "it takes two arms", kHelp);
    Pools pools(context);
    CompareReport report;
    const Task* task = nullptr;
    for (std::size_t i = 0; i < options.arms.size(); ++i) {
        TRY_ASSIGN(const ArmSpec spec, parse_arm(options.arms[i]));
        TRY_ASSIGN(const std::vector<std::string> folders, folders_of(pools, spec, options));
        TRY_ASSIGN(LoadedArm loaded, load_arm(pools, spec, folders, options));
        report.arms[i] = std::move(loaded.arm);
        task = loaded.task;
    }
    TRY(refuse_unlike(report, options.unlike));
    if (options.bought) TRY(add_bought(report, *options.bought));
    TRY_ASSIGN(const Target target, target_of(options, report, *task));
    TRY_ASSIGN(const Factors factors, known_factors());
    TRY_ASSIGN(report.comparison, compare_arms(report.arms[0], report.arms[1], target, factors));
    report.metric = metric_of(*task);
    report.is_maximized = task->direction == "maximize";
    report.is_target_found = !options.to && target.kind == TargetKind::score;
    if (options.boamps) TRY(write_boamps(context, report, *task, *options.boamps));
    return show(context, report, options.markdown);
}

}  // namespace

Action declare_compare(Parser& parser) {
    auto options = std::make_shared<CompareArguments>();
    parser.positionals("ARM", options->arms,
                       "PATH[,PATH...], contributor:NAME[,NAME...], category:NAME or period:FROM..TO");
    parser.option("--to", options->to, "SCORE", "the verified score that both are to reach");
    parser.option("--compute", options->compute, "FLOPS", "the same compute instead");
    parser.option("--joules", options->joules, "J", "the same gross joules instead");
    parser.option("--repeats", options->repeats, "POOL,...",
                  "look both arms up in each of these pools: pairs of repeats");
    parser.flag("--paired", options->paired, "the n-th pool of one arm and the n-th of the other began with one seed");
    parser.flag("--unlike", options->unlike, "compare unlike arms all the same, and mark the result");
    parser.option("--bought", options->bought, "KG,KG", "embodied kg of machines that were bought for each arm");
    parser.flag("--markdown", options->markdown, "print the tables in Markdown");
    parser.option("--boamps", options->boamps, "FILE", "also write each arm as a BoAmps report");
    parser.option("--simulate", options->simulate, "FILE", "play the two routes of a scenario instead");
    parser.example("cultivar compare a1,a2,a3 b1,b2,b3 --to 2.05", "two ways of searching, three pools each");
    parser.example("cultivar compare contributor:ann contributor:bob,carl", "contributors of this pool");
    parser.example("cultivar compare period:2026-11-01..2026-11-08 period:2026-11-08..2026-11-15 --json",
                   "two weeks of this pool, for a program");
    return [options](Context& context) { return compare(context, *options); };
}

}  // namespace cultivar
