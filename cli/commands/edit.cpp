// edit: writes the files of a candidate's run to a folder, to be changed there and imported again.
#include <filesystem>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"
#include "cli/session/source_edit.h"
#include "pool/util/file.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct EditArguments {
    std::string id, folder;
};

// Files that may not change cannot be written to by mistake.
constexpr unsigned kEditable = 0644, kFixed = 0444;

Result<void> write_source(const std::string& folder, const std::string& path, const std::string& bytes, unsigned mode) {
    const std::string whole = (std::filesystem::path(folder) / path).string();
    TRY(make_folder_of(whole));
    return write_file_atomically(whole, bytes, mode);
}

Result<int> edit(Context& context, const EditArguments& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
    TRY_ASSIGN(const std::string id, session.index->resolve_candidate(options.id));
    TRY_ASSIGN(const std::optional<CandidateRow> row, session.index->candidate(id));
    TRY_ASSIGN(const Candidate candidate,
               parse_canonical(session.clone->task.space, session.clone->task_id, row->toml));
    TRY_ASSIGN(const FileBytes files, files_of_run(session, candidate));
    const std::string folder = options.folder.empty() ? std::string(short_id(id)) : options.folder;
    TRY(require_empty_folder(folder));
    const Surface& surface = *session.clone->task.space.surface();
    Json rows = Json::array();
    for (const auto& [path, bytes] : files) {
        const bool editable = surface.covers(path);
        TRY(write_source(folder, path, bytes, editable ? kEditable : kFixed));
        rows.push_back(
            {{"path", path}, {"editable", editable}, {"from", candidate.files.contains(path) ? "candidate" : "task"}});
    }
    if (context.ui.json()) {
        context.ui.print(pretty(Json{{"schema", 1}, {"id", id}, {"folder", folder}, {"files", rows}}));
        return kYes;
    }
    context.ui.print(
        fmt::format("wrote {} file{} of {} to {}\n", files.size(), files.size() == 1 ? "" : "s", short_id(id), folder));
    for (const auto& [path, bytes] : files) {
        if (surface.covers(path))
            context.ui.print(
                fmt::format("  {}{}\n", path, candidate.files.contains(path) ? "  (changed by the candidate)" : ""));
    }
    context.ui.note(fmt::format("next: cultivar import {} --parent {}", shell_word(folder), short_id(id)));
    return kYes;
}

}  // namespace

Action declare_edit(Parser& parser) {
    auto options = std::make_shared<EditArguments>();
    parser.positional("ID", options->id, "a candidate");
    parser.positional("DIR", options->folder, "an absent or empty folder (default: the first digits of the id)", false);
    parser.example("cultivar edit 1a2b3c4d better", "its files, to be changed there");
    parser.example("cultivar import better --parent 1a2b3c4d", "the child with the changed files");
    return [options](Context& context) { return edit(context, *options); };
}

}  // namespace cultivar
