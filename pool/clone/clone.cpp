#include "pool/clone/clone.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include "pool/clone/command_files.h"
#include "pool/clone/local_index.h"
#include "pool/clone/own_index.h"
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
    TRY(repo.set_config("merge.cultivar-source.name", "source files of candidates"));
    TRY(repo.set_config("merge.cultivar-source.driver", "cultivar merge-driver --source %O %A %B %P"));
    const std::string folder = repo.git_dir() + "info";
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message()));
    return write_file_atomically(folder + "/attributes",
                                 "candidate.toml merge=cultivar\nfiles/** merge=cultivar-source\n");
}

// --- Identity ---------------------------------------------------------------------------------------------------------

constexpr std::size_t kMaxKeyText = 4096;
constexpr const char* kUnknownKey = "00000000";

std::string public_path(const std::string& state_dir) { return state_dir + "key.pub"; }

// The key that git's configuration names, else the clone's own.
Result<Key> present_key(const Repo& repo, const std::string& state_dir) {
    TRY_ASSIGN(std::optional<std::string> users, repo.config(kSigningKey));
    if (users && !users->empty()) return Key::of_user(*users);
    const std::string path = state_dir + "key.pem";
    auto own = Key::load(path);
    if (!own && own.error().code == Code::not_found)
        return fail(Code::not_found, fmt::format("this clone has no key to sign with: there is no '{}'", path),
                    "cultivar clone URL DIR");
    return own;
}

// The clone's key. Where it cannot be had, the public key of the last time stands in for it: a look needs no more.
Result<Key> identity_key(const Repo& repo, const std::string& state_dir, std::vector<std::string>& notices) {
    auto key = present_key(repo, state_dir);
    auto told = read_file(public_path(state_dir), kMaxKeyText);
    const bool is_known = told.has_value() || told.error().code == Code::not_found;
    std::string before = told ? told->substr(0, told->find('\n')) : "";
    if (!key) {
        auto public_only = Key::without_private(before, key.error());
        return public_only ? public_only : Key::without_private("", key.error());
    }
    const std::string now = key->public_text();
    if (before == now || !is_known) return key;
    if (!before.empty())
        notices.push_back(fmt::format(
            "this clone signs with another key than before, and is another writer to everybody: it was '{}' "
            "and is '{}' now",
            before, now));
    // Where it cannot be kept, the next one is told again.
    (void)write_file_atomically(public_path(state_dir), now + "\n");
    return key;
}

