#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/identity.h"
#include "cli/session/sandboxed_reader.h"
#include "cli/session/session.h"
#include "pool/process/unless_finished.h"
#include "pool/sync/pull.h"
#include "pool/util/log.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxHint = 2000;

struct CloneArguments {
    std::string url, folder;
};

std::string folder_of(const std::string& url) {
    std::string name = url;
    while (!name.empty() && name.back() == '/') name.pop_back();
    name.erase(0, name.find_last_of("/:") + 1);
    if (name.ends_with(".git")) name.resize(name.size() - 4);
    return name;
}

std::string next_step(const Task& task) {
    if (task.command) return "cultivar trust";
    std::string words = "cultivar data import";
    if (!task.data) return words + " FILE...";
    for (const PoolSource& source : task.data->sources) words += " PATH/" + shell_word(source.name);
    return task.data->sources.empty() ? words + " DIR" : words;
}

// main first, alone: it says whether this is a pool at all, and the rest is read by its rules.
Result<Clone> fetch_pool(Context& context, const std::string& url, const std::string& folder) {
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    auto git = open_transport(repo.git_dir(), [&] { return context.interrupted(); });
    auto fetched = git->fetch(url, {fmt::format("refs/heads/main:refs/remotes/{}/main", kRemote)});
    if (!fetched && fetched.error().reason == Reason::ref_missing)
        return fail(Code::not_found, fmt::format("'{}' has no branch main: it is not a pool yet", url),
                    "cultivar init DIR --remote " + shell_word(url));
    if (!fetched) return fail(fetched.error());
    TRY_ASSIGN(const std::optional<Oid> main, repo.ref(tracking_ref("refs/heads/main")));
    if (!main) return fail(Code::git, "the remote sent no main");
    TRY_ASSIGN(const Task task, task_at(repo, *main));  // before anything else of it is believed
    TRY(repo.set_ref("refs/heads/main", *main, ""));
    TRY(repo.set_config("branch.main.remote", kRemote));
    TRY(repo.set_config("branch.main.merge", "refs/heads/main"));
    if (auto laid_out = repo.lay_out_main(); !laid_out) {
        if (laid_out.error().code != Code::corrupt) return fail(laid_out.error());
        context.ui.warn(clean(laid_out.error().message) + ": none of them lies in the clone");
    }
    return open_clone(folder);
}

struct Joined {
    std::string pool, writer, next;
    PullReport report;
};

// The clone is closed again when it returns: its folder moves then.
Result<Joined> take_part(Context& context, const std::string& remote, const std::string& folder) {
    TRY_ASSIGN(Clone opened, fetch_pool(context, remote, folder));
    Session session;
    session.clone = std::make_unique<Clone>(std::move(opened));
    TRY_ASSIGN(Index index,
               Index::open(*session.clone, reader_apart([&] { return context.interrupted(); }, *session.clone)));
    auto git = open_transport(session.clone->repo.git_dir(), [&] { return context.interrupted(); });
    TRY_ASSIGN(PullReport report, pull(*session.clone, index, *git));
    const Task& task = session.clone->task;
    return Joined{task.name, session.clone->writer, next_step(task), std::move(report)};
}

int tell_joined(Context& context, const std::string& url, const std::string& folder, const Joined& joined) {
    const PullReport& report = joined.report;
    if (context.ui.json()) {
        Json json = {{"schema", 1},
                     {"pool", joined.pool},
                     {"folder", folder},
                     {"url", mask_secrets(url)},
                     {"writer", joined.writer},
                     {"runs", report.runs},
                     {"candidates", report.candidates},
                     {"left", report.left}};
        context.ui.print(pretty(json));
        return kYes;
    }
    context.ui.print(fmt::format("cloned the pool '{}' into {}, as {}\n", clean(joined.pool), folder, joined.writer));
    tell_refresh(context.ui, report);
    context.ui.note(
        clean(fmt::format("next: cd {} && {} && cultivar explore --runs 10 --propose", shell_word(folder), joined.next),
              kMaxHint));
    return kYes;
}

Result<int> clone(Context& context, const CloneArguments& options) {
    std::string folder = options.folder.empty() ? folder_of(options.url) : options.folder;
    if (folder.empty())
        return fail(Code::usage, fmt::format("cannot tell a folder's name from '{}'", options.url),
                    "cultivar clone URL DIR");
    TRY_ASSIGN(Settings settings, Settings::load());
    TRY_ASSIGN(std::string remote, absolute_remote(options.url));
    TRY(require_empty_folder(folder));  // whatever lies there is never the clone's to remove
    TRY_ASSIGN(UnlessFinished made, UnlessFinished::make(folder));
    TRY(create_clone(made.path(), false, remote, writer_name(settings)));
    TRY_ASSIGN(const Joined joined, take_part(context, remote, made.path()));
    TRY(made.finish());
    return tell_joined(context, options.url, folder, joined);
}

}  // namespace

Action declare_clone(Parser& parser) {
    auto options = std::make_shared<CloneArguments>();
    parser.positional("URL", options->url, "the pool's repository: any URL or path that git takes");
    parser.positional("DIR", options->folder, "folder (default: the last part of URL)", false);
    parser.example("cultivar clone git@github.com:us/pool.git", "take part from this machine");
    return [options](Context& context) { return clone(context, *options); };
}

}  // namespace cultivar
