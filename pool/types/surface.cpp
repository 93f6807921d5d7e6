#include "pool/types/surface.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pool/types/figure_rule.h"
#include "pool/types/glob.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxGlobs = 64, kMaxMarker_bytes = 200;

std::string in_small_letters(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

std::string first_part(std::string_view path) { return std::string(path.substr(0, path.find('/'))); }

std::string_view trimmed(std::string_view line) {
    constexpr std::string_view kBlank = " \t\r";
    const std::size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of(kBlank) - begin + 1);
}

// Names that mean something else on main or in a run's folder.
bool is_reserved(std::string_view folder) {
    constexpr std::array kReserved = {"artifact", "evaluation", "log", "seeds", "trust", "work"};
    return std::ranges::find(kReserved, folder) != kReserved.end();
}

// It begins with a folder by its name, so that nothing has to be searched for it.
bool good_glob(const std::string& glob, bool needs_folder) {
    std::string plain = glob;
    std::ranges::replace(plain, '*', 'x');
    std::ranges::replace(plain, '?', 'x');
    if (plain.size() > kMaxSourcePath_bytes || !is_plain_path(plain)) return false;
    const std::string folder = first_part(glob);
    return !needs_folder || (folder.size() < glob.size() && is_plain_path(folder) && !is_reserved(folder));
}

Result<std::vector<std::string>> read_texts(TomlTable& table, const std::string& key, auto&& good, const char* takes) {
    std::vector<std::string> texts;
    const TomlEntry* entry = table.take(key);
    if (!entry) return texts;
    for (const Value& value : entry->values) {
        const auto* text = std::get_if<std::string>(&value);
        if (!entry->is_array || !text || !good(*text) || texts.size() == kMaxGlobs)
            return fail(table.wrong(*entry, fmt::format("'{}' takes {}", key, takes)));
        texts.push_back(*text);
    }
    return texts;
}

bool good_marker(const std::string& marker) {
    return !marker.empty() && marker.size() <= kMaxMarker_bytes && trimmed(marker) == marker &&
           std::ranges::none_of(marker, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string list_toml(const char* key, const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + to_toml(Value(text));
    return texts.empty() ? "" : fmt::format("{} = [{}]\n", key, list);
}

}  // namespace

bool takes_name(const PathNames& before, PathNames& names, const std::string& path) {
    const auto is_there = [&](const std::string& name) { return before.contains(name) || names.contains(name); };
    const auto take = [&](const std::string& name) {
        const std::string small = in_small_letters(name);
        const auto known = before.find(small);
        return (known != before.end() ? known : names.emplace(small, name).first)->second == name;
    };
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        if (!take(path.substr(0, slash + 1)) || is_there(in_small_letters(path.substr(0, slash)))) return false;
    }
    return take(path) && !is_there(in_small_letters(path) + "/");
}

bool Surface::covers(std::string_view path) const {
    const auto matches = [&](const std::string& glob) { return glob_matches(glob, path); };
    return std::ranges::any_of(edit, matches) && std::ranges::none_of(never, matches);
}

std::set<std::string> Surface::folders() const {
    std::set<std::string> names;
    for (const std::string& glob : edit) names.insert(first_part(glob));
    return names;
}

Result<void> Surface::add_task_file(const std::string& path, const std::string& sha256, std::string_view bytes) {
    task_files_[path] = sha256;
    takes_name({}, names_, path);
    if (between.empty() || !covers(path)) return {};
    auto outside = outside_markers(bytes, between);
    if (!outside) return fail(Code::corrupt, fmt::format("{}:{}", path, outside.error().message));
    outside_[path] = sha256_hex(*outside);
    return {};
}

