#include "cli/runs/data_links.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJson_bytes = 4 << 20, kMaxListed = 100'000;
constexpr const char* kImport = "cultivar data import FILE...";

std::string json_path(const Clone& clone) { return clone.state_dir + "data.json"; }

// A file's marks other than its content.
struct Stamp {
    std::int64_t bytes = 0, mtime_ns = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
};

Result<Stamp> stamp_of(const std::string& path) {
    constexpr std::int64_t kNano = 1'000'000'000;
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return fail(Code::not_found,
                    fmt::format("the pool's data are not on this machine: '{}' is missing", clean(path)), kImport);
    return Stamp{facts.st_size, facts.st_mtim.tv_sec * kNano + facts.st_mtim.tv_nsec, facts.st_ino};
}

Stamp stamp_in(const Json& file) { return {file.at("bytes"), file.at("mtime_ns"), file.at("inode")}; }

// The stamp is taken first: a file that changes while it is read is read again later.
Result<Json> digested(const std::string& name, const std::string& path) {
    TRY_ASSIGN(const Stamp stamp, stamp_of(path));
    TRY_ASSIGN(std::string sha256, sha256_file_hex(path));
    return Json{{"name", name}, {"sha256", std::move(sha256)}, {"bytes", stamp.bytes},
                {"path", path}, {"mtime_ns", stamp.mtime_ns},  {"inode", stamp.inode}};
}

Result<void> same_as(const CommandData& file, const Json& found) {
    if (found.at("sha256") == file.sha256) return {};
    return fail(Code::corrupt,
                fmt::format("'{}' is not the pool's '{}': its SHA-256 is {:.12}..., not {:.12}...",
                            clean(found.at("path").get<std::string>()), file.name,
                            found.at("sha256").get<std::string>(), file.sha256),
                kImport);
}

using FoundPaths = std::map<std::string, std::string>;  // by name

Result<void> list_below(const fs::path& folder, FoundPaths& found) {
    std::error_code ec;
    for (fs::recursive_directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code gone;
        if (!at->is_regular_file(gone)) continue;
        if (found.size() >= kMaxListed)
            return fail(Code::usage, fmt::format("'{}' holds too many files", clean(folder.string())), kImport);
        found.emplace(at->path().lexically_relative(folder).string(), at->path().string());
    }
    return ec ? fail(Code::io, fmt::format("cannot list '{}': {}", clean(folder.string()), ec.message()))
              : Result<void>();
}

Result<FoundPaths> found_in(const std::vector<std::string>& sources) {
    FoundPaths found;
    for (const std::string& source : sources) {
        std::error_code ec;
        const fs::path path = fs::canonical(source, ec);
        if (ec) return fail(Code::not_found, fmt::format("'{}' is not there", clean(source)));
        if (fs::is_directory(path, ec)) {
            TRY(list_below(path, found));
        } else if (!fs::is_regular_file(path, ec)) {
            return fail(Code::usage, fmt::format("'{}' is neither a file nor a folder", clean(source)));
        } else {
            found.emplace(fs::path(source).filename().string(), path.string());
        }
    }
    return found;
}

// With the pool's digests, or, where it has none yet, without any.
Result<std::vector<CommandData>> wanted(const PoolCommand& command, const FoundPaths& found) {
    if (!command.data.empty()) return command.data;
    std::vector<CommandData> files;
    for (const auto& [name, path] : found) files.push_back({name, "", 0});
    TRY(check_data_names(files));
    return files;
}

Result<Json> known_data(const Clone& clone) {
    const auto text = read_file(json_path(clone), kMaxJson_bytes);
    const auto missing = [] { return fail(Code::not_found, "the pool's data are not on this machine", kImport); };
    if (!text) return text.error().code == Code::not_found ? missing() : fail(text.error());
    Json known = Json::parse(*text, nullptr, false);
    return known.is_discarded() ? missing() : Result<Json>(std::move(known));
}

