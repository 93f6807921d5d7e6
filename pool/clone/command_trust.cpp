#include "pool/clone/command_trust.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "pool/clone/user_state.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr unsigned kExecutable = 0700;

// As versions before wrote it.
std::string pin_in_clone(const Clone& clone) { return clone.state_dir + "trust"; }

// A repository on this machine, and where its pin lies.
struct Place {
    std::string path, inode, pin;
};

Result<Place> place_of(const Clone& clone) {
    TRY_ASSIGN(const std::string folder, user_state_folder());
    TRY_ASSIGN(Identified git, identify(clone.repo.git_dir()));
    const std::string pin = fmt::format("{}/trust/{}", folder, sha256_hex(git.path));
    return Place{std::move(git.path), std::move(git.inode), pin};
}

// --- The pinned files --------------------------------------------------------------------------------------------------

constexpr std::size_t kMostFiles = 10'000, kMaxPin_bytes = 8 << 20;
constexpr int kMostFolders = 32;  // one within another

using MainPaths = std::map<std::string, Oid>;

Result<void> list_tree(const Repo& repo, const Oid& tree, const std::string& above, MainPaths& paths, int depth = 0) {
    const auto too_much = [] { return fail(Code::corrupt, "main holds more files than a pool has"); };
    if (depth > kMostFolders) return too_much();
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(tree));
    for (const TreeEntry& entry : entries) {
        if (paths.size() >= kMostFiles) return too_much();
        if (entry.is_tree)
            TRY(list_tree(repo, entry.oid, above + entry.name + "/", paths, depth + 1));
        else
            paths[above + entry.name] = entry.oid;
    }
    return {};
}

// A path as git has it below the work tree, however it is spelt from there; "": it leads elsewhere.
std::string below_checkout(const Clone& clone, const std::string& word) {
    namespace fs = std::filesystem;
    if (word.empty()) return "";
    const std::string work = clone.repo.work_dir().empty() ? "/no work tree/" : clone.repo.work_dir();
    const fs::path plain = (fs::path(work) / word).lexically_normal();
    std::error_code ec;
    for (std::string path : {plain.string(), fs::weakly_canonical(plain, ec).string()}) {
        if (!path.starts_with(work)) continue;
        path.erase(0, work.size());
        while (path.ends_with('/')) path.pop_back();
        return path;
    }
    return "";
}

