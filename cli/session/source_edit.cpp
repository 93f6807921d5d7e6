#include "cli/session/source_edit.h"

#include <filesystem>

#include <fmt/format.h>

#include "pool/git/text_merge.h"
#include "pool/util/file.h"
#include "pool/util/patch.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

Result<const Surface*> surface_of(const Session& session) {
    const Surface* surface = session.clone->task.space.surface();
    if (surface) return surface;
    return fail(Code::usage, "the task lets no candidate bring files: its pool.toml has no [surface]",
                "man cultivar-pool");
}

bool is_meant(const std::string& name) {
    return !name.starts_with('.') && !name.ends_with('~') && name != "__pycache__";
}

Result<void> check_child(const Surface& surface, const SourceFiles& files, const FileBytes& bytes) {
    TRY(surface.check_paths(files));
    std::size_t sum = 0;
    for (const auto& [path, sha256] : files) {
        TRY(surface.check_bytes(path, bytes.at(path)));
        sum += bytes.at(path).size();
    }
    if (sum <= static_cast<std::size_t>(surface.max_bytes)) return {};
    return fail(Code::usage,
                fmt::format("its files have {} bytes, more than the {} that the task allows", sum, surface.max_bytes));
}

// The files that a candidate holds: those that differ from the task's.
Result<SourceFiles> changed_files(const Surface& surface, const FileBytes& files) {
    SourceFiles changed;
    for (const auto& [path, bytes] : files) {
        const auto of_task = surface.task_files().find(path);
        const std::string sha256 = sha256_hex(bytes);
        if (of_task == surface.task_files().end() || of_task->second != sha256) changed[path] = sha256;
    }
    for (const auto& [path, sha256] : surface.task_files()) {
        if (!surface.covers(path) || files.contains(path)) continue;
        return fail(Code::usage,
                    fmt::format("'{}' is missing: a candidate changes or adds files, and takes none away", path),
                    "cultivar edit --help");
    }
    return changed;
}

// The bytes of a path in the candidate's run; none: it is not there.
Result<std::optional<std::string>> bytes_in_run(Session& session, const Candidate& candidate, const std::string& path) {
    const SourceFiles& of_task = session.clone->task.space.surface()->task_files();
    auto file = candidate.files.find(path);
    if (file == candidate.files.end()) {
        file = of_task.find(path);
        if (file == of_task.end()) return std::optional<std::string>();
    }
    TRY_ASSIGN(std::string bytes, session.index->lineage().source(file->second));
    return std::optional(std::move(bytes));
}

}  // namespace

Result<FileBytes> files_of_run(Session& session, const Candidate& candidate) {
    TRY_ASSIGN(const Surface* surface, surface_of(session));
    SourceFiles all = candidate.files;
    all.insert(surface->task_files().begin(), surface->task_files().end());
    FileBytes files;
    for (const auto& [path, sha256] : all) {
        TRY_ASSIGN(files[path], session.index->lineage().source(sha256));
    }
    return files;
}

Result<FileBytes> read_source_folder(const std::string& folder) {
    FileBytes files;
    std::size_t sum = 0;
    std::error_code ec;
    auto at = fs::recursive_directory_iterator(folder, ec);
    for (; !ec && at != fs::recursive_directory_iterator(); at.increment(ec)) {
        const std::string path = at->path().lexically_relative(folder).string();
        const bool meant = is_meant(at->path().filename().string());
        if (!meant) at.disable_recursion_pending();
        if (!meant) continue;
        if (at->is_symlink(ec) || (!at->is_directory(ec) && !at->is_regular_file(ec)))
            return fail(Code::usage, fmt::format("'{}' is neither a file nor a folder", clean(path)));
        if (at->is_directory(ec)) continue;
        sum += static_cast<std::size_t>(at->file_size(ec));
        if (files.size() >= kMaxCommandFiles || sum > kMaxCommandFiles_bytes)
            return fail(Code::usage, fmt::format("'{}' holds over {} files or over {} MiB", folder, kMaxCommandFiles,
                                                 kMaxCommandFiles_bytes >> 20));
        TRY_ASSIGN(files[path], read_file(at->path().string(), kMaxCommandFiles_bytes));
    }
    if (ec) return fail(Code::io, fmt::format("cannot read '{}': {}", folder, ec.message()));
    return files;
}

Result<FileBytes> patched_files(FileBytes files, const std::string& patch, const std::string& where) {
    TRY_ASSIGN(const std::vector<FilePatch> patches, parse_patch(patch, where));
    for (const FilePatch& one : patches) {
        const auto file = files.find(one.path);
        if (one.creates && file != files.end())
            return fail(Code::unfit, fmt::format("'{}' is there already, and the patch makes it", clean(one.path)));
        if (!one.creates && file == files.end())
            return fail(Code::unfit, fmt::format("there is no '{}' to patch", clean(one.path)), "cultivar edit --help");
        TRY_ASSIGN(files[one.path], apply_patch(one, one.creates ? std::string() : file->second));
    }
    return files;
}

Result<std::vector<FileDiff>> file_diffs(Session& session, const Candidate& before, const Candidate& after) {
    std::vector<FileDiff> diffs;
    SourceFiles all = before.files;
    all.insert(after.files.begin(), after.files.end());
    for (const auto& [path, sha256] : all) {
        const auto one = before.files.find(path), two = after.files.find(path);
        if (one != before.files.end() && two != after.files.end() && one->second == two->second) continue;
        TRY_ASSIGN(const auto was, bytes_in_run(session, before, path));
        TRY_ASSIGN(const auto is, bytes_in_run(session, after, path));
        TRY_ASSIGN(std::string text, unified_diff(path, was ? &*was : nullptr, is ? &*is : nullptr));
        diffs.push_back({path, std::move(text)});
    }
    return diffs;
}

Result<Candidate> child_with_files(Session& session, const Candidate& parent, const FileBytes& files) {
    TRY_ASSIGN(const Surface* surface, surface_of(session));
    TRY_ASSIGN(const SourceFiles changed, changed_files(*surface, files));
    TRY(check_child(*surface, changed, files));
    if (changed == parent.files)
        return fail(Code::unfit, fmt::format("nothing changed: these are the files of {}", short_id(parent.id)));
    const Clone& clone = *session.clone;
    TRY_ASSIGN(Candidate child, make_candidate(clone.task.space, clone.task_id, parent.genes, changed));
    for (const auto& [path, sha256] : changed) TRY(session.index->lineage().add_source(files.at(path)));
    return child;
}

}  // namespace cultivar