// Of a new clone.
Result<void> make_key(const std::string& state_dir) {
    std::error_code ec;
    std::filesystem::create_directories(state_dir, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", state_dir, ec.message()));
    TRY_ASSIGN(const Key key, Key::create(state_dir + "key.pem"));
    return write_file_atomically(public_path(state_dir), key.public_text() + "\n");
}

Result<Key> key_of_another(const std::string& state_dir, const Error& why) {
    auto told = read_file(public_path(state_dir), kMaxKeyText);
    auto key = Key::without_private(told ? told->substr(0, told->find('\n')) : "", why);
    return key ? key : Key::without_private("", why);
}

Result<Key> key_from(const HandedOver& handed_over) {
    return Key::without_private(handed_over.public_key, {Code::usage, "a reader of the pool signs nothing", ""});
}

// --- A state folder that somebody else made --------------------------------------------------------------------------

// Cultivar lays no links there. In a folder of somebody else's making they would turn what it writes and deletes to
// other places; `data` alone may be one, since many clones may share their data.
Result<void> check_links(const std::string& state_dir) {
    namespace fs = std::filesystem;
    std::vector<fs::path> folders = {state_dir};
    for (std::size_t i = 0; i < folders.size(); ++i) {
        std::error_code ec;
        for (fs::directory_iterator at(folders[i], ec), end; !ec && at != end; at.increment(ec)) {
            const fs::path& path = at->path();
            const bool is_link = at->is_symlink(ec);
            if (i == 0 && !is_link && path.filename().string().starts_with("run")) folders.push_back(path);
            if (!is_link || path == state_dir + "data") continue;
            return fail(Code::corrupt,
                        fmt::format("'{}' is a symbolic link, and cultivar lays none there", path.string()),
                        fmt::format("rm {}", shell_word(path.string())));
        }
    }
    return {};
}

// --- A clone that cannot be written -----------------------------------------------------------------------------------

struct Cache {
    std::string dir;
    std::shared_ptr<const void> scratch;
};

// Files that root writes into another user's clone are closed to that user.
bool is_anothers(const std::string& folder) {
    struct stat facts {};
    return ::geteuid() == 0 && ::stat(folder.c_str(), &facts) == 0 && facts.st_uid != 0;
}

// Has the disk no room for the files that SQLite makes beside an index?
bool is_full(const std::string& folder) {
    constexpr std::uint64_t kLeast_bytes = 512 << 10;
    struct statvfs room {};
    return ::statvfs(folder.c_str(), &room) == 0 &&
           (room.f_bavail * room.f_frsize < kLeast_bytes || (room.f_files > 0 && room.f_favail == 0));
}

// The reason, or "".
std::string why_not_writable(const Repo& repo, bool ours, const std::string& state_dir) {
    if (!ours || is_anothers(repo.git_dir())) return "it belongs to another user";
    std::error_code ec;
    std::filesystem::create_directories(state_dir, ec);
    if (ec) return ec.message();
    for (const std::string& path : {state_dir, state_dir + "index", state_dir + "seen"}) {
        if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0 && errno != ENOENT) return std::strerror(errno);
    }
    if (is_full(state_dir)) return "its disk is full";
    if (!has_posix_locks(state_dir)) return "its file system has no locks";
    return "";
}

Result<Cache> temporary_folder() {
    namespace fs = std::filesystem;
    std::error_code ec;
    std::string folder = fs::temp_directory_path(ec) / "cultivar-look-XXXXXX";
    if (ec || !::mkdtemp(folder.data())) return fail(Code::io, "cannot make a temporary folder for an index");
    return Cache{folder + "/", std::shared_ptr<const void>(nullptr, [folder](const void*) {
                     std::error_code ignored;
                     fs::remove_all(folder, ignored);
                 })};
}

// With the last seen tips and roots, which a look must not forget.
Result<Cache> temporary_cache(const std::string& state_dir) {
    namespace fs = std::filesystem;
    std::error_code ec;
    TRY_ASSIGN(Cache cache, temporary_folder());
    if (fs::exists(state_dir + "seen", ec)) fs::copy(state_dir + "seen", cache.dir + "seen", ec);
    if (ec) return fail(Code::io, fmt::format("cannot read '{}seen': {}", state_dir, ec.message()));
    return cache;
}

// The folder of an index on this machine's own disk, or "" where there is none.
std::string index_beside(const Repo& repo, const std::string& network, const FileSystemKind& kind,
                         std::vector<std::string>& notices) {
    const std::optional<LocalIndex> local = local_index(repo.git_dir(), kind);
    if (!local)
        notices.push_back(
            fmt::format("this clone lies on {}, and no folder for its index on a disk of this machine", network));
    else if (local->is_new)
        notices.push_back(fmt::format("this clone lies on {}: its index is kept in '{}'", network, local->folder));
    return local ? local->folder : "";
}

// The folder of this user's index in the clone; where the user can keep no secret, one that `scratch` removes.
Result<std::string> index_within(const Repo& repo, const std::string& state_dir, std::shared_ptr<const void>& scratch,
                                 std::vector<std::string>& notices) {
    auto own = own_index(state_dir, repo.git_dir());
    if (own) return own;
    TRY_ASSIGN(Cache temporary, temporary_folder());
    notices.push_back(fmt::format("the index is temporary: {}", own.error().message));
    scratch = std::move(temporary.scratch);
    return temporary.dir;
}

