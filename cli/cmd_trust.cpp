#include <fmt/format.h>

#include "cli/json.h"
#include "cli/session.h"
#include "pool/trust.h"

namespace cultivar {
namespace {

struct Options {
    bool show = false, revoke = false;
};

Json as_json(const Clone& clone, bool trusted) {
    Json json = {{"schema", 1}, {"kind", clone.task.kind}};
    const auto& command = clone.task.command;
    if (!command) return json.update({{"digest", nullptr}, {"trusted", nullptr}}), json;
    Json files = Json::array();
    for (const CommandFile& file : command->files) files.push_back({{"path", file.path}, {"sha256", file.sha256}});
    json.update({{"digest", command_digest(*command)}, {"trusted", trusted}, {"run", command->run}, {"files", files}});
    return json;
}

// What would run, word by word, and how to read its files.
std::string as_text(const Clone& clone) {
    const PoolCommand& command = *clone.task.command;
    std::string text = "runs    ";
    for (const std::string& word : command.run) text += " " + to_toml(Value(word));
    text += "\n";
    for (const CommandFile& file : command.files)
        text += fmt::format("file     {}  sha256 {}\n         git show {}:{}\n", file.path, file.sha256,
                            clone.main.substr(0, 12), file.path);
    return text + fmt::format("digest   {}\n", command_digest(command));
}

Result<int> trust(Context& context, const Options& options) {
    if (options.show && options.revoke)
        return fail(Code::usage, "--show and --revoke exclude each other", "cultivar trust --help");
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    if (!clone.task.command) {
        if (context.ui.json()) context.ui.print(pretty(as_json(clone, false)));
        context.ui.note("this pool has no command of its own: there is nothing to trust");
        return kYes;
    }
    if (options.revoke) TRY(revoke_trust(clone));
    if (!options.revoke && !options.show) TRY(pin_command(clone));
    TRY_ASSIGN(bool trusted, is_trusted(clone));
    context.ui.print(context.ui.json() ? pretty(as_json(clone, trusted)) : as_text(clone));
    context.ui.note(trusted ? "trusted on this machine, as it stands; it runs with your rights, in no sandbox"
                            : "not trusted on this machine: it does not run");
    return trusted || options.revoke ? kYes : kNo;
}

}  // namespace

Action declare_trust(Parser& parser) {
    auto options = std::make_shared<Options>();
    parser.flag("--show", options->show, "only show what would run");
    parser.flag("--revoke", options->revoke, "let it run no more");
    parser.example("cultivar trust --show", "look before");
    parser.example("cultivar trust", "let this pool's command run here, as it stands now");
    return [options](Context& context) { return trust(context, *options); };
}

}  // namespace cultivar
