#include "pool/clone/command_files.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

Error too_much() {
    return {Code::corrupt,
            fmt::format("there are over {} files of the command, over {} MiB of them, or one of over {} MiB",
                        kMaxCommandFiles, kMaxCommandFiles_bytes >> 20, kMaxCommandFile_bytes >> 20),
            {}};
}

// Adds up the taken bytes.
class Allowance {
public:
    Result<void> take(const std::string& path, std::size_t size) {
        bytes_ += size;
        if (!is_plain_path(path)) return fail(Code::corrupt, fmt::format("'{}' is no name for a pool", clean(path)));
        if (size > kMaxCommandFile_bytes || bytes_ > kMaxCommandFiles_bytes || ++files_ > kMaxCommandFiles)
            return fail(too_much());
        return {};
    }

private:
    std::size_t files_ = 0, bytes_ = 0;
};

Result<void> keep(PoolCommand& command, const std::string& path, std::string_view bytes, const Oid& object) {
    command.files.push_back({path, sha256_hex(bytes), object});
    return command.surface ? command.surface->add_task_file(path, command.files.back().sha256, bytes) : Result<void>();
}

// Walks a folder of main. Names are checked before they are kept, sizes before anything is read.
Result<void> take_folder(const Repo& repo, const Oid& tree, const std::string& folder, Allowance& allowance,
                         PoolCommand& command) {
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(tree, kMaxCommandFiles));
    for (const TreeEntry& entry : entries) {
        const std::string path = folder + entry.name;
        if (entry.is_tree) {
            TRY(allowance.take(path, 0));
            if (!is_plain_path(path))
                return fail(Code::corrupt, fmt::format("'{}' is no name for a pool", clean(path)));
            TRY(take_folder(repo, entry.oid, path + "/", allowance, command));
            continue;
        }
        if (!entry.plain_file && !entry.executable)
            return fail(Code::corrupt, fmt::format("'{}' on main is a link or a submodule", clean(path)));
        TRY_ASSIGN(const std::size_t size, repo.object_bytes(entry.oid));
        TRY(allowance.take(path, size));
        TRY_ASSIGN(const std::string bytes, repo.read_blob(entry.oid, kMaxCommandFile_bytes));
        TRY(keep(command, path, bytes, entry.oid));
    }
    return {};
}

Result<void> take_named(const Repo& repo, const Oid& main, PoolCommand& command) {
    for (CommandFile& file : command.files) {
        TRY_ASSIGN(std::optional<std::string> bytes, repo.file(main, file.path, kMaxCommandFile_bytes, true));
        if (!bytes) return fail(Code::not_found, fmt::format("main has no '{}', which its command names", file.path));
        file.sha256 = sha256_hex(*bytes);
    }
    return {};
}

Result<void> check_there(const PoolCommand& command, const std::string& path, const char* use) {
    const bool there = std::ranges::any_of(command.files, [&](const auto& one) { return one.path == path; });
    if (there || !path.starts_with(kCommandFolder)) return {};
    return fail(Code::not_found, fmt::format("there is no '{}', which {}", path, use));
}

// Are the files there that the command starts, and its evaluator's?
Result<void> check_named_files(const PoolCommand& command) {
    for (const auto* words : {&command.run, &command.checks}) {
        if (!words->empty()) TRY(check_there(command, words->front(), "the command starts"));
    }
    if (!command.evaluator) return {};
    TRY(check_there(command, command.evaluator->run.front(), "scores artifacts"));
    return check_there(command, command.evaluator->validation, "the evaluator reads");
}

Result<void> read_folder(const std::filesystem::path& base, const std::string& name, Allowance& allowance,
                         std::vector<std::pair<std::string, std::string>>& files) {
    std::error_code ec;
    auto at = std::filesystem::recursive_directory_iterator(base / name, ec);
    if (ec == std::errc::no_such_file_or_directory) return {};
    for (; !ec && at != std::filesystem::recursive_directory_iterator(); at.increment(ec)) {
        const std::string path = at->path().lexically_relative(base).string();
        if (at->is_symlink(ec) || (!at->is_directory(ec) && !at->is_regular_file(ec)))
            return fail(Code::usage, fmt::format("'{}' is neither a file nor a folder", at->path().string()));
        if (at->is_directory(ec)) continue;
        TRY(allowance.take(path, static_cast<std::size_t>(at->file_size(ec))));
        TRY_ASSIGN(std::string bytes, read_file(at->path().string(), kMaxCommandFile_bytes));
        files.emplace_back(path, std::move(bytes));
    }
    return ec ? fail(Code::io, fmt::format("cannot read '{}': {}", (base / name).string(), ec.message()))
              : Result<void>();
}

}  // namespace

Result<void> take_command_files(const Repo& repo, const Oid& main, PoolCommand& command) {
    if (command.format < 2) return take_named(repo, main, command);
    TRY_ASSIGN(const Commit commit, repo.read_commit(main));
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(commit.tree));
    const std::set<std::string> folders = task_folders(command);
    command.files.clear();
    Allowance allowance;
    for (const TreeEntry& entry : entries) {
        if (!entry.is_tree || !folders.contains(entry.name)) continue;
        TRY(take_folder(repo, entry.oid, entry.name + "/", allowance, command));
    }
    std::ranges::sort(command.files, {}, &CommandFile::path);
    return check_named_files(command);
}

Result<std::vector<std::pair<std::string, std::string>>> command_files_beside(const std::string& folder,
                                                                              PoolCommand& command) {
    std::vector<std::pair<std::string, std::string>> files;
    Allowance allowance;
    for (const std::string& name : task_folders(command))
        TRY(read_folder(std::filesystem::path(folder), name, allowance, files));
    std::ranges::sort(files);
    command.files.clear();
    for (const auto& [path, bytes] : files) TRY(keep(command, path, bytes, ""));
    TRY(check_named_files(command));
    return files;
}

}  // namespace cultivar
