// The local git repository: objects, refs and ancestry, by libgit2. Checks out nothing but main, and never talks to a
// remote (pool/transport does). Object names are 40 hex digits. Not thread-safe; one Repo a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/util/result.h"

struct git_repository;

namespace cultivar {

using Oid = std::string;

inline constexpr std::size_t kMaxCommitBytes = 1 << 20;

struct TreeEntry {
    std::string name;
    Oid oid;
    bool is_tree = false;
    bool plain_file = true;   // mode 100644: neither executable, nor a link, nor a submodule
    bool executable = false;  // mode 100755
};

struct Identity {
    std::string name, email;
    std::int64_t unix_s = 0;  // always written with +0000
};

struct Commit {
    Oid tree;
    std::vector<Oid> parents;
    Identity author;  // committer too
    std::string message;
};

struct Ref {
    std::string name;  // full
    Oid oid;
};

// Errors: usage (something lies there), io. An absent folder is as good as an empty one.
Result<void> require_empty_folder(const std::string& folder);

// Gives the armoured signature of a commit's bytes, as `gpgsig` holds it.
class Signer {
public:
    virtual ~Signer() = default;
    virtual Result<std::string> sign(std::string_view bytes) const = 0;
};

class Repo {
public:
    // The repository that `folder` lies in; for ".", the one that GIT_DIR names, if it is set. Shallow and partial
    // clones are refused with a hint, and so is a bare one that lies in another one's work tree, unless `folder` is it.
    // Errors: not_found, git.
    static Result<Repo> discover(const std::string& folder);
    // The repository that the environment names, as git sets it for a hook (GIT_DIR and where new objects lie until they
    // are accepted), else the one that `folder` lies in. Errors: as discover().
    static Result<Repo> from_environment(const std::string& folder);
    // A new repository in an empty or absent folder; `bare` keeps git from ever expecting files beside `.git`.
    static Result<Repo> create(const std::string& folder, bool bare);

    // Before anything of the repository is run or changed: does it belong to this user, or is it named by GIT_DIR or
    // safe.directory, as git wants it (pool/git/ownership.h)? Errors: git, with a hint.
    Result<void> check_owner() const;

    // Whether every object read is hashed again, in this process. Off at first: whatever came by a fetch was hashed when
    // it came.
    static void check_hashes(bool on);

    std::string git_dir() const;   // with a trailing '/'
    std::string work_dir() const;  // with a trailing '/', or "" when bare

    Result<std::optional<Oid>> ref(const std::string& name) const;
    Result<std::vector<Ref>> refs(const std::string& prefix) const;  // sorted by name
    // Compare and swap: `expected` is the value it must have now; "" = must not exist. Waits up to 5 s for another
    // process; a lock that a killed one left behind is removed. Errors: busy when it moved.
    Result<void> set_ref(const std::string& name, const Oid& oid, const Oid& expected);
    Result<void> delete_ref(const std::string& name);
    Result<void> set_head(const std::string& ref_name);
    Result<void> set_config(const std::string& key, const std::string& value);
    Result<std::optional<std::string>> config(const std::string& key) const;
    Result<void> unset_config(const std::string& key);  // absent is fine
    // Entries with this prefix ("cultivar-source."): full name and value.
    Result<std::vector<std::pair<std::string, std::string>>> config_section(const std::string& prefix) const;
    // Loose refs into one file: reading thousands of files is slow.
    Result<void> pack_refs();

    // The names that these would have, nothing written.
    static Oid name_of_blob(std::string_view bytes);
    static Oid name_of_tree(const std::vector<TreeEntry>& entries);  // plain files and folders, in git's order
    static Oid name_of_commit(const Commit& commit);                 // unsigned

    Result<Oid> write_blob(std::string_view bytes);
    Result<Oid> write_tree(const std::vector<TreeEntry>& entries);
    Result<Oid> write_commit(const Commit& commit, const Signer* signer = nullptr);

    // The size is read from the object's header first. Errors: corrupt over the limit (a tree may have 512 bytes an entry,
    // a commit kMaxCommitBytes), git when absent.
    Result<std::string> read_blob(const Oid& oid, std::size_t limit_bytes) const;
    Result<std::vector<TreeEntry>> read_tree(const Oid& oid, std::size_t limit_entries = 3000) const;
    Result<Commit> read_commit(const Oid& oid) const;
    // The armoured signature and the bytes it signs, or nothing for an unsigned commit.
    Result<std::optional<std::pair<std::string, std::string>>> signature(const Oid& commit) const;
    bool has_object(const Oid& oid) const;
    Result<std::size_t> object_bytes(const Oid& oid) const;  // from its header alone
    // Reads and hashes every object of at most `limit_bytes`, one at a time, and returns those that fail, with the
    // reason; the first 1,000. Errors: git (they cannot be listed).
    Result<std::vector<std::pair<Oid, std::string>>> damaged_objects(std::size_t limit_bytes) const;

    // A plain file of a commit by its path ("seeds/small.toml"); nothing when absent. Links: corrupt; executables
    // too, unless they are welcome.
    Result<std::optional<std::string>> file(const Oid& commit, const std::string& path, std::size_t limit_bytes,
                                            bool executable_too = false) const;

    Result<bool> descends(const Oid& commit, const Oid& ancestor) const;  // equal counts

    Result<bool> have_common_ancestor(const Oid& one, const Oid& other) const;

    // After main moved by our own commit, from `before` ("": there was none): writes the named files of main's tree beside
    // .git and stages them, and every other file that changed and that nobody edited. Nothing to do in a bare repository
    // or when another branch is checked out.
    Result<void> refresh_work_files(const Oid& before, const std::vector<std::string>& paths);
    // Can a work tree hold the files of this commit? Nowhere may a name be, or be taken for, '.git' or a way out of its
    // folder, as git itself refuses them. Errors: corrupt, with the path; git.
    Result<void> check_paths(const Oid& commit) const;
    // Moves main to a commit that descends from it, with its files beside .git, as `git merge --ff-only` would. False, and
    // nothing is moved, where somebody edited a file that changes, or where a file of theirs lies in its place that git
    // does not know: an ignored one too. Errors: as lay_out_main().
    Result<bool> fast_forward_main(const Oid& from, const Oid& to);
    // Writes the files of main, which somebody else wrote, into an empty work tree: links as plain files. Errors:
    // corrupt (more than 10,000 files or 64 MiB in all, or as check_paths(); nothing was written), git.
    Result<void> lay_out_main();

private:
    struct Free {
        void operator()(git_repository* repo) const;
    };
    static Result<Repo> open(const std::string& folder, unsigned flags);
    bool has_main_checked_out() const;
    struct Header;
    Result<Header> header(const Oid& name) const;
    Result<void> check_size(const Oid& name, std::size_t limit_bytes) const;

    std::unique_ptr<git_repository, Free> repo_;
    bool named_ = false;  // by GIT_DIR
};

}  // namespace cultivar
