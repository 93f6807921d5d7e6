#include "cli/runs/source_overlay.h"

#include <filesystem>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/left_folder.h"

namespace cultivar {
namespace {

constexpr unsigned kProgramMode = 0700;

Result<void> write_below(const std::string& folder, const std::string& path, const std::string& bytes) {
    TRY(make_folder_of(folder + path));
    return write_file_unsynced(folder + path, bytes, kProgramMode);
}

}  // namespace

Result<SourceBytes> source_of(const Session& session, const Candidate& candidate) {
    SourceBytes source;
    for (const auto& [path, sha256] : candidate.files) {
        TRY_ASSIGN(std::string bytes, session.index->lineage().source(sha256));
        source.emplace_back(path, std::move(bytes));
    }
    return source;
}

Result<std::string> lay_over(const PoolCommand& command, const SourceBytes& source, const std::string& folder) {
    const std::string over = folder + ".source/";
    TRY(remove_folder(over));  // of an earlier run; no folder of a task begins with a dot
    if (source.empty()) return folder;
    for (const CommandFile& file : command.files) {
        TRY_ASSIGN(const std::string bytes, read_file(folder + file.path, kMaxCommandFile_bytes));
        TRY(write_below(over, file.path, bytes));
    }
    for (const auto& [path, bytes] : source) TRY(write_below(over, path, bytes));
    return over;
}

}  // namespace cultivar
