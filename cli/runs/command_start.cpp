#include "cli/runs/command_start.h"

#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/left_file.h"
#include "pool/util/left_folder.h"

namespace cultivar {
namespace {

// Programs are looked for on PATH or are files of the pool, wherever the run's folder lies.
std::vector<std::string> filled_words(const std::vector<std::string>& words, const Placeholders& values,
                                      const std::string& files) {
    std::vector<std::string> out;
    for (const std::string& word : words) out.push_back(filled(word, values));
    if (!out.empty() && out.front().starts_with(kCommandFolder))
        out.front() = files + out.front().substr(kCommandFolder.size());
    return out;
}

Result<void> write_templates(const PoolCommand& command, const Placeholders& values, const std::string& folder,
                             const std::string& files) {
    for (const auto& [to, from] : command.templates) {
        TRY_ASSIGN(const std::string text,
                   read_file(files + from.substr(kCommandFolder.size()), kMaxCommandFile_bytes));
        TRY(clear_way_to(folder, to));  // an earlier part of the run may have left links
        TRY(make_folder_of(folder + to));
        TRY(write_file_unsynced(folder + to, filled(text, values)));
    }
    return {};
}

// `files` and the folders of the surface lie side by side. A program may have closed its folder, or put something else in
// their place.
Result<void> link_folders(const std::set<std::string>& names, const std::string& folder, const std::string& files) {
    const std::string root = files.substr(0, files.size() - kCommandFolder.size());
    if (root == folder) return {};
    std::error_code refused;
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, std::filesystem::perm_options::add,
                                 refused);
    for (const std::string& name : names) {
        const std::string link = folder + name;
        TRY(remove_folder(link));  // of a link, that alone
        std::error_code ec;
        std::filesystem::create_directory_symlink(root + name, link, ec);
        if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", link, ec.message()));
    }
    return {};
}

}  // namespace

Placeholders placeholders_of(const Specification& specification, const std::string& spec_path,
                             const std::string& files) {
    Placeholders values = {{"seed", std::to_string(specification.seed)},
                           {"budget_s", fmt::format("{}", specification.budget_s)},
                           {"threads", std::to_string(specification.threads)},
                           {"device", specification.device},
                           {"work", specification.work_dir},
                           {"artifact", specification.artifact},
                           {"files", files},
                           {"data", specification.data},
                           {"specification", spec_path}};
    for (const auto& [name, value] : specification.genes)
        values[fmt::format("gene.{}", std::string(name))] = plain_text(value);
    return values;
}

Result<CommandStart> prepare_command(const PoolCommand& command, const Specification& specification,
                                     const std::string& spec_path, const std::string& files) {
    const Placeholders values = placeholders_of(specification, spec_path, files);
    TRY(link_folders(task_folders(command), specification.work_dir, files));
    TRY(write_templates(command, values, specification.work_dir, files));
    CommandStart start{filled_words(command.run, values, files), filled_words(command.checks, values, files), {}};
    for (const auto& [name, text] : command.environment) start.variables.push_back(name + "=" + filled(text, values));
    return start;
}

Result<std::vector<std::string>> prepare_evaluator(const Evaluator& evaluator, const Specification& specification,
                                                   const std::string& spec_path, const std::string& files) {
    Placeholders values = placeholders_of(specification, spec_path, files);
    if (!evaluator.validation.empty()) {
        const bool of_data = evaluator.validation.starts_with(kDataFolder);
        values["validation"] = of_data ? specification.data + evaluator.validation.substr(kDataFolder.size())
                                       : files + evaluator.validation.substr(kCommandFolder.size());
        values["hold_out"] = specification.val_shard.empty() ? values["validation"] : specification.val_shard;
    }
    TRY(link_folders({"files"}, specification.work_dir, files));
    return filled_words(evaluator.run, values, files);
}

}  // namespace cultivar