// "name.machine." and the first digits of the key. Where the key is unknown, those of the only journal of that name here.
Result<std::string> writer_of(const Repo& repo, const Key& key) {
    TRY_ASSIGN(std::optional<std::string> name, repo.config("cultivar.name"));
    TRY_ASSIGN(std::optional<std::string> machine, repo.config("cultivar.machine"));
    const std::string who = fmt::format("{}.{}.", writer_word(name.value_or("")), writer_word(machine.value_or("")));
    if (!key.fingerprint().empty()) return who + key.fingerprint().substr(0, 8);
    TRY_ASSIGN(std::vector<Ref> journals, repo.refs("refs/heads/journal/" + who));
    return journals.size() == 1 ? journals[0].name.substr(std::string_view("refs/heads/journal/").size())
                                : who + kUnknownKey;
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
    return repo.refresh_work_files(local.value_or(""), paths);
}

Result<std::string> Clone::follow_main() {
    TRY_ASSIGN(std::optional<Oid> local, repo.ref("refs/heads/main"));
    TRY_ASSIGN(std::optional<Oid> theirs, repo.ref(tracking_ref("refs/heads/main")));
    if (!local || !theirs || *local == *theirs) return std::string();
    TRY_ASSIGN(const bool behind, repo.descends(*theirs, *local));
    if (!behind) return std::string();
    auto moved = repo.fast_forward_main(*local, *theirs);
    if (!moved) return "its files are not written here: " + moved.error().message;
    return *moved ? std::string()
                  : "its files are not written here: a file of yours is in the way; 'git merge --ff-only origin/main' "
                    "names it";
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
    if (task.command) TRY(take_command_files(repo, main, *task.command));
    task.share_surface();
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

Result<Clone> open_clone(const std::string& folder, const HandedOver* handed_over, const FileSystemKind& kind) {
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    TRY_ASSIGN(Oid main, effective_main(repo));
    TRY_ASSIGN(Task task, task_at(repo, main));  // before anything is written: it may be somebody's other repository
    std::string state_dir = repo.git_dir() + "cultivar/";
    std::vector<std::string> notices;
    std::string own_index_dir = handed_over ? handed_over->own_index_dir : "";
    Cache cache;
    if (!handed_over) TRY(check_links(state_dir));  // a reader in a sandbox may not list it, and writes by rules
    std::optional<Error> not_ours;
    if (auto owned = handed_over ? Result<void>() : repo.check_owner(); !owned) not_ours = owned.error();
    if (handed_over) {
        cache.dir = handed_over->cache_dir;
    } else if (const std::string why = why_not_writable(repo, !not_ours, state_dir); !why.empty()) {
        TRY_ASSIGN(cache, temporary_cache(state_dir));
        notices.push_back(
            fmt::format("this clone cannot be written ({}): it is looked at with a temporary index", why));
    } else {
        const std::string network = kind(state_dir);
        if (!network.empty()) own_index_dir = index_beside(repo, network, kind, notices);
        if (own_index_dir.empty()) {
            TRY_ASSIGN(own_index_dir, index_within(repo, state_dir, cache.scratch, notices));
        }
    }
    TRY_ASSIGN(Key key, handed_over ? key_from(*handed_over)
                        : not_ours  ? key_of_another(state_dir, *not_ours)
                                    : identity_key(repo, state_dir, notices));
    TRY_ASSIGN(std::string writer, writer_of(repo, key));
    std::string id = task.id();
    return Clone{std::move(repo),      std::move(state_dir),     std::move(key),
                 std::move(writer),    std::move(main),          std::move(task),
                 std::move(id),        std::move(notices),       std::move(not_ours),
                 std::move(cache.dir), std::move(cache.scratch), std::move(own_index_dir)};
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
    TRY(make_key(repo.git_dir() + "cultivar/"));
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
