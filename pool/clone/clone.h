// A clone of a pool on this machine: the repository, the task on main, this clone's key and name, and where its own
// state lies. State that is not in git lives under <git dir>/cultivar/:
//   key.pem       this clone's private key (0600)       spool.jsonl   records not yet committed (pool/clone/journal.h)
//   key.pub       the public key that signed last, for looking without the private one
//   index/        caches, may be deleted (pool/clone/own_index.h)   seen/   last seen tips of logs (pool/index/log_import.h)
//   data/         shards and byte table, or links to a command's data        run/          the run under way
//   data.json     those data when their digests were taken (cli/runs/data_links.h)
//   roots         the trust roots as last seen (pool/clone/trust_roots.h)
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/git/repository.h"
#include "pool/git/signing_key.h"
#include "pool/types/task.h"
#include "pool/util/file.h"
#include "pool/util/network_file_system.h"

namespace cultivar {

// A clone's name in journals: "name.machine.<8 hex of its key>".
struct WriterName {
    std::string name, machine;  // lower-case letters, digits and '-'
};
bool is_writer(std::string_view name);
// The end of a writer's name: the first 8 digits of its key's fingerprint. Two names of one person share the key.
std::string_view key_digits(std::string_view writer);

struct Clone {
    Repo repo;
    std::string state_dir;  // with a trailing '/'
    Key key;
    std::string writer;
    Oid main;  // the commit that `task` was read from
    Task task;
    std::string task_id;
    std::vector<std::string> notices{};  // lines to tell the user: another key than before
    std::optional<Error> not_ours{};     // why it may only be looked at: Repo::check_owner()
    std::string cache_dir{};             // with a trailing '/': where index and last seen tips are kept; "": state_dir
    std::shared_ptr<const void> scratch{};  // removes a temporary cache_dir or own_index_dir with its last copy
    std::string own_index_dir{};            // with a trailing '/': where the index is kept; "": in cached_dir()

    std::string data_dir() const { return state_dir + "data/"; }
    const std::string& cached_dir() const { return cache_dir.empty() ? state_dir : cache_dir; }
    const std::string& index_dir() const { return own_index_dir.empty() ? cached_dir() : own_index_dir; }
    std::string seen_dir() const { return cached_dir() + "seen/"; }
    std::string journal_ref() const { return "refs/heads/journal/" + writer; }
    std::string ledger_ref() const { return "refs/heads/ledger/" + writer; }
    Identity identity() const;  // of this writer, now
    // A file that the pool's command names, as it is on `main`; absent: not there. Errors: git, corrupt.
    Result<std::optional<std::string>> command_file(const std::string& path) const;

    // Changes main by an ordinary commit on top of `main`: the named files replaced, everything else kept. A work tree
    // is refreshed. Errors: busy, git.
    Result<void> commit_main(const std::vector<std::pair<std::string, std::string>>& files, const std::string& message);
    // Moves the local main and its files to the remote's, where that is ahead. Returns why it stays behind, or "": an
    // edit or a file of the user's is in the way, or the files cannot be written. The pool's main is the remote's anyway.
    Result<std::string> follow_main();
    // Reads the task again from main as it stands now.
    Result<void> reload_task();
};

inline constexpr const char* kRemote = "origin";
// Where a fetch from there leaves a ref: refs/heads/main in refs/remotes/origin/main.
std::string tracking_ref(const std::string& ref);
// Does this clone have a remote to pull from and push to?
Result<bool> has_remote(const Clone& clone);
// Git's configuration may name the user's own SSH key (its file; pool/git/signing_key.h), which then signs this clone's records. The
// key is part of the writer's name: with another key a clone is another writer.
inline constexpr const char* kSigningKey = "cultivar.signingKey";

// Told by the process that opened a clone to one that reads it in a sandbox, where the user's own files are closed.
struct HandedOver {
    std::string public_key, cache_dir, own_index_dir;  // as in Clone
};

// The pool that `folder` lies in. main is read from the local branch or the remote's, whichever is ahead; where the two
// have parted, from the remote's. Makes no key, and needs none that can sign: without one, a clone can be looked at. So
// it can where its state cannot be written (another user's, a read-only medium): index and tips are then temporary.
// One that belongs to another user (Clone::not_ours) may only be looked at: of its configuration, which could name
// programs to run and files to read, no key is taken. On a network file system the index is kept on a disk of this machine
// (pool/clone/local_index.h), which is told once; elsewhere as pool/clone/own_index.h says, or, where the user has no state
// folder, for the time being. Errors: not_found (hint: init), newer, usage, corrupt (a symbolic
// link in its state, other than data/).
Result<Clone> open_clone(const std::string& folder, const HandedOver* handed_over = nullptr,
                         const FileSystemKind& kind = network_file_system);

// The task of the pool that `folder` lies in, as open_clone() would read it; writes nothing. Errors: as open_clone().
Result<Task> read_task(const std::string& folder);

// The task that main says at this commit. Errors: not_found, newer, usage.
Result<Task> task_at(const Repo& repo, const Oid& main);

// A repository that becomes a clone: writes names, git's merge driver for candidates and a key of its own. `remote` may
// be "".
Result<Repo> create_clone(const std::string& folder, bool bare, const std::string& remote, const WriterName& who);

// "Jane Doe" -> "jane-doe"; "anonymous" when nothing is left.
std::string writer_word(const std::string& text);

}  // namespace cultivar
