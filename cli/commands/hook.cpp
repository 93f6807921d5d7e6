#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/sandboxed_reader.h"
#include "pool/integrity/push_size.h"
#include "pool/integrity/update_hook.h"
#include "pool/process/child_process.h"
#include "pool/util/file.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "# Written by 'cultivar hook install'.";
const std::string kNothing(40, '0');

struct HookArguments {
    std::vector<std::string> words;
};

struct HookSetting {
    const char *key, *value;
};
// Git checks these before it calls the hook. The hook itself judges deletions.
constexpr HookSetting kSettings[] = {
    {"receive.fsckObjects", "true"},
    {"receive.denyNonFastForwards", "true"},
    {"receive.maxInputSize", "512m"},
};

tl::unexpected<Error> wrong_words(const std::string& message) {
    return fail(Code::usage, message, "cultivar hook --help");
}

Oid present(const Oid& oid) { return oid == kNothing ? "" : oid; }

Result<int> update(Context& context, const std::vector<std::string>& words) {
    if (words.size() != 4) return wrong_words("'cultivar hook update' takes REF OLD NEW");
    TRY_ASSIGN(Repo repo, Repo::from_environment(context.folder));
    limit_this_process({update_memory_bytes(repo), 0, 0});
    TRY(enter_reading_sandbox(repo));
    TRY_ASSIGN(std::optional<std::string> deletes, repo.config("cultivar.allowDelete"));
    auto checked = check_update(repo, {words[1], present(words[2]), present(words[3])}, deletes.value_or("") == "true");
    if (checked) return kYes;
    context.ui.error(checked.error());
    return kNo;
}

// The refs of a push, as git gives them to pre-receive: "OLD NEW REF" on a line each.
std::vector<RefUpdate> read_updates(std::istream& lines) {
    std::vector<RefUpdate> updates;
    for (std::string old, now, ref; updates.size() <= kMostPushRefs && lines >> old >> now >> ref;)
        updates.push_back({ref, present(old), present(now)});
    return updates;
}

Result<int> receive(Context& context, const std::vector<std::string>& words) {
    if (words.size() != 1) return wrong_words(fmt::format("'{}' is one argument too many", words[1]));
    TRY_ASSIGN(Repo repo, Repo::from_environment(context.folder));
    limit_this_process({update_memory_bytes(repo), 0, 0});
    TRY(enter_reading_sandbox(repo));
    const auto checked = check_push_size(repo, read_updates(std::cin));
    if (checked) return kYes;
    context.ui.error(checked.error());
    return kNo;
}

// By its full path: the PATH of a server's hooks is unknown.
Result<std::string> own_program() {
    std::error_code ec;
    fs::path program = fs::read_symlink("/proc/self/exe", ec);
    if (ec) return fail(Code::io, "cannot find this program's own path: " + ec.message());
    return program.string();
}

// Is there a hook of this name that somebody else wrote?
Result<bool> is_anothers(const std::string& path) {
    auto there = read_file(path, 1 << 20);
    if (!there && there.error().code != Code::not_found) return fail(there.error());
    return there && there->find(kMark) == std::string::npos;
}

Result<void> write_hook(const std::string& path, const std::string& program, const std::string& words) {
    return write_file_atomically(
        path, fmt::format("#!/bin/sh\n{}\nexec {} hook {}\n", kMark, shell_word(program), words), 0755);
}

Result<int> install(Context& context, const std::vector<std::string>& words) {
    if (words.size() > 2) return wrong_words(fmt::format("'{}' is one argument too many", words[2]));
    const std::string folder = words.size() == 2 ? words[1] : context.folder;
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    TRY(repo.check_owner());
    if (!repo.work_dir().empty())
        return fail(Code::usage, fmt::format("'{}' is a clone, not a repository that others push to", folder),
                    "git init --bare pool.git");
    TRY_ASSIGN(std::optional<std::string> elsewhere, repo.config("core.hooksPath"));
    if (elsewhere)
        return fail(Code::usage, fmt::format("this repository's hooks lie in '{}' (core.hooksPath)", *elsewhere),
                    "man cultivar-hook");
    const std::string path = repo.git_dir() + "hooks/update", before = repo.git_dir() + "hooks/pre-receive";
    TRY_ASSIGN(const bool taken, is_anothers(path));
    if (taken) return fail(Code::usage, fmt::format("'{}' is somebody else's hook", path), "man cultivar-hook");
    TRY_ASSIGN(const bool before_taken, is_anothers(before));
    TRY_ASSIGN(std::string program, own_program());
    std::error_code ec;
    fs::create_directories(repo.git_dir() + "hooks", ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}hooks': {}", repo.git_dir(), ec.message()));
    for (const HookSetting& setting : kSettings) TRY(repo.set_config(setting.key, setting.value));
    TRY(write_hook(path, program, "update \"$@\""));
    if (!before_taken) TRY(write_hook(before, program, "pre-receive"));
    if (context.ui.json()) {
        Json settings;
        for (const HookSetting& setting : kSettings) settings[setting.key] = setting.value;
        context.ui.print(pretty(Json{{"schema", 1}, {"hook", path}, {"settings", settings}}));
    } else {
        context.ui.print(fmt::format("installed {}\n", clean(path)));
    }
    if (before_taken)
        context.ui.note(
            clean(fmt::format("'{}' is somebody else's hook: have it call 'cultivar hook pre-receive' too", before)));
    return kYes;
}

Result<int> hook(Context& context, const HookArguments& options) {
    const std::string verb = options.words.empty() ? "" : options.words[0];
    if (verb == "install") return install(context, options.words);
    if (verb == "update") return update(context, options.words);
    if (verb == "pre-receive") return receive(context, options.words);
    return wrong_words(verb.empty() ? "'cultivar hook' takes install, update or pre-receive"
                                    : fmt::format("unknown verb '{}': install, update, pre-receive", verb));
}

}  // namespace

Action declare_hook(Parser& parser) {
    auto options = std::make_shared<HookArguments>();
    parser.positionals("VERB", options->words,
                       "install [DIR]: into a bare repository; update REF OLD NEW, pre-receive: as git calls them");
    parser.example("cultivar hook install /srv/git/pool.git", "refuse harmful pushes there");
    return [options](Context& context) { return hook(context, *options); };
}

}  // namespace cultivar
