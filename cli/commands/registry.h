// The table of commands. Help, the spell check of command names and scripts/check-man read it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "pool/util/result.h"

namespace cultivar {

using Action = std::function<Result<int>(Context&)>;

struct Command {
    const char* name;
    const char* group;
    const char* summary;  // imperative, no full stop; the NAME line of the manual page says the same
    const char* usage;    // the words after the name
    // Declares flags and arguments; returns the function to call once they are parsed.
    Action (*declare)(Parser& parser);
};

const std::vector<Command>& commands();

struct Clone;
struct Session;
// The clone in which a command stands, as pool/clone/clone.h and cli/session/session.h open it. Warns of anything odd
// about it, and of trouble with main (pool/clone/main_trouble.h). Another user's clone is refused (Repo::check_owner()).
Result<Clone> open_clone(Context& context);
Result<Session> open_session(Context& context);
// The same for a command that only looks: it runs and writes nothing, so another user's clone is welcome.
Result<Session> look_at_session(Context& context);
// Runs a command. If it meets a damaged index, the index is made anew, and the command runs once more.
Result<int> run_action(Context& context, const Action& action);

Action declare_init(Parser&);
Action declare_clone(Parser&);
Action declare_data(Parser&);
Action declare_trust(Parser&);
Action declare_pull(Parser&);
Action declare_explore(Parser&);
Action declare_ask(Parser&);
Action declare_tell(Parser&);
Action declare_edit(Parser&);
Action declare_explain(Parser&);
Action declare_cross(Parser&);
Action declare_propose(Parser&);
Action declare_import(Parser&);
Action declare_merge_driver(Parser&);
Action declare_hook(Parser&);
Action declare_source(Parser&);
Action declare_archive(Parser&);
Action declare_retire(Parser&);
Action declare_retry(Parser&);
Action declare_gc(Parser&);
Action declare_fsck(Parser&);
Action declare_index(Parser&);
Action declare_verify(Parser&);
Action declare_top(Parser&);
Action declare_compare(Parser&);
Action declare_contributors(Parser&);
Action declare_show(Parser&);
Action declare_log(Parser&);
Action declare_diff(Parser&);
Action declare_doctor(Parser&);
Action declare_energy(Parser&);
Action declare_genes(Parser&);
Action declare_status(Parser&);
Action declare_version(Parser&);

}  // namespace cultivar
