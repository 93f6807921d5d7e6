#include "pool/clone/clone.h"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include "pool/types/task_parser.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxPoolToml = 1 << 20;

Result<Oid> effective_main(const Repo& repo) {
    TRY_ASSIGN(std::optional<Oid> local, repo.ref("refs/heads/main"));
    TRY_ASSIGN(std::optional<Oid> theirs, repo.ref(tracking_ref("refs/heads/main")));
    if (!local && !theirs)
        return fail(Code::not_found, "this repository has no branch main with a pool.toml", "cultivar init DIR");
    if (!local || !theirs) return local ? *local : *theirs;
    TRY_ASSIGN(bool ahead, repo.descends(*local, *theirs));
    return ahead ? *local : *theirs;
}

// Puts `bytes` at `path` into the tree, making folders as needed.
Result<Oid> with_file(Repo& repo, const std::optional<Oid>& tree, const std::string& path, const std::string& bytes) {
    std::vector<TreeEntry> entries;
    if (tree) {
        TRY_ASSIGN(entries, repo.read_tree(*tree));
    }
    std::size_t slash = path.find('/');
    std::string head = path.substr(0, slash);
    auto at = std::find_if(entries.begin(), entries.end(), [&](const TreeEntry& e) { return e.name == head; });
    if (at == entries.end()) at = entries.insert(entries.end(), TreeEntry{head, "", false, true});
    if (slash == std::string::npos) {
        TRY_ASSIGN(at->oid, repo.write_blob(bytes));
        at->is_tree = false;
    } else {
        std::optional<Oid> inner;
        if (at->is_tree) inner = at->oid;
        TRY_ASSIGN(at->oid, with_file(repo, inner, path.substr(slash + 1), bytes));
        at->is_tree = true;
    }
    return repo.write_tree(entries);
}

// Plain `git merge` of candidates asks cultivar. Bases are merged among themselves by the second driver.
Result<void> set_merge_driver(Repo& repo) {
    TRY(repo.set_config("merge.cultivar.name", "candidates, gene by gene"));
    TRY(repo.set_config("merge.cultivar.driver", "cultivar merge-driver %O %A %B %P"));
    TRY(repo.set_config("merge.cultivar.recursive", "cultivar-bases"));
    TRY(repo.set_config("merge.cultivar-bases.name", "common ancestors of candidates"));
    TRY(repo.set_config("merge.cultivar-bases.driver", "cultivar merge-driver --bases %O %A %B %P"));
    const std::string folder = repo.git_dir() + "info";
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message()));
    return write_file_atomically(folder + "/attributes", "candidate.toml merge=cultivar\n");
}

}  // namespace

Result<std::optional<std::string>> Clone::command_file(const std::string& path) const {
    return repo.file(main, path, kMaxCommandFile_bytes, true);
}

Identity Clone::identity() const { return {writer, writer + "@cultivar.invalid", std::time(nullptr)}; }

Result<void> Clone::commit_main(const std::vector<std::pair<std::string, std::string>>& files,
                                const std::string& message) {
    std::optional<Oid> tree;
    Commit commit;
    if (!main.empty()) {
        TRY_ASSIGN(Commit now, repo.read_commit(main));
        tree = now.tree;
        commit.parents.push_back(main);
    }
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : files) {
        TRY_ASSIGN(tree, with_file(repo, tree, path, bytes));
        paths.push_back(path);
    }
    commit.tree = *tree;
    commit.author = identity();
    commit.message = message + "\n";
    TRY_ASSIGN(Oid next, repo.write_commit(commit, &key));
    TRY_ASSIGN(std::optional<Oid> local, repo.ref("refs/heads/main"));
    TRY(repo.set_ref("refs/heads/main", next, local.value_or("")));
    main = next;
    return repo.refresh_work_files(paths);
}

Result<void> Clone::reload_task() {
    TRY_ASSIGN(main, effective_main(repo));
    TRY_ASSIGN(task, task_at(repo, main));
    task_id = task.id();
    return {};
}

