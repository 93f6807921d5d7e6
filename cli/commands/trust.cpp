#include <unistd.h>

#include <ctime>
#include <iostream>
#include <sstream>

#include <fmt/format.h>

#include "cli/commands/registry.h"
#include "cli/commands/trust_roots_view.h"
#include "cli/session/session.h"
#include "pool/clone/agreed_terms.h"
#include "pool/clone/command_trust.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxPath = 2000;

struct TrustArguments {
    bool show = false, revoke = false, yes = false;
    std::string change, sign;
    std::optional<std::int64_t> threshold;
};

Result<Json> command_json(const Clone& clone, bool trusted) {
    Json json = {{"schema", 1}, {"kind", clone.task.kind}};
    const auto& command = clone.task.command;
    if (!command) return json.update({{"digest", nullptr}, {"trusted", nullptr}}), json;
    Json files = Json::array();
    for (const CommandFile& file : command->files) files.push_back({{"path", file.path}, {"sha256", file.sha256}});
    Json data = Json::array();
    for (const CommandData& file : command->data) data.push_back({{"name", file.name}, {"sha256", file.sha256}});
    TRY_ASSIGN(const std::string digest, trust_digest(clone));
    TRY_ASSIGN(const std::vector<std::string> others, other_covered_files(clone));
    json.update({{"digest", digest},
                 {"trusted", trusted},
                 {"run", command->run},
                 {"network", command->network},
                 {"told_device", is_told_device(*command)},
                 {"files", files},
                 {"data", data},
                 {"other_files", others}});
    return json;
}

// Text as it will be run: every byte that a terminal may act on, or show as another, is an escape.
std::string escaped(const std::string& words) {
    std::string text;
    for (const char c : words)
        text += c >= 0x20 && c < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::string needs_text(const PoolCommand& command) {
    return fmt::format("needs    {}{}\n", command.network ? "the network" : "no network",
                       is_told_device(command) ? ", the device of 'cultivar explore --device'" : "");
}

// For a user's shell: strangers may have named the file.
std::string command_to_see(const Clone& clone, const std::string& path) {
    return "git show " + clean(shell_word(fmt::format("{}:{}", clone.main.substr(0, 12), path)), kMaxPath);
}

// Everything that the pool's command may do, and how to read its files.
Result<std::string> command_text(const Clone& clone) {
    const PoolCommand& command = *clone.task.command;
    std::string text = "runs    ";
    for (const std::string& word : command.run) text += " " + escaped(to_toml(Value(word)));
    text += "\n";
    std::istringstream lines(command.format > 1 ? command_toml(command) : "");
    bool shown = false;  // the command's own words are, above
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line != "[command]" && (shown || !line.starts_with("run = ")))
            text += fmt::format("         {}\n", escaped(line));
        shown = shown || line.starts_with("run = ");
    }
    text += needs_text(command);
    for (const CommandFile& file : command.files)
        text += fmt::format("file     {}  sha256 {}\n         {}\n", clean(file.path), file.sha256,
                            command_to_see(clone, file.path));
    for (const CommandData& file : command.data)
        text += fmt::format("data     {}  sha256 {}\n", clean(file.name), file.sha256);
    TRY_ASSIGN(const std::vector<std::string> others, other_covered_files(clone));
    for (const std::string& path : others)
        text += fmt::format("reaches  {}\n         {}\n", clean(path), command_to_see(clone, path));
    TRY_ASSIGN(const std::string digest, trust_digest(clone));
    return text + fmt::format("digest   {}\n", digest);
}