Result<void> save(const Clone& clone, const Json& found) {
    return write_file_atomically(json_path(clone), pretty(found));
}

// Both have the order of the pool's files.
bool has_entry_of(const CommandData& file, const Json& entries, std::size_t place) {
    return place < entries.size() && entries.at(place).at("name") == file.name;
}

// The entry as it is now: its content is looked at if need be.
Result<Json> checked(const CommandData& file, const Json& entry) {
    const std::string path = entry.at("path");
    TRY_ASSIGN(const Stamp now, stamp_of(path));
    const bool same = now == stamp_in(entry);
    TRY_ASSIGN(Json fresh, same ? Result<Json>(entry) : digested(file.name, path));
    TRY(same_as(file, fresh));
    return fresh;
}

}  // namespace

Result<Json> find_data(const PoolCommand& command, const std::vector<std::string>& sources,
                       const DataProgress& progress) {
    TRY_ASSIGN(const FoundPaths found, found_in(sources));
    TRY_ASSIGN(const std::vector<CommandData> files, wanted(command, found));
    if (files.empty()) return fail(Code::not_found, "there are no files to import", kImport);
    Json entries = Json::array();
    for (const CommandData& file : files) {
        if (progress) progress(file.name, static_cast<double>(entries.size()) / static_cast<double>(files.size()));
        const auto path = found.find(file.name);
        if (path == found.end())
            return fail(Code::not_found, fmt::format("'{}' of the pool's data is not among these files", file.name),
                        kImport);
        TRY_ASSIGN(Json entry, digested(file.name, path->second));
        if (!command.data.empty()) TRY(same_as(file, entry));
        entries.push_back(std::move(entry));
    }
    return Json{{"schema", 1}, {"files", std::move(entries)}};
}

std::vector<CommandData> data_files_of(const Json& found) {
    std::vector<CommandData> files;
    for (const Json& one : found.at("files")) files.push_back({one.at("name"), one.at("sha256"), one.at("bytes")});
    return files;
}

Result<void> link_data(const Clone& clone, const Json& found) {
    std::string folder = clone.data_dir();
    folder.pop_back();
    std::error_code ec;
    if (fs::is_symlink(folder, ec)) fs::remove(folder, ec);
    fs::remove_all(folder, ec);  // of the links alone
    for (const Json& one : found.at("files")) {
        const std::string link = clone.data_dir() + one.at("name").get<std::string>();
        TRY(make_folder_of(link));
        fs::create_symlink(one.at("path").get<std::string>(), link, ec);
        if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", link, ec.message()));
    }
    return save(clone, found);
}

Result<DataHere> data_here(const Clone& clone) {
    const auto& command = clone.task.command;
    if (!command || command->data.empty()) return DataHere();
    TRY_ASSIGN(const Json known, known_data(clone));
    DataHere here{fs::absolute(clone.data_dir()).string(), {}};
    Json entries = Json::array();
    try {
        for (const CommandData& file : command->data) {
            const Json& before = known.at("files");
            if (!has_entry_of(file, before, entries.size()))
                return fail(Code::not_found,
                            fmt::format("the pool's data are not on this machine: '{}' is missing", file.name),
                            kImport);
            TRY_ASSIGN(Json entry, checked(file, before.at(entries.size())));
            here.paths.push_back(entry.at("path"));
            entries.push_back(std::move(entry));
        }
        if (entries != known.at("files")) TRY(save(clone, {{"schema", 1}, {"files", entries}}));
    } catch (const std::exception&) {
        return fail(Code::corrupt, fmt::format("'{}' cannot be read", json_path(clone)), kImport);
    }
    return here;
}

Result<void> need_command_data(const Clone& clone) {
    const auto& command = clone.task.command;
    if (!command || !needs_data(*command)) return {};
    if (command->data.empty()) return fail(Code::not_found, "this pool has no data yet", kImport);
    for (const CommandData& file : command->data) TRY(stamp_of(clone.data_dir() + file.name));
    return {};
}

}  // namespace cultivar
