#include <unistd.h>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include "cli/host_github.h"
#include "cli/join.h"
#include "cli/json.h"
#include "cli/session.h"
#include "train/lm/genes.h"

namespace cultivar {
namespace {

struct Options {
    std::string folder, remote, name, host;
    std::optional<std::string> budget;
};

Result<Task> new_task(const std::string& name, double budget_s) {
    Task task;
    task.name = name;
    task.created = utc_text(std::time(nullptr));
    task.budget_s = budget_s;
    TRY_ASSIGN(task.space, Space::make(lm_genes(), lm_constraints()));
    return task;
}

// A remote that already has a pool is to be cloned, not founded again.
Result<void> check_remote(Ui& ui, const std::string& url) {
    auto refs = list_remote(url);
    if (!refs) {
        ui.warn(clean(refs.error().message));
        return {};
    }
    for (const auto& [ref, oid] : *refs) {
        if (ref == "refs/heads/main")
            return fail(Code::usage, fmt::format("'{}' already has a branch main", url), "cultivar clone " + url);
    }
    return {};
}

Result<int> init(Context& context, const Options& options) {
    if (!options.host.empty() && options.host != "github")
        return fail(Code::usage, fmt::format("--host = '{}': it takes github", options.host), "cultivar init --help");
    double budget_s = 600;
    if (options.budget) {
        TRY_ASSIGN(budget_s, parse_duration(*options.budget));
    }
    std::string name = options.name;
    if (name.empty()) name = std::filesystem::absolute(options.folder).lexically_normal().filename().string();
    TRY_ASSIGN(Task task, new_task(name, budget_s));
    if (!options.remote.empty()) TRY(check_remote(context.ui, options.remote));
    TRY_ASSIGN(Config config, Config::load(nullptr));
    TRY_ASSIGN(std::string remote, absolute_remote(options.remote));
    TRY_ASSIGN(Repo repo, create_clone(options.folder, false, remote, writer_name(config)));

    std::string state_dir = repo.git_dir() + "cultivar/";
    std::filesystem::create_directories(state_dir);
    TRY_ASSIGN(Key key, Key::load_or_create(state_dir + "key.pem"));
    WriterName who = writer_name(config);
    std::string writer = fmt::format("{}.{}.{}", who.name, who.machine, key.fingerprint().substr(0, 8));
    Clone clone{std::move(repo), state_dir, key, writer, {}, {}, {}};
    std::vector<std::pair<std::string, std::string>> files = {
        {"pool.toml", to_toml(task)},
        {"allowed_signers", fmt::format("# Verifiers of this pool: only their verdicts count. One key a line.\n"
                                        "{} namespaces=\"git\" {}\n",
                                        writer, key.public_text())}};
    for (const auto& [seed, toml] : lm_seeds()) {
        auto candidate = read_candidate(task.space, task.id(), toml, seed);
        if (!candidate) return fail(candidate.error());
        files.emplace_back("seeds/" + seed + ".toml", toml);
    }
    if (options.host == "github") files.emplace_back(kGithubWorkflowPath, github_workflow());
    TRY(clone.commit_main(files, fmt::format("Create the pool {}", name)));

    if (context.ui.json()) {
        Json json = {{"schema", 1}, {"pool", name}, {"folder", options.folder}, {"writer", writer}};
        context.ui.print(pretty(json));
        return kYes;
    }
    context.ui.print(fmt::format("created the pool '{}' in {} ({} genes, {} seeds, budget {:g} s a run)\n", name,
                                 options.folder, task.space.genes().size(), lm_seeds().size(), budget_s));
    context.ui.note(
        fmt::format("next: cd {} && cultivar data import FILE... && cultivar explore --runs 10", options.folder));
    return kYes;
}

}  // namespace

Action declare_init(Parser& parser) {
    auto options = std::make_shared<Options>();
    parser.positional("DIR", options->folder, "folder of the new pool; absent or empty");
    parser.option("--remote", options->remote, "URL", "where the pool is shared; an empty repository");
    parser.option("--name", options->name, "NAME", "the pool's name (default: the folder's)");
    parser.option("--host", options->host, "HOST", "also a scheduled job that keeps the pool on its host: github");
    parser.option("--budget", options->budget, "TIME", "training time of a run: 600 (default), 20s, 10m");
    parser.example("cultivar init pool --remote git@github.com:us/pool.git", "a pool for others to join");
    return [options](Context& context) { return init(context, *options); };
}

}  // namespace cultivar
