#include <unistd.h>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/github_workflow.h"
#include "cli/commands/ready_tasks.h"
#include "cli/commands/registry.h"
#include "cli/commands/task_advice.h"
#include "cli/session/identity.h"
#include "cli/session/session.h"
#include "pool/clone/command_files.h"
#include "pool/process/unless_finished.h"
#include "pool/transport/transport.h"
#include "pool/types/task_parser.h"
#include "pool/util/sha256.h"
#include "train/launch/figure_reader.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

struct InitArguments {
    std::string folder = ".", remote, name, host, kind, task_file;
    std::optional<std::string> budget;
};

// The content of main, except the keys.
struct Founding {
    Task task;
    std::vector<std::pair<std::string, std::string>> seeds;  // name, TOML
    std::vector<std::pair<std::string, std::string>> files;  // path below the pool, bytes
    std::string readme{};                                    // of a ready task
    std::vector<std::string> advice{};                       // on likely mistakes
};

Task blank_task(const InitArguments& options) {
    Task task;
    std::filesystem::path folder = std::filesystem::absolute(options.folder).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // of "." and "pool/"
    task.name = folder.filename().string();
    task.created = utc_text(std::time(nullptr));
    return task;
}

Result<Founding> language_model(const InitArguments& options) {
    Founding founding{blank_task(options), {}, {}};
    founding.task.format = kNewestPoolFormat;
    founding.task.cpu_clock = true;
    TRY_ASSIGN(founding.task.space, Space::make(lm_genes(), lm_constraints()));
    for (const auto& [seed, toml] : lm_seeds()) founding.seeds.emplace_back(seed, toml);
    return founding;
}

// The person's own TOML, completed, with the files of files/ beside it.
Result<Founding> own_command(const InitArguments& options) {
    TRY_ASSIGN(const std::string path, task_file_of(options.task_file));
    TRY_ASSIGN(const std::string text, read_file(path, 1 << 20));
    Task draft = blank_task(options);
    draft.kind = kCommandKind;
    draft.format = kNewestPoolFormat;
    draft.metric = "score";
    Founding founding;
    TRY_ASSIGN(founding.task, parse_task(text, path, &draft));
    if (!founding.task.command) return fail(Code::usage, fmt::format("{}: its kind is '{}'", path, founding.task.kind));
    if (founding.task.space.genes().empty() && !founding.task.command->surface)
        return fail(Code::usage, fmt::format("{}: it declares no gene and no surface", path), "man cultivar-pool");
    TRY(check_rules(*founding.task.command));
    const std::filesystem::path beside = std::filesystem::absolute(path).parent_path();
    TRY_ASSIGN(founding.files, command_files_beside(beside.string(), *founding.task.command));
    founding.advice = task_advice(founding.task, founding.files, beside.string());
    founding.task.share_surface();
    if (path != options.task_file) founding.readme = (beside / "README.md").string();
    founding.seeds.emplace_back("defaults", "# Every gene at its default.\n");
    return founding;
}

Result<Founding> found(const InitArguments& options) {
    const bool own = !options.task_file.empty();
    if (!options.kind.empty() && options.kind != kCommandKind && options.kind != "lm")
        return fail(Code::usage, fmt::format("'{}' is no kind of task: lm, command", options.kind));
    if (!options.kind.empty() && own != (options.kind == kCommandKind))
        return fail(Code::usage, "--kind command and --task FILE go together", "cultivar init DIR --task FILE.toml");
    TRY_ASSIGN(Founding founding, own ? own_command(options) : language_model(options));
    if (!options.name.empty()) founding.task.name = options.name;
    if (options.budget) {
        TRY_ASSIGN(founding.task.budget_s, parse_duration(*options.budget));
    }
    return founding;
}

// Refuses a remote that already has a pool: it is to be cloned.
Result<void> check_remote(Ui& ui, const std::string& url) {
    const auto has_main = has_branch(url, "refs/heads/main");
    if (!has_main) ui.warn(clean(has_main.error().message));
    if (!has_main || !*has_main) return {};
    return fail(Code::usage, fmt::format("'{}' already has a branch main", url), "cultivar clone " + shell_word(url));
}

