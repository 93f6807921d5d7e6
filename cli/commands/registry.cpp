#include "cli/commands/registry.h"

#include <unistd.h>

#include "cli/app/settings.h"
#include "cli/session/session.h"
#include "pool/clone/main_trouble.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxNotice = 1000;
const std::string kSection = "cultivar.";

// Nothing that another user's configuration says counts.
Result<Clone> look_at_clone(Context& context) {
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    for (const std::string& notice : clone.notices) context.ui.warn(clean(notice, kMaxNotice));
    if (clone.not_ours) return clone;
    TRY_ASSIGN(const auto config, clone.repo.config_section(kSection));
    std::vector<std::string> keys;
    for (const auto& [key, value] : config) keys.push_back(key.substr(kSection.size()));
    for (const std::string& line : unknown_settings(keys, environ)) context.ui.warn(line);
    TRY(Settings::load([&](const std::string& name) { return clone.repo.config(name); }));  // a bad value is nobody's
    return clone;
}

Result<Session> session_of(Context& context, Clone clone) {
    TRY_ASSIGN(const std::string trouble, main_trouble(clone));
    TRY_ASSIGN(Session session, open_session(std::move(clone), [&context] { return context.interrupted(); }));
    if (!trouble.empty()) context.ui.warn(clean(trouble));
    return session;
}

}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"init", "start", "Create a pool",
         "DIR [--remote URL] [--host github] [--name NAME] [--budget TIME] [--kind KIND] [--task FILE]", declare_init},
        {"clone", "start", "Join a pool", "URL [DIR]", declare_clone},
        {"data", "start", "Import, list or check the pool's data", "import FILE... [OPTIONS] | list | check",
         declare_data},
        {"trust", "start", "Show the keys that the pool trusts, and allow the pool's own command to run here",
         "[--yes | --show | --revoke | --change FILE [--threshold N] | --sign DIGEST]", declare_trust},
        {"explore", "search", "Improve candidates within a budget", "--runs N | --for TIME [OPTIONS]", declare_explore},
        {"ask", "search", "Lease a candidate that another program runs", "[--budget TIME] [--seed S] | --open",
         declare_ask},
        {"tell", "search", "Record the result of a leased candidate",
         "ID --score X [--artifact FILE] [OPTIONS] | ID --failed REASON", declare_tell},
        {"cross", "search", "Merge two candidates gene by gene", "ID ID", declare_cross},
        {"edit", "search", "Write a candidate's source files to a folder", "ID [DIR]", declare_edit},
        {"import", "search", "Import a candidate from files or from another pool",
         "FILE.toml | FOLDER ID | DIR --parent ID | --patch FILE --parent ID", declare_import},
        {"pull", "share", "Fetch the records and candidates of others", "", declare_pull},
        {"propose", "share", "Push this clone's records, candidates and artifacts",
         "[ID... | --all] [--to FORK] [--pr]", declare_propose},
        {"verify", "share", "Judge the claims of others",
         "[ID... | --pending] [--tier NAME] [--beyond-share] [--dry-run]", declare_verify},
        {"source", "share", "Read forks and pull requests too", "add NAME URL [--refs PATTERN] | remove NAME | [list]",
         declare_source},
        {"archive", "keep", "Move settled candidates and proposals into the archive", "[--keep N] [--dry-run]",
         declare_archive},
        {"retire", "keep", "Take candidates out of the search", "[ID... [--reason TEXT] [--undo]]", declare_retire},
        {"retry", "keep", "Try candidates again whose runs failed here", "ID...", declare_retry},
        {"gc", "keep", "Drop artifacts that are no longer needed", "[--keep N] [--remote] [--dry-run]", declare_gc},
        {"fsck", "keep", "Check every hash, parent, record and signature", "[--pool]", declare_fsck},
        {"index", "keep", "Update or rebuild the local index", "refresh|rebuild", declare_index},
        {"hook", "keep", "Refuse harmful pushes in the repository that hosts a pool",
         "install [DIR] | update REF OLD NEW | pre-receive", declare_hook},
        {"merge-driver", "keep", "Merge candidate.toml and source files for git",
         "[--bases | --source] BASE OURS THEIRS [PATH]", declare_merge_driver},
        {"top", "look", "Show the leaderboard", "[--category NAME] [--verified] [-n N]", declare_top},
        {"contributors", "look", "Show the runs, claims and credit of each key", "", declare_contributors},
        {"energy", "look", "Show the energy of runs and verdicts, with carbon, water and money",
         "[ID | --by KEY] [--fetch]", declare_energy},
        {"compare", "look", "Compare the energy of two arms to the same verified score",
         "ARM ARM [--to SCORE | --compute FLOPS | --joules J] [OPTIONS]", declare_compare},
        {"show", "look", "Show a candidate, a run or a claim", "ID", declare_show},
        {"log", "look", "Show runs, newest first", "[-n N] [ID]", declare_log},
        {"diff", "look", "Show the genes and source files in which two candidates differ", "ID ID", declare_diff},
        {"explain", "look", "Show why a run was chosen, or plan the next one and show why",
         "[RUN] [--seed S] [--budget TIME]", declare_explain},
        {"genes", "look", "List the search space", "[NAME... | --scdoc]", declare_genes},
        {"doctor", "look", "Find out why something does not work here", "task", declare_doctor},
        {"status", "look", "Show the state of this clone and its pool", "", declare_status},
        {"version", "look", "Show versions of cultivar and its worker", "", declare_version},
    };
    return table;
}

Result<Clone> open_clone(Context& context) {
    TRY_ASSIGN(const Repo repo, Repo::discover(context.folder));
    TRY(repo.check_owner());
    return look_at_clone(context);
}

Result<Session> open_session(Context& context) {
    TRY_ASSIGN(Clone clone, open_clone(context));
    return session_of(context, std::move(clone));
}

Result<Session> look_at_session(Context& context) {
    TRY_ASSIGN(Clone clone, look_at_clone(context));
    return session_of(context, std::move(clone));
}

Result<int> run_action(Context& context, const Action& action) {
    auto done = action(context);
    if (done || done.error().reason != Reason::bad_index) return done;
    context.ui.warn("the local index is damaged and is made anew");
    TRY(remove_index(context.folder));
    return action(context);
}

}  // namespace cultivar