Result<Task> task_at(const Repo& repo, const Oid& main) {
    TRY_ASSIGN(std::optional<std::string> text, repo.file(main, "pool.toml", kMaxPoolToml));
    if (!text) return fail(Code::not_found, "main has no pool.toml: this is not a pool", "cultivar init DIR");
    TRY_ASSIGN(Task task, parse_task(*text, "pool.toml"));
    if (!task.command) return task;
    for (CommandFile& file : task.command->files) {
        TRY_ASSIGN(std::optional<std::string> bytes, repo.file(main, file.path, kMaxCommandFile_bytes, true));
        if (!bytes) return fail(Code::not_found, fmt::format("main has no '{}', which its command names", file.path));
        file.sha256 = sha256_hex(*bytes);
    }
    return task;
}

Result<Task> read_task(const std::string& folder) {
    TRY_ASSIGN(const Repo repo, Repo::discover(folder));
    TRY_ASSIGN(const Oid main, effective_main(repo));
    return task_at(repo, main);
}

std::string tracking_ref(const std::string& ref) {
    std::string_view name(ref);
    for (std::string_view prefix : {"refs/heads/", "refs/"}) {
        if (name.starts_with(prefix)) return fmt::format("refs/remotes/{}/{}", kRemote, name.substr(prefix.size()));
    }
    return ref;
}

Result<bool> has_remote(const Clone& clone) {
    TRY_ASSIGN(std::optional<std::string> url, clone.repo.config(fmt::format("remote.{}.url", kRemote)));
    return url.has_value();
}

Result<Clone> open_clone(const std::string& folder) {
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    TRY_ASSIGN(Oid main, effective_main(repo));
    TRY_ASSIGN(Task task, task_at(repo, main));  // before anything is written: it may be somebody's other repository
    std::string state_dir = repo.git_dir() + "cultivar/";
    std::error_code ec;
    std::filesystem::create_directories(state_dir, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", state_dir, ec.message()));
    TRY_ASSIGN(Key key, clone_key(repo, state_dir));
    TRY_ASSIGN(std::optional<std::string> name, repo.config("cultivar.name"));
    TRY_ASSIGN(std::optional<std::string> machine, repo.config("cultivar.machine"));
    std::string writer = fmt::format("{}.{}.{}", writer_word(name.value_or("")), writer_word(machine.value_or("")),
                                     key.fingerprint().substr(0, 8));
    std::string id = task.id();
    return Clone{std::move(repo), std::move(state_dir), std::move(key), std::move(writer),
                 std::move(main), std::move(task),      std::move(id)};
}

Result<Key> clone_key(const Repo& repo, const std::string& state_dir) {
    TRY_ASSIGN(std::optional<std::string> users, repo.config(kSigningKey));
    return users && !users->empty() ? Key::of_user(*users) : Key::load_or_create(state_dir + "key.pem");
}

std::string_view key_digits(std::string_view writer) {
    return writer.substr(writer.size() - std::min<std::size_t>(8, writer.size()));
}

bool is_writer(std::string_view name) {
    const std::size_t last = name.rfind('.'), first = name.find('.');
    if (first == std::string_view::npos || first == last || first == 0) return false;
    return is_hex(name.substr(last + 1), 8) &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string_view::npos;
}

Result<Repo> create_clone(const std::string& folder, bool bare, const std::string& remote, const WriterName& who) {
    TRY_ASSIGN(Repo repo, Repo::create(folder, bare));
    TRY(repo.set_config("cultivar.name", writer_word(who.name)));
    TRY(repo.set_config("cultivar.machine", writer_word(who.machine)));
    TRY(set_merge_driver(repo));
    if (!remote.empty()) {
        TRY(repo.set_config(fmt::format("remote.{}.url", kRemote), remote));
        TRY(repo.set_config(fmt::format("remote.{}.fetch", kRemote),
                            fmt::format("refs/heads/*:refs/remotes/{}/*", kRemote)));
    }
    return repo;
}

std::string writer_word(const std::string& text) {
    std::string word;
    for (unsigned char c : text) {
        if (std::isalnum(c)) {
            word.push_back(static_cast<char>(std::tolower(c)));
        } else if (!word.empty() && word.back() != '-') {
            word.push_back('-');
        }
        if (word.size() == 32) break;
    }
    while (!word.empty() && word.back() == '-') word.pop_back();
    return word.empty() ? "anonymous" : word;
}

}  // namespace cultivar
