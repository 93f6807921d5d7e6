#include "cli/commands/registry.h"

#include "cli/session/session.h"

namespace cultivar {

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"init", "start", "Create a pool",
         "DIR [--remote URL] [--host github] [--name NAME] [--budget TIME] [--task FILE]", declare_init},
        {"clone", "start", "Take part in a pool", "URL [DIR]", declare_clone},
        {"data", "start", "Bring in, list or check the pool's data", "import FILE... [OPTIONS] | list | check",
         declare_data},
        {"trust", "start", "Show whom the pool trusts, and let its own command run here",
         "[--show | --revoke | --change FILE [--threshold N] | --sign DIGEST]", declare_trust},
        {"explore", "search", "Improve candidates within a budget", "--runs N | --for TIME [OPTIONS]", declare_explore},
        {"ask", "search", "Give a candidate to run to somebody else", "[--budget TIME] [--seed S] | --open",
         declare_ask},
        {"tell", "search", "Record what a candidate that was asked for has scored",
         "ID --score X [--artifact FILE] [OPTIONS] | ID --failed REASON", declare_tell},
        {"cross", "search", "Merge two candidates gene by gene", "ID ID", declare_cross},
        {"import", "search", "Bring in a candidate written by hand or from another pool", "FILE.toml | FOLDER ID",
         declare_import},
        {"pull", "share", "Fetch what others found", "", declare_pull},
        {"propose", "share", "Push what was found here", "[ID... | --all] [--to FORK] [--pr]", declare_propose},
        {"verify", "share", "Judge the claims of others",
         "[ID... | --pending] [--tier NAME] [--beyond-share] [--dry-run]", declare_verify},
        {"source", "share", "Read forks and pull requests too", "add NAME URL [--refs PATTERN] | remove NAME | [list]",
         declare_source},
        {"archive", "keep", "Fold settled candidates and proposals into the archive", "[--keep N] [--dry-run]",
         declare_archive},
        {"retire", "keep", "Take candidates out of the search", "[ID... [--reason TEXT] [--undo]]", declare_retire},
        {"gc", "keep", "Drop artifacts that were judged", "[--keep N] [--remote] [--dry-run]", declare_gc},
        {"fsck", "keep", "Check every hash, parent, record and signature", "", declare_fsck},
        {"index", "keep", "Bring the local index up to date, or read everything again", "refresh|rebuild",
         declare_index},
        {"hook", "keep", "Refuse pushes that would harm a pool, in the repository that hosts it",
         "install [DIR] | update REF OLD NEW", declare_hook},
        {"merge-driver", "keep", "Merge candidate.toml for git", "[--bases] BASE OURS THEIRS [PATH]",
         declare_merge_driver},
        {"top", "look", "Show the leaderboard", "[--category NAME] [--verified] [-n N]", declare_top},
        {"contributors", "look", "Show who found what, by key", "", declare_contributors},
        {"show", "look", "Show a candidate, a run or a claim", "ID", declare_show},
        {"log", "look", "Show what was run, newest first", "[-n N] [ID]", declare_log},
        {"diff", "look", "Show the genes in which two candidates differ", "ID ID", declare_diff},
        {"explain", "look", "Show why a run was chosen, or the next one will be", "[RUN]", declare_explain},
        {"genes", "look", "Show what can be changed: the search space", "[NAME...]", declare_genes},
        {"status", "look", "Show where this clone and its pool stand", "", declare_status},
        {"version", "look", "Show versions of cultivar and its worker", "", declare_version},
    };
    return table;
}

Result<Session> open_session(const Context& context) {
    return open_session(context.folder, [&context] { return context.interrupted(); });
}

}  // namespace cultivar