Result<int> init(Context& context, const InitArguments& options) {
    if (!options.host.empty() && options.host != "github")
        return fail(Code::usage, fmt::format("--host = '{}': it takes github", options.host), "cultivar init --help");
    TRY_ASSIGN(const Founding founding, found(options));
    const Task& task = founding.task;
    for (const auto& [seed, toml] : founding.seeds) TRY(read_candidate(task.space, task.id(), toml, seed));
    if (!options.remote.empty()) TRY(check_remote(context.ui, options.remote));
    TRY_ASSIGN(Settings settings, Settings::load());
    TRY_ASSIGN(std::string remote, absolute_remote(options.remote));
    TRY(require_empty_folder(options.folder));
    TRY_ASSIGN(UnlessFinished made, UnlessFinished::make(options.folder));
    TRY_ASSIGN(Repo repo, create_clone(made.path(), false, remote, writer_name(settings)));

    std::string state_dir = repo.git_dir() + "cultivar/";
    TRY_ASSIGN(Key key, Key::load(state_dir + "key.pem"));
    WriterName who = writer_name(settings);
    std::string writer = fmt::format("{}.{}.{}", who.name, who.machine, key.fingerprint().substr(0, 8));
    Clone clone{std::move(repo), state_dir, key, writer, {}, {}, {}};
    std::vector<std::pair<std::string, std::string>> files = {
        {"pool.toml", to_toml(task)},
        {"allowed_signers", fmt::format("# Verifiers of this pool: only their verdicts count. One key a line.\n"
                                        "{} namespaces=\"git\" {}\n",
                                        writer, key.public_text())}};
    for (const auto& [seed, toml] : founding.seeds) files.emplace_back("seeds/" + seed + ".toml", toml);
    files.insert(files.end(), founding.files.begin(), founding.files.end());
    if (options.host == "github") files.emplace_back(kGithubWorkflowPath, github_workflow());
    TRY(clone.commit_main(files, fmt::format("Create the pool {}", task.name)));
    TRY(made.finish());

    if (context.ui.json()) {
        Json json = {{"schema", 1}, {"pool", task.name}, {"folder", options.folder}, {"writer", writer}};
        context.ui.print(pretty(json));
        return kYes;
    }
    for (const std::string& one : founding.advice) context.ui.warn(one);
    const std::size_t genes = task.space.genes().size(), seeds = founding.seeds.size();
    context.ui.print(fmt::format("created the pool '{}' in {} ({} gene{}, {} seed{}, budget {:g} s a run)\n",
                                 clean(task.name), options.folder, genes, genes == 1 ? "" : "s", seeds,
                                 seeds == 1 ? "" : "s", task.budget_s));
    if (!founding.readme.empty()) context.ui.note("what it needs, and how to go on: " + founding.readme);
    std::string next = options.folder == "." ? "" : fmt::format("cd {} && ", shell_word(options.folder));
    if (!task.command || needs_data(*task.command)) next += "cultivar data import FILE... && ";
    if (task.command) next += "cultivar trust && ";
    context.ui.note(fmt::format("next: {}cultivar explore --runs 10", next));
    return kYes;
}

}  // namespace

Action declare_init(Parser& parser) {
    auto options = std::make_shared<InitArguments>();
    parser.positional("DIR", options->folder, "folder of the new pool, absent or empty (default: this one)", false);
    parser.option("--remote", options->remote, "URL", "where the pool is shared; an empty repository");
    parser.option("--name", options->name, "NAME", "the pool's name (default: the folder's)");
    parser.option("--host", options->host, "HOST", "also a scheduled job that keeps the pool on its host: github");
    parser.option("--budget", options->budget, "TIME", "training time of a run: 600 (default), 20s, 10m");
    parser.option("--kind", options->kind, "KIND",
                  "lm, or command (with --task): a program of your own gives the score");
    parser.option("--task", options->task_file, "FILE|NAME",
                  "TOML with a [command] and genes, or the name of a ready task, such as function");
    parser.example("cultivar init pool --remote git@github.com:us/pool.git", "a pool for others to join");
    parser.example("cultivar init pool --task task.toml", "a pool for anything that has a score");
    parser.example("cultivar init pool --task function", "a ready task: flags of g++ that make a program fast");
    return [options](Context& context) { return init(context, *options); };
}

}  // namespace cultivar
