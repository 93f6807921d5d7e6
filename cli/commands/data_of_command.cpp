#include "cli/commands/data_of_command.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/apart.h"
#include "cli/runs/data_links.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr const char* kImportData = "cultivar data import FILE...";

Result<void> settle_data(Session& session, const Json& found) {
    Clone& clone = *session.clone;
    Task task = clone.task;
    task.command->data = data_files_of(found);
    TRY(check_validation(*task.command));
    TRY(clone.commit_main(
        {{"pool.toml", to_toml(task)}},
        fmt::format("Bring in data: {} file{}", task.command->data.size(), task.command->data.size() == 1 ? "" : "s")));
    TRY(clone.reload_task());
    TRY(session.index->refresh());
    return {};
}

bool is_here(const Clone& clone, const CommandData& file) {
    std::error_code ec;
    return std::filesystem::is_regular_file(clone.data_dir() + file.name, ec);
}

}  // namespace

Result<int> import_command_data(Context& context, Session& session, const std::vector<std::string>& sources) {
    const Clone& clone = *session.clone;
    if (!needs_data(*clone.task.command))
        return fail(Code::usage, "this pool's command names no data: {data} is not in it", "man cultivar-pool");
    const bool first = clone.task.command->data.empty();
    const ApartWork work = [&](const ApartProgress& progress) {
        return find_data(*clone.task.command, sources, progress);
    };
    TRY_ASSIGN(const Json found, run_apart(context, work));
    if (context.interrupted()) return fail(Code::interrupted, "interrupted; nothing was changed");
    if (first) TRY(settle_data(session, found));
    TRY(link_data(clone, found));
    std::int64_t bytes = 0;
    for (const CommandData& file : clone.task.command->data) bytes += file.bytes;
    const std::size_t files = clone.task.command->data.size();
    if (context.ui.json()) {
        context.ui.print(
            pretty(Json{{"schema", 1}, {"task", clone.task_id}, {"first", first}, {"files", files}, {"bytes", bytes}}));
        return kYes;
    }
    context.ui.print(fmt::format("{} file{}, {}; they stay where they are\n", files, files == 1 ? "" : "s",
                                 bytes_text(static_cast<double>(bytes))));
    context.ui.note(first ? "settled for this pool; 'cultivar trust' agrees to it, 'cultivar propose' shares it"
                          : "the same data as the pool's, by every digest");
    return kYes;
}

Result<int> list_command_data(Context& context, const Clone& clone) {
    Json rows = Json::array();
    TextTable table({{"file"}, {"bytes", true}, {"here"}, {"sha256"}});
    for (const CommandData& file : clone.task.command->data) {
        const bool here = is_here(clone, file);
        rows.push_back({{"name", file.name}, {"sha256", file.sha256}, {"bytes", file.bytes}, {"here", here}});
        table.row({file.name, std::to_string(file.bytes), here ? "yes" : "no", file.sha256});
    }
    if (rows.empty()) return fail(Code::not_found, "this pool has no data", kImportData);
    context.ui.print(context.ui.json() ? pretty(Json{{"schema", 1}, {"folder", clone.data_dir()}, {"files", rows}})
                                       : table.text(context.ui));
    return kYes;
}

Result<int> check_command_data(Context& context, const Clone& clone) {
    const auto& data = clone.task.command->data;
    if (data.empty()) return fail(Code::not_found, "this pool has no data", kImportData);
    std::optional<Error> problem;
    for (const CommandData& file : data) {
        const auto sha256 = sha256_file_hex(clone.data_dir() + file.name);
        if (sha256 && *sha256 == file.sha256) continue;
        if (!sha256 && sha256.error().code == Code::io && is_here(clone, file)) return fail(sha256.error());
        problem = Error{Code::corrupt, fmt::format("'{}' is {}", file.name, sha256 ? "another file" : "missing"),
                        kImportData};
        break;
    }
    if (context.ui.json())
        context.ui.print(pretty(
            Json{{"schema", 1}, {"good", !problem}, {"problem", problem ? Json(problem->message) : Json(nullptr)}}));
    else if (problem)
        context.ui.error(*problem);
    else
        context.ui.print("every file has its digest\n");
    return problem ? kNo : kYes;
}

}  // namespace cultivar