// The parts of a word that may be paths: a shell's line has many.
std::vector<std::string> parts_of(const std::string& word) {
    std::vector<std::string> parts = {word};
    constexpr std::string_view kOfPaths = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+@%";
    for (std::size_t begin = 0; begin < word.size();) {
        const std::size_t end = std::min(word.find_first_not_of(kOfPaths, begin), word.size());
        if (end > begin) parts.push_back(word.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// Those that a path in the command may lead to, and all below files/, by whatever path a script finds them.
Result<MainPaths> reachable(const Clone& clone) {
    TRY_ASSIGN(const Commit commit, clone.repo.read_commit(clone.main));
    MainPaths all, covered;
    TRY(list_tree(clone.repo, commit.tree, "", all));
    std::set<std::string> named;
    for (const std::string& word : clone.task.command->run) {
        for (const std::string& part : parts_of(word)) named.insert(below_checkout(clone, part));
    }
    for (const auto& [path, oid] : all) {
        bool is_reached = path.starts_with(kCommandFolder) || named.count(path) > 0;
        for (std::size_t slash = path.find('/'); !is_reached && slash != std::string::npos;
             slash = path.find('/', slash + 1))
            is_reached = named.count(path.substr(0, slash)) > 0;
        if (is_reached) covered[path] = oid;
    }
    for (const CommandFile& file : clone.task.command->files) covered.erase(file.path);  // by their own digests
    return covered;
}

// The words that a gene may put into the command: a pool may add choices without making another task.
std::string choice_lines(const Task& task) {
    std::string text;
    for (const std::string& name : genes_in(*task.command)) {
        const Gene* gene = task.space.find(name);
        for (const std::string& choice : gene ? gene->choices : std::vector<std::string>())
            text += fmt::format("choice {} {}\n", name, to_toml(Value(choice)));
    }
    return text;
}

// command_lines(), then a line for each further file and for each choice that may stand in the command. Without any, it is
// what earlier versions pinned.
Result<std::string> pin_text(const Clone& clone) {
    TRY_ASSIGN(const MainPaths covered, reachable(clone));
    std::string text = command_lines(*clone.task.command) + choice_lines(clone.task);
    for (const auto& [path, oid] : covered) text += fmt::format("reach {} {}\n", to_toml(Value(path)), oid);
    return text;
}

// --- Where it is kept -------------------------------------------------------------------------------------------------

struct Pin {
    std::string digest;  // "": none that counts
    std::string text;    // "": by an earlier version
    bool elsewhere =
        false;  // one was made for another repository at this path, by another user, or by a version before
};

Result<Pin> pinned(const Clone& clone) {
    if (!clone.task.command) return fail(Code::usage, "this pool has no command of its own");
    TRY_ASSIGN(const Place place, place_of(clone));
    auto text = read_file(place.pin, kMaxPin_bytes);
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    if (!text) return Pin{"", "", ::access(pin_in_clone(clone).c_str(), F_OK) == 0};
    std::istringstream lines(*text);
    std::string digest, path, inode;
    std::getline(lines, digest), std::getline(lines, path), std::getline(lines, inode);
    const bool here = is_users_own(place.pin) && path == place.path && inode == place.inode;
    if (!here) return Pin{"", "", true};
    std::string rest(std::istreambuf_iterator<char>(lines), {});
    return Pin{digest, sha256_hex(rest) == digest ? rest : "", false};
}

Result<void> remove_file(const std::string& path) {
    std::error_code ec;
    std::filesystem::remove(path, ec);
    return ec ? fail(Code::io, fmt::format("cannot remove '{}': {}", path, ec.message())) : Result<void>();
}

// The words of a pinned text, and its files with their digests.
std::pair<std::string, std::map<std::string, std::string>> split_pin(const std::string& text) {
    std::pair<std::string, std::map<std::string, std::string>> parts;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t kind = line.find(' '), digest = line.rfind(' ');
        if (line.starts_with("command ") || kind >= digest)
            parts.first += line + "\n";
        else if (std::string path = line.substr(kind + 1, digest - kind - 1); path.front() == '"')
            parts.second[path.substr(1, path.size() - 2)] = line.substr(digest + 1);
        else
            parts.second[path] = line.substr(digest + 1);
    }
    return parts;
}

Result<std::string> copy_file(const std::string& name, const std::string& bytes, const std::string& folder) {
    const std::string path = (std::filesystem::absolute(folder) / name).string();
    TRY(make_folder_of(path));
    TRY(write_file_unsynced(path, bytes, kExecutable));
    return path;
}

// Of a file whose digest is in the task.
Result<std::string> copy_file_of_task(const Clone& clone, const CommandFile& file, const std::string& folder) {
    TRY_ASSIGN(const std::optional<std::string> bytes, clone.command_file(file.path));
    if (!bytes || sha256_hex(*bytes) != file.sha256)
        return fail(Code::corrupt, fmt::format("'{}' on main has changed", file.path));
    return copy_file(file.path, *bytes, folder);
}

// Format 1: a word that leads to a file below files/ becomes the path of a copy: the work tree may change while a command runs.
Result<std::string> with_copy(const Clone& clone, const std::string& word, const std::string& folder) {
    const std::string name = below_checkout(clone, word);
    if (!name.starts_with(kCommandFolder)) return word;
    const auto& files = clone.task.command->files;
    const auto file = std::ranges::find(files, name, &CommandFile::path);
    if (file != files.end()) return copy_file_of_task(clone, *file, folder);
    TRY_ASSIGN(const std::optional<std::string> bytes, clone.command_file(name));
    return bytes ? copy_file(name, *bytes, folder) : word;
}

// Is the pinned command the one on main?
Result<bool> is_pinned(const Clone& clone, const Pin& pin) {
    if (pin.digest.empty()) return false;
    TRY_ASSIGN(const std::string text, pin_text(clone));
    return pin.digest == sha256_hex(text);
}

}  // namespace

Result<std::string> trust_digest(const Clone& clone) {
    TRY_ASSIGN(const std::string text, pin_text(clone));
    return sha256_hex(text);
}

Result<std::vector<std::string>> other_covered_files(const Clone& clone) {
    TRY_ASSIGN(const MainPaths covered, reachable(clone));
    std::vector<std::string> paths;
    for (const auto& [path, oid] : covered) paths.push_back(path);
    return paths;
}

Result<bool> is_command_trusted(const Clone& clone) {
    TRY_ASSIGN(const Pin pin, pinned(clone));
    return is_pinned(clone, pin);
}

Result<std::vector<std::string>> changes_since_trust(const Clone& clone) {
    TRY_ASSIGN(const Pin pin, pinned(clone));
    std::vector<std::string> changes;
    if (pin.text.empty()) return changes;
    TRY_ASSIGN(const std::string text, pin_text(clone));
    const auto [words_before, files_before] = split_pin(pin.text);
    const auto [words_now, files_now] = split_pin(text);
    if (words_before != words_now) changes.emplace_back("the words of the command changed");
    for (const auto& [path, digest] : files_now) {
        const auto before = files_before.find(path);
        if (before == files_before.end())
            changes.push_back(fmt::format("{} is new", path));
        else if (before->second != digest)
            changes.push_back(fmt::format("{} changed", path));
    }
    for (const auto& [path, digest] : files_before) {
        if (files_now.count(path) == 0) changes.push_back(fmt::format("{} is gone", path));
    }
    return changes;
}

Result<void> pin_command(const Clone& clone) {
    if (!clone.task.command) return fail(Code::usage, "this pool has no command of its own");
    TRY_ASSIGN(const Place place, place_of(clone));
    if (place.path.find('\n') != std::string::npos)
        return fail(Code::usage, "a folder with a line feed in its name is never trusted");
    TRY_ASSIGN(const std::string text, pin_text(clone));
    TRY(make_private_folder(std::filesystem::path(place.pin).parent_path()));
    TRY(write_file_atomically(place.pin, fmt::format("{}\n{}\n{}\n{}", sha256_hex(text), place.path, place.inode, text),
                              0600));
    return remove_file(pin_in_clone(clone));
}

Result<void> revoke_command_trust(const Clone& clone) {
    TRY_ASSIGN(const Place place, place_of(clone));
    TRY(remove_file(place.pin));
    return remove_file(pin_in_clone(clone));
}

Result<std::vector<std::string>> trusted_command(const Clone& clone, const std::string& folder) {
    TRY_ASSIGN(const Pin pin, pinned(clone));
    TRY_ASSIGN(const bool trusted, is_pinned(clone, pin));
    if (!trusted)
        return fail(
            Code::not_found,
            pin.elsewhere        ? "this pool runs a command of its own; it was trusted for another folder, by another "
                                   "user or by an earlier version, which does not count here"
            : pin.digest.empty() ? "this pool runs a command of its own, which is not trusted on this machine"
                                 : "the pool's command is not the one that was trusted on this machine: it changed",
            "cultivar trust");
    std::vector<std::string> words;
    if (clone.task.command->format > 1) {
        for (const CommandFile& file : clone.task.command->files) TRY(copy_file_of_task(clone, file, folder));
        return clone.task.command->run;
    }
    for (const std::string& word : clone.task.command->run) {
        TRY_ASSIGN(std::string as_run, with_copy(clone, word, folder));
        words.push_back(std::move(as_run));
    }
    return words;
}

}  // namespace cultivar