Result<void> Surface::check_paths(const SourceFiles& files) const {
    const auto refuse = [](const std::string& path, const char* why) {
        return fail(Code::usage, fmt::format("'{}' {}", clean(path), why));
    };
    if (files.size() > static_cast<std::size_t>(max_files))
        return fail(Code::usage,
                    fmt::format("{} files are more than the {} that the task allows", files.size(), max_files));
    PathNames names;
    for (const auto& [path, sha256] : files) {
        if (path.size() > kMaxSourcePath_bytes || !is_plain_path(path)) return refuse(path, "is no name for a file");
        if (!covers(path)) return refuse(path, "is not on the task's surface");
        const auto there = task_files_.find(path);
        if (there == task_files_.end() && !between.empty())
            return refuse(path, "is new, and files change only between marker lines");
        if (there != task_files_.end() && there->second == sha256) return refuse(path, "is the task's own file");
        if (!takes_name(names_, names, path))
            return refuse(path, "is another file's or folder's name but for its case");
    }
    return {};
}

Result<void> Surface::check_bytes(const std::string& path, std::string_view bytes) const {
    if (bytes.size() > static_cast<std::size_t>(max_bytes))
        return fail(Code::usage, fmt::format("{}: {} bytes are more than the {} that the task allows", path,
                                             bytes.size(), max_bytes));
    if (between.empty()) return {};
    auto outside = outside_markers(bytes, between);
    if (!outside) return fail(Code::usage, fmt::format("{}:{}", path, outside.error().message));
    const auto known = outside_.find(path);
    if (known != outside_.end() && known->second == sha256_hex(*outside)) return {};
    return fail(Code::usage, fmt::format("{}: it differs from the task's file outside the lines from '{}' to '{}'",
                                         path, between[0], between[1]));
}

Result<Surface> read_surface(TomlTable& table) {
    Surface surface;
    constexpr const char* kGlobs = "up to 64 globs such as \"src/**\" that begin with a folder's name";
    const auto editable = [](const std::string& glob) { return good_glob(glob, true); };
    const auto any = [](const std::string& glob) { return good_glob(glob, false); };
    TRY_ASSIGN(surface.edit, read_texts(table, "surface.edit", editable, kGlobs));
    TRY_ASSIGN(surface.never, read_texts(table, "surface.never", any, "up to 64 globs such as \"src/data/**\""));
    TRY_ASSIGN(surface.between, read_texts(table, "surface.between", good_marker, "two lines that mark a block"));
    TRY(table.read("surface.max_files", surface.max_files));
    TRY(table.read("surface.max_bytes", surface.max_bytes));
    const auto refuse = [&](const char* what) { return fail(Code::usage, fmt::format("{}: {}", table.where(), what)); };
    if (surface.edit.empty()) return refuse("'surface.edit' is missing");
    if (!surface.between.empty() && (surface.between.size() != 2 || surface.between[0] == surface.between[1]))
        return refuse("'surface.between' takes two lines that differ");
    if (surface.max_files < 1 || surface.max_files > kMaxSourceFiles)
        return refuse("'surface.max_files' is out of range");
    if (surface.max_bytes < 1 || surface.max_bytes > kMaxSource_bytes)
        return refuse("'surface.max_bytes' is out of range");
    return surface;
}

std::string surface_toml(const Surface& surface) {
    return "\n[surface]\n" + list_toml("edit", surface.edit) + list_toml("never", surface.never) +
           list_toml("between", surface.between) +
           fmt::format("max_files = {}\nmax_bytes = {}\n", surface.max_files, surface.max_bytes);
}

Result<std::string> outside_markers(std::string_view text, const std::vector<std::string>& between) {
    std::string outside;
    bool inside = false;
    std::size_t line_number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::string_view line = text.substr(0, end), word = trimmed(line.substr(0, line.find('\n')));
        text.remove_prefix(end);
        ++line_number;
        const bool begins = word == between[0], ends = word == between[1];
        if ((begins && inside) || (ends && !inside))
            return fail(Code::usage, fmt::format("{}: '{}' has no partner", line_number, between[begins ? 0 : 1]));
        if (ends) inside = false;
        if (!inside) outside += line;
        if (begins) inside = true;
    }
    if (inside) return fail(Code::usage, fmt::format("{}: '{}' has no partner", line_number, between[0]));
    return outside;
}

}  // namespace cultivar