// Scores of two tasks do not compare, so a changed command, or one of its files, leaves the old runs behind. Names the
// files and the number of runs, and asks. Errors: usage (nobody can be asked).
Result<bool> agrees_to_lose_runs(Context& context, const Clone& clone, bool yes) {
    TRY_ASSIGN(const std::vector<std::string> changes, changes_since_trust(clone));
    for (const std::string& one : changes) context.ui.note(clean("since it was trusted here: " + one));
    TRY_ASSIGN(Session session, open_session(context));
    TRY_ASSIGN(const Totals totals, session.index->totals());
    if (totals.other_task == 0) return true;
    context.ui.note(
        fmt::format("the command or one of its files changed, which makes another task: {} of the earlier one "
                    "no longer count{}, and {} do",
                    counted(totals.other_task, "run"), totals.other_task == 1 ? "s" : "", counted(totals.runs, "run")));
    if (yes) return true;
    if (context.ui.json() || ::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0)
        return fail(Code::usage, "nobody can be asked here whether to go on without these runs",
                    "cultivar trust --yes");
    context.ui.warn("trust it? [y/N]");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

Result<int> trust(Context& context, const TrustArguments& options) {
    const bool change = !options.change.empty(), sign = !options.sign.empty();
    if (options.show + options.revoke + change + sign > 1)
        return fail(Code::usage, "--show, --revoke, --change and --sign exclude each other", "cultivar trust --help");
    if (options.threshold && !change)
        return fail(Code::usage, "--threshold goes with --change FILE", "cultivar trust --help");
    TRY_ASSIGN(Clone clone, open_clone(context));
    if (change) TRY(propose_roots(context, clone, options.change, options.threshold));
    if (sign) TRY(cosign_roots(context, clone, options.sign));
    const auto& command = clone.task.command;
    if (command && options.revoke) TRY(revoke_command_trust(clone));
    const bool agrees = !options.revoke && !options.show && !change && !sign;
    bool trusted = false;
    if (command) {
        TRY_ASSIGN(trusted, is_command_trusted(clone));
    }
    if (command && agrees && !trusted) {
        TRY_ASSIGN(const bool agreed, agrees_to_lose_runs(context, clone, options.yes));
        if (!agreed) return kNo;
    }
    TRY_ASSIGN(const std::vector<std::string> changes, terms_to_agree(clone));
    for (const std::string& one : changes) context.ui.note("main changed: " + one);
    if (agrees) TRY(agree_to_terms(clone));
    if (command && agrees) {
        TRY(pin_command(clone));
        trusted = true;
    }
    TRY_ASSIGN(const Roots roots, trusted_roots(clone));
    TRY_ASSIGN(const std::vector<LedgerState> ledgers, ledger_states(clone));
    if (context.ui.json()) {
        TRY_ASSIGN(Json json, command_json(clone, trusted));
        json["you"] = {{"writer", clone.writer}, {"public_key", clone.key.public_text()}};
        json["roots"] = roots_json(roots, ledgers);
        context.ui.print(pretty(json));
    } else {
        std::string text;
        if (command) {
            TRY_ASSIGN(text, command_text(clone));
        }
        context.ui.print(text + roots_text(roots, ledgers, std::time(nullptr)) +
                         fmt::format("you      {} {}\n", clone.writer, clone.key.public_text()));
    }
    if (!command) {
        context.ui.note("this pool has no command of its own: nothing of it runs here");
        return kYes;
    }
    context.ui.note(trusted ? "trusted on this machine, as it stands; it runs in a sandbox"
                            : "not trusted on this machine: it does not run");
    return trusted || options.revoke || change || sign ? kYes : kNo;
}

}  // namespace

Action declare_trust(Parser& parser) {
    auto options = std::make_shared<TrustArguments>();
    parser.flag("--show", options->show, "only show the trusted keys and the command");
    parser.flag("--yes", options->yes,
                "trust a changed command without being asked, although earlier runs no longer count");
    parser.flag("--revoke", options->revoke, "forbid the command again");
    parser.option("--change", options->change, "FILE", "propose other keys: lines of allowed_signers");
    parser.option("--threshold", options->threshold, "N", "with --change: how many keys change them the next time");
    parser.option("--sign", options->sign, "DIGEST", "sign the change that waits");
    parser.example("cultivar trust --show", "look before you trust");
    parser.example("cultivar trust", "let this pool's command run here, as it stands now");
    return [options](Context& context) { return trust(context, *options); };
}

}  // namespace cultivar
