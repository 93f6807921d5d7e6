#include "pool/types/command_data.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/types/figure_rule.h"
#include "pool/types/surface.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {

Result<void> check_data_names(const std::vector<CommandData>& files) {
    if (files.size() > kMaxDataFiles)
        return fail(Code::usage, fmt::format("a task has at most {} data files", kMaxDataFiles),
                    "tar cf data.tar FOLDER");
    PathNames names;
    for (const CommandData& file : files) {
        if (file.name.size() > kMaxSourcePath_bytes || !is_plain_path(file.name))
            return fail(Code::usage, fmt::format("'{}' is no name for a data file: letters, digits and \"._-\" in at "
                                                 "most 8 parts that do not begin with a point",
                                                 clean(file.name)));
        const bool known = names.contains(file.name);
        if (known || !takes_name({}, names, file.name))
            return fail(Code::usage, fmt::format("the data file '{}' is there twice, differs from another in case "
                                                 "alone, or is in a file",
                                                 clean(file.name)));
    }
    return {};
}

Result<std::vector<CommandData>> read_data_files(TomlTable& table) {
    std::vector<CommandData> files;
    for (std::size_t i = 0; i <= kMaxDataFiles && table.take(fmt::format("data.file.{}.name", i)); ++i) {
        const std::string at = fmt::format("data.file.{}.", i);
        CommandData file;
        TRY(table.read(at + "name", file.name, true));
        TRY(table.read(at + "sha256", file.sha256, true));
        TRY(table.read(at + "bytes", file.bytes, true));
        if (!is_hex(file.sha256, 64) || file.bytes < 0)
            return fail(Code::usage, fmt::format("{}: '{}' is not a data file with a digest", table.where(), at));
        files.push_back(std::move(file));
    }
    std::ranges::sort(files, {}, &CommandData::name);
    TRY(check_data_names(files));
    return files;
}

std::string data_files_toml(const std::vector<CommandData>& files) {
    std::string text;
    for (const CommandData& file : files)
        text += fmt::format("\n[[data.file]]\nname = {}\nsha256 = \"{}\"\nbytes = {}\n", to_toml(Value(file.name)),
                            file.sha256, file.bytes);
    return text;
}

}  // namespace cultivar
