#include <unistd.h>

#include <fmt/format.h>

#include "cli/explorer.h"
#include "cli/json.h"
#include "cli/tell.h"

namespace cultivar {
namespace {

constexpr double kPatience_s = 0.5;  // somebody may be looking whether it is held

struct Options {
    std::optional<std::int64_t> runs, seed;
    std::optional<std::string> for_time, budget, threads, device;
    std::string while_command;
    bool propose = false;
};

Result<ExploreOptions> checked(const Options& options) {
    ExploreOptions out;
    if (options.runs) {
        if (*options.runs < 1 || *options.runs > 1'000'000)
            return fail(Code::usage, "--runs takes a number from 1", "cultivar explore --help");
        out.runs = static_cast<int>(*options.runs);
    }
    if (options.for_time) {
        TRY_ASSIGN(out.for_s, parse_duration(*options.for_time));
    }
    if (!out.runs && !out.for_s)
        return fail(Code::usage, "how long? give --runs or --for", "cultivar explore --runs 10");
    if (options.budget) {
        TRY_ASSIGN(out.budget_s, parse_duration(*options.budget));
        if (*out.budget_s < 1) return fail(Code::usage, "--budget is below 1 s");
    }
    if (options.seed) out.seed = static_cast<std::uint64_t>(*options.seed);
    out.propose = options.propose;
    out.while_command = options.while_command;
    return out;
}

Json run_json(const ExploredRun& explored) {
    auto json = Json::parse(to_line(Record(explored.run)));
    json["id"] = explored.id;
    return json;
}

Result<int> explore(Context& context, const Options& words) {
    TRY_ASSIGN(ExploreOptions options, checked(words));
    TRY_ASSIGN(Session session, open_session(context));
    if (words.threads) session.config.override_by_flag("threads", *words.threads);
    if (words.device) session.config.override_by_flag("device", *words.device);
    TRY(session.config.threads());
    TRY(session.config.device());
    std::string holder = fmt::format("pid {}, cultivar explore, since {}", ::getpid(), utc_text(std::time(nullptr)));
    TRY_ASSIGN(FileLock lock, FileLock::acquire(session.clone->state_dir + "explore.lock", holder, kPatience_s));
    Json runs = Json::array();
    Explorer explorer(context, session, options);
    auto done = explorer.loop([&](const ExploredRun& explored) {
        if (context.ui.json()) {
            runs.push_back(run_json(explored));
        } else if (!context.ui.quiet()) {
            context.ui.print(run_line(context.ui, explored.run) + "\n");
        }
    });
    if (context.ui.json()) context.ui.print(pretty(Json{{"schema", 1}, {"runs", runs}}));
    if (!done) return fail(done.error());
    return kYes;
}

}  // namespace

Action declare_explore(Parser& parser) {
    auto options = std::make_shared<Options>();
    parser.option("--runs", options->runs, "N", "end after N runs");
    parser.option("--for", options->for_time, "TIME", "start no run after this time: 8h, 30m, 90s");
    parser.option("--budget", options->budget, "TIME", "training time of each run (default: the pool's)");
    parser.option("--seed", options->seed, "S", "seed of the search's own draws");
    parser.option("--device", options->device, "NAME", "device to train on: cpu, cuda or mps (default: cpu)");
    parser.option("--threads", options->threads, "N", "threads to train on (default: all processors)");
    parser.option("--while", options->while_command, "CMD",
                  "asked before each run and every 30 s; while it fails, runs wait with a checkpoint");
    parser.flag("--propose", options->propose, "push at the end, and every 30 minutes");
    parser.example("cultivar explore --runs 10", "ten runs");
    parser.example("cultivar explore --for 8h --propose --while 'on_ac_power'", "overnight, on mains only");
    return [options](Context& context) { return explore(context, *options); };
}

}  // namespace cultivar
