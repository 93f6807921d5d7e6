#include "pool/git/repository.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include <git2.h>

#include "pool/git/libgit2_handle.h"
#include "pool/git/loose_objects.h"
#include "pool/git/ownership.h"
#include "pool/util/file.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

tl::unexpected<Error> git_fail(const std::string& what) {
    const char* unsaid = errno == ENOSPC || errno == EDQUOT ? std::strerror(errno) : "unknown error";
    const git_error* error = git_error_last();
    return fail(Code::git, fmt::format("{}: {}", what, error && error->message ? error->message : unsaid));
}

constexpr std::size_t kMaxEntryBytes = 512;  // of a tree: a mode, a name of at most 255 bytes, an object's name
constexpr std::size_t kObjectCacheBytes = 16 << 20;
constexpr std::size_t kPackWindowBytes = 8 << 20, kPackMappedBytes = 32 << 20;

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        git_libgit2_init();
        // Only the repository's own configuration counts: a pool's content must not depend on the user's settings.
        for (int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
            git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
        git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
        // Every object is read once: a large cache of them is only memory.
        git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(kObjectCacheBytes));
        git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, kPackWindowBytes);
        git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kPackMappedBytes);
        // Reading needs no owner: Repo::check_owner() comes before anything else.
        git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    });
}

constexpr auto kLockPoll = std::chrono::milliseconds(50);
constexpr int kLockTries = 100;

bool parse(const Oid& text, git_oid& oid) { return text.size() == 40 && git_oid_fromstr(&oid, text.c_str()) == 0; }

Oid hex(const git_oid* oid) {
    char text[41] = {};
    git_oid_tostr(text, sizeof text, oid);
    return text;
}

Result<void> refuse_incomplete(git_repository* repo) {
    if (git_repository_is_shallow(repo) == 1)
        return fail(Code::git, "this is a shallow clone; a pool needs its whole history", "git fetch --unshallow");
    Libgit2Handle<git_config, git_config_free> config;
    if (git_repository_config_snapshot(config.out(), repo) != 0) return git_fail("cannot read the configuration");
    auto is_promise = [](const git_config_entry* entry, void*) {
        std::string_view key(entry->name);
        return key == "extensions.partialclone" || (key.starts_with("remote.") && key.ends_with(".promisor")) ? 1 : 0;
    };
    if (git_config_foreach(config.get(), is_promise, nullptr) == 1)
        return fail(Code::git, "this is a partial clone; a pool needs every object", "cultivar clone URL");
    return {};
}

// A bare repository may lie among the files of a repository that somebody else filled, with a configuration of theirs.
Result<void> refuse_embedded(git_repository* repo) {
    if (git_repository_is_bare(repo) != 1) return {};
    std::string at = git_repository_path(repo);
    while (at.size() > 1 && at.back() == '/') at.pop_back();
    if (at.ends_with("/.git")) return {};
    const std::string above = std::filesystem::path(at).parent_path();
    git_repository* raw = nullptr;
    const int found = git_repository_open_ext(&raw, above.c_str(), 0, nullptr);
    const std::unique_ptr<git_repository, void (*)(git_repository*)> outer(raw, git_repository_free);
    if (found == GIT_ENOTFOUND || (found == 0 && git_repository_is_bare(raw) == 1)) return {};
    return fail(Code::git,
                fmt::format("'{}' is a bare repository among the files of another one, which may have brought it", at),
                "cultivar -C " + shell_word(at) + " COMMAND");
}

}  // namespace

void Repo::Free::operator()(git_repository* repo) const { git_repository_free(repo); }

void Repo::check_hashes(bool on) {
    start_library();
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, on ? 1 : 0);
}

Result<Repo> Repo::discover(const std::string& folder) {
    if (folder == ".") return from_environment(folder);
    TRY_ASSIGN(Repo repo, open(folder, 0));
    std::error_code ec;
    const bool itself = std::filesystem::equivalent(folder, repo.git_dir(), ec) && !ec;
    if (!itself) TRY(refuse_embedded(repo.repo_.get()));
    return repo;
}

Result<Repo> Repo::from_environment(const std::string& folder) {
    const bool named = std::getenv("GIT_DIR") != nullptr;
    TRY_ASSIGN(Repo repo, open(folder, named ? GIT_REPOSITORY_OPEN_FROM_ENV : 0));
    repo.named_ = named;
    if (!named) TRY(refuse_embedded(repo.repo_.get()));
    return repo;
}

Result<void> Repo::check_owner() const {
    if (named_) return {};
    std::error_code ec;
    const std::string work = work_dir(), link = work.empty() ? "" : work + ".git";
    const std::string own_dir = git_repository_path(repo_.get());  // of a linked work tree: another than git_dir()
    const bool linked = !link.empty() && std::filesystem::exists(std::filesystem::symlink_status(link, ec));
    if (is_own({git_dir(), own_dir, work, linked ? link : ""})) return {};
    std::string folder = work.empty() ? own_dir : work;
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    if (is_named_safe(folder)) return {};
    return fail(Code::git,
                fmt::format("'{}' belongs to another user; its configuration could run any program as you", folder),
                "git config --global --add safe.directory " + shell_word(folder));
}

Result<Repo> Repo::open(const std::string& folder, unsigned flags) {
    start_library();
    Repo repo;
    git_repository* raw = nullptr;
    // With a folder to start from, libgit2 would pass over GIT_DIR.
    const bool by_environment = (flags & GIT_REPOSITORY_OPEN_FROM_ENV) != 0;
    int rc = git_repository_open_ext(&raw, by_environment ? nullptr : folder.c_str(), flags, nullptr);
    repo.repo_.reset(raw);
    if (rc == GIT_ENOTFOUND) return fail(Code::not_found, fmt::format("no pool in '{}'", folder), "cultivar init DIR");
    if (rc != 0) {
        const git_error* error = git_error_last();
        std::string why = error && error->message ? error->message : "";
        if (why.find("extension") != std::string::npos)
            return fail(Code::git, fmt::format("'{}' is a partial clone or needs a newer git: {}", folder, why),
                        "cultivar clone URL");
        return git_fail(fmt::format("cannot open '{}'", folder));
    }
    TRY(refuse_incomplete(raw));
    TRY(read_loose_objects(raw));
    return repo;
}

Result<void> require_empty_folder(const std::string& folder) {
    std::error_code ec;
    const auto facts = std::filesystem::status(folder, ec);
    if (facts.type() == std::filesystem::file_type::not_found) return {};
    if (ec) return fail(Code::io, fmt::format("cannot look into '{}': {}", folder, ec.message()));
    if (!std::filesystem::is_directory(facts)) return fail(Code::usage, fmt::format("'{}' is not a folder", folder));
    const bool empty = std::filesystem::is_empty(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot look into '{}': {}", folder, ec.message()));
    return empty ? Result<void>() : fail(Code::usage, fmt::format("'{}' is not empty", folder));
}

Result<Repo> Repo::create(const std::string& folder, bool bare) {
    start_library();
    TRY(require_empty_folder(folder));
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message()));
    git_repository_init_options options;
    git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    options.flags = GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_NO_REINIT;
    options.initial_head = "main";
    Repo repo;
    git_repository* raw = nullptr;
    if (git_repository_init_ext(&raw, folder.c_str(), &options) != 0)
        return git_fail(fmt::format("cannot create a repository in '{}'", folder));
    repo.repo_.reset(raw);
    TRY(read_loose_objects(raw));
    if (!bare) return repo;
    TRY(repo.set_config("core.bare", "true"));
    return discover(folder + "/.git");
}

std::string Repo::git_dir() const { return git_repository_commondir(repo_.get()); }

std::string Repo::work_dir() const {
    const char* dir = git_repository_workdir(repo_.get());
    return dir ? dir : "";
}

Result<std::optional<Oid>> Repo::ref(const std::string& name) const {
    git_oid oid;
    int rc = git_reference_name_to_id(&oid, repo_.get(), name.c_str());
    if (rc == GIT_ENOTFOUND) return std::optional<Oid>();
    if (rc != 0) return git_fail(fmt::format("cannot read '{}'", name));
    return std::optional<Oid>(hex(&oid));
}

Result<std::vector<Ref>> Repo::refs(const std::string& prefix) const {
    Libgit2Handle<git_reference_iterator, git_reference_iterator_free> iterator;
    if (git_reference_iterator_glob_new(iterator.out(), repo_.get(), (prefix + "*").c_str()) != 0)
        return git_fail("cannot list refs");
    std::vector<Ref> found;
    for (;;) {
        Libgit2Handle<git_reference, git_reference_free> ref;
        int rc = git_reference_next(ref.out(), iterator.get());
        if (rc == GIT_ITEROVER) break;
        if (rc != 0) return git_fail("cannot list refs");
        if (const git_oid* oid = git_reference_target(ref.get()))
            found.push_back({git_reference_name(ref.get()), hex(oid)});
    }
    std::sort(found.begin(), found.end(), [](const Ref& a, const Ref& b) { return a.name < b.name; });
    return found;
}

Result<void> Repo::set_ref(const std::string& name, const Oid& oid, const Oid& expected) {
    git_oid to, from;
    if (!parse(oid, to)) return fail(Code::git, fmt::format("'{}' is no object name", oid));
    Libgit2Handle<git_reference, git_reference_free> ref;
    if (!expected.empty() && !parse(expected, from))
        return fail(Code::git, fmt::format("'{}' is no object name", expected));
    int rc = GIT_ELOCKED;
    for (int tries = 0; rc == GIT_ELOCKED && tries < kLockTries; ++tries) {
        if (tries > 0 && !remove_stale_lock(git_dir() + name + ".lock")) std::this_thread::sleep_for(kLockPoll);
        rc = expected.empty()
                 ? git_reference_create(ref.out(), repo_.get(), name.c_str(), &to, 0, "cultivar")
                 : git_reference_create_matching(ref.out(), repo_.get(), name.c_str(), &to, 1, &from, "cultivar");
    }
    if (rc == GIT_EMODIFIED || rc == GIT_EEXISTS || rc == GIT_ELOCKED) {
        TRY_ASSIGN(std::optional<Oid> now, this->ref(name));
        if (now == oid) return {};  // by another process, to the same end
        return fail(Code::busy, fmt::format("'{}' was moved by another process", name));
    }
    if (rc != 0) return git_fail(fmt::format("cannot move '{}'", name));
    return {};
}

Result<void> Repo::delete_ref(const std::string& name) {
    if (git_reference_remove(repo_.get(), name.c_str()) != 0) return git_fail(fmt::format("cannot delete '{}'", name));
    return {};
}

Result<void> Repo::set_head(const std::string& ref_name) {
    if (git_repository_set_head(repo_.get(), ref_name.c_str()) != 0) return git_fail("cannot set HEAD");
    return {};
}

Result<void> Repo::set_config(const std::string& key, const std::string& value) {
    Libgit2Handle<git_config, git_config_free> config;
    if (git_repository_config(config.out(), repo_.get()) != 0 ||
        git_config_set_string(config.get(), key.c_str(), value.c_str()) != 0)
        return git_fail(fmt::format("cannot set '{}'", key));
    return {};
}

Result<std::optional<std::string>> Repo::config(const std::string& key) const {
    Libgit2Handle<git_config, git_config_free> config;
    if (git_repository_config_snapshot(config.out(), repo_.get()) != 0)
        return git_fail("cannot read the configuration");
    const char* value = nullptr;
    int rc = git_config_get_string(&value, config.get(), key.c_str());
    if (rc == GIT_ENOTFOUND) return std::optional<std::string>();
    if (rc != 0) return git_fail(fmt::format("cannot read '{}'", key));
    return std::optional<std::string>(value);
}

Result<void> Repo::unset_config(const std::string& key) {
    Libgit2Handle<git_config, git_config_free> config;
    if (git_repository_config(config.out(), repo_.get()) != 0) return git_fail("cannot read the configuration");
    const int rc = git_config_delete_entry(config.get(), key.c_str());
    if (rc != 0 && rc != GIT_ENOTFOUND) return git_fail(fmt::format("cannot unset '{}'", key));
    return {};
}

Result<std::vector<std::pair<std::string, std::string>>> Repo::config_section(const std::string& prefix) const {
    Libgit2Handle<git_config, git_config_free> config;
    Libgit2Handle<git_config_iterator, git_config_iterator_free> iterator;
    if (git_repository_config_snapshot(config.out(), repo_.get()) != 0 ||
        git_config_iterator_new(iterator.out(), config.get()) != 0)
        return git_fail("cannot read the configuration");
    std::vector<std::pair<std::string, std::string>> found;
    git_config_entry* entry = nullptr;
    while (git_config_next(&entry, iterator.get()) == 0) {
        if (std::string_view(entry->name).starts_with(prefix))
            found.emplace_back(entry->name, entry->value ? entry->value : "");
    }
    return found;
}

Result<void> Repo::pack_refs() {
    Libgit2Handle<git_refdb, git_refdb_free> refs;
    if (git_repository_refdb(refs.out(), repo_.get()) != 0 || git_refdb_compress(refs.get()) != 0)
        return git_fail("cannot pack the refs");
    return {};
}

namespace {

Oid name_of(std::string_view bytes, git_object_t type) {
    git_oid oid{};
    (void)git_odb_hash(&oid, bytes.data(), bytes.size(), type);  // fails for unknown types alone
    return hex(&oid);
}

}  // namespace

Oid Repo::name_of_blob(std::string_view bytes) { return name_of(bytes, GIT_OBJECT_BLOB); }

Oid Repo::name_of_tree(const std::vector<TreeEntry>& entries) {
    std::string bytes;
    for (const TreeEntry& entry : entries) {
        git_oid oid{};
        (void)parse(entry.oid, oid);
        bytes += (entry.is_tree ? "40000 " : "100644 ") + entry.name + '\0';
        bytes.append(reinterpret_cast<const char*>(oid.id), GIT_OID_RAWSZ);
    }
    return name_of(bytes, GIT_OBJECT_TREE);
}

Oid Repo::name_of_commit(const Commit& commit) {
    std::string bytes = "tree " + commit.tree + "\n";
    for (const Oid& parent : commit.parents) bytes += "parent " + parent + "\n";
    for (const char* role : {"author", "committer"})
        bytes +=
            fmt::format("{} {} <{}> {} +0000\n", role, commit.author.name, commit.author.email, commit.author.unix_s);
    return name_of(bytes + "\n" + commit.message, GIT_OBJECT_COMMIT);
}

Result<Oid> Repo::write_blob(std::string_view bytes) {
    git_oid oid;
    if (git_blob_create_from_buffer(&oid, repo_.get(), bytes.data(), bytes.size()) != 0)
        return git_fail("cannot write an object");
    return hex(&oid);
}

Result<Oid> Repo::write_tree(const std::vector<TreeEntry>& entries) {
    Libgit2Handle<git_treebuilder, git_treebuilder_free> builder;
    if (git_treebuilder_new(builder.out(), repo_.get(), nullptr) != 0) return git_fail("cannot write a tree");
    for (const TreeEntry& entry : entries) {
        git_oid oid;
        auto mode = entry.is_tree      ? GIT_FILEMODE_TREE
                    : entry.executable ? GIT_FILEMODE_BLOB_EXECUTABLE
                                       : GIT_FILEMODE_BLOB;
        if (!parse(entry.oid, oid) ||
            git_treebuilder_insert(nullptr, builder.get(), entry.name.c_str(), &oid, mode) != 0)
            return git_fail("cannot write a tree");
    }
    git_oid oid;
    if (git_treebuilder_write(&oid, builder.get()) != 0) return git_fail("cannot write a tree");
    return hex(&oid);
}

Result<Oid> Repo::write_commit(const Commit& commit, const Signer* signer) {
    Libgit2Handle<git_signature, git_signature_free> who;
    if (git_signature_new(who.out(), commit.author.name.c_str(), commit.author.email.c_str(), commit.author.unix_s,
                          0) != 0)
        return git_fail("cannot write a commit");
    git_oid oid;
    if (!parse(commit.tree, oid)) return fail(Code::git, "a commit without a tree");
    Libgit2Handle<git_tree, git_tree_free> tree;
    if (git_tree_lookup(tree.out(), repo_.get(), &oid) != 0) return git_fail("cannot read a tree");
    std::vector<git_commit*> raw;
    std::vector<std::unique_ptr<git_commit, void (*)(git_commit*)>> parents;
    for (const Oid& parent : commit.parents) {
        git_commit* found = nullptr;
        if (!parse(parent, oid) || git_commit_lookup(&found, repo_.get(), &oid) != 0)
            return git_fail(fmt::format("cannot read commit {}", parent));
        parents.emplace_back(found, git_commit_free);
        raw.push_back(found);
    }
    Buffer bytes;
    if (git_commit_create_buffer(&bytes.buf, repo_.get(), who.get(), who.get(), nullptr, commit.message.c_str(),
                                 tree.get(), raw.size(), const_cast<const git_commit**>(raw.data())) != 0)
        return git_fail("cannot write a commit");
    std::string armoured;
    if (signer) {
        TRY_ASSIGN(armoured, signer->sign(bytes.text()));
    }
    if (git_commit_create_with_signature(&oid, repo_.get(), bytes.text().c_str(), signer ? armoured.c_str() : nullptr,
                                         "gpgsig") != 0)
        return git_fail("cannot write a commit");
    return hex(&oid);
}

// An object's type and size, without its content.
struct Repo::Header {
    git_oid oid{};
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
};

Result<Repo::Header> Repo::header(const Oid& name) const {
    Header found;
    Libgit2Handle<git_odb, git_odb_free> odb;
    if (!parse(name, found.oid) || git_repository_odb(odb.out(), repo_.get()) != 0 ||
        git_odb_read_header(&found.size, &found.type, odb.get(), &found.oid) != 0)
        return git_fail(fmt::format("cannot read object {}", name));
    return found;
}

Result<void> Repo::check_size(const Oid& name, std::size_t limit_bytes) const {
    TRY_ASSIGN(const Header found, header(name));
    if (found.size <= limit_bytes) return {};
    return fail(Code::corrupt,
                fmt::format("object {} has {} bytes, more than the {} allowed", name, found.size, limit_bytes), "",
                Reason::too_large);
}

Result<std::string> Repo::read_blob(const Oid& name, std::size_t limit_bytes) const {
    TRY_ASSIGN(const Header found, header(name));
    if (found.type != GIT_OBJECT_BLOB) return fail(Code::corrupt, fmt::format("object {} is not a file", name));
    TRY(check_size(name, limit_bytes));
    Libgit2Handle<git_blob, git_blob_free> blob;
    if (git_blob_lookup(blob.out(), repo_.get(), &found.oid) != 0)
        return git_fail(fmt::format("cannot read object {}", name));
    auto* data = static_cast<const char*>(git_blob_rawcontent(blob.get()));
    return std::string(data, static_cast<std::size_t>(git_blob_rawsize(blob.get())));
}

Result<std::vector<TreeEntry>> Repo::read_tree(const Oid& name, std::size_t limit_entries) const {
    git_oid oid;
    TRY(check_size(name, limit_entries * kMaxEntryBytes));
    Libgit2Handle<git_tree, git_tree_free> tree;
    if (!parse(name, oid) || git_tree_lookup(tree.out(), repo_.get(), &oid) != 0)
        return git_fail(fmt::format("cannot read tree {}", name));
    std::size_t count = git_tree_entrycount(tree.get());
    if (count > limit_entries) return fail(Code::corrupt, fmt::format("tree {} has {} entries", name, count));
    std::vector<TreeEntry> entries;
    for (std::size_t i = 0; i < count; ++i) {
        const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
        auto mode = git_tree_entry_filemode_raw(entry);
        entries.push_back({git_tree_entry_name(entry), hex(git_tree_entry_id(entry)), mode == GIT_FILEMODE_TREE,
                           mode == GIT_FILEMODE_BLOB, mode == GIT_FILEMODE_BLOB_EXECUTABLE});
    }
    return entries;
}

Result<Commit> Repo::read_commit(const Oid& name) const {
    git_oid oid;
    TRY(check_size(name, kMaxCommitBytes));
    Libgit2Handle<git_commit, git_commit_free> commit;
    if (!parse(name, oid) || git_commit_lookup(commit.out(), repo_.get(), &oid) != 0)
        return git_fail(fmt::format("cannot read commit {}", name));
    Commit out;
    out.tree = hex(git_commit_tree_id(commit.get()));
    for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i)
        out.parents.push_back(hex(git_commit_parent_id(commit.get(), i)));
    const git_signature* author = git_commit_author(commit.get());
    out.author = {author->name, author->email, author->when.time};
    out.message = git_commit_message_raw(commit.get());
    return out;
}

Result<std::optional<std::pair<std::string, std::string>>> Repo::signature(const Oid& name) const {
    using Found = std::optional<std::pair<std::string, std::string>>;
    git_oid oid;
    if (!parse(name, oid)) return fail(Code::git, fmt::format("'{}' is no object name", name));
    TRY(check_size(name, kMaxCommitBytes));
    Buffer armoured, bytes;
    int rc = git_commit_extract_signature(&armoured.buf, &bytes.buf, repo_.get(), &oid, "gpgsig");
    if (rc == GIT_ENOTFOUND) return Found();
    if (rc != 0) return git_fail(fmt::format("cannot read commit {}", name));
    return Found(std::pair(armoured.text(), bytes.text()));
}

Result<std::size_t> Repo::object_bytes(const Oid& name) const {
    TRY_ASSIGN(const Header found, header(name));
    return found.size;
}

Result<std::vector<std::pair<Oid, std::string>>> Repo::damaged_objects(std::size_t limit_bytes) const {
    constexpr std::size_t kMost = 1000;
    Libgit2Handle<git_odb, git_odb_free> odb;
    if (git_repository_odb(odb.out(), repo_.get()) != 0) return git_fail("cannot list the objects");
    std::vector<git_oid> all;
    auto list = [](const git_oid* oid, void* into) {
        static_cast<std::vector<git_oid>*>(into)->push_back(*oid);
        return 0;
    };
    if (git_odb_foreach(odb.get(), list, &all) != 0) return git_fail("cannot list the objects");
    std::vector<std::pair<Oid, std::string>> damaged;
    for (const git_oid& oid : all) {
        if (damaged.size() == kMost) break;
        std::size_t size = 0;
        git_object_t type = GIT_OBJECT_INVALID;
        bool good = git_odb_read_header(&size, &type, odb.get(), &oid) == 0;
        if (good && size > limit_bytes) continue;
        Libgit2Handle<git_odb_object, git_odb_object_free> object;
        good = good && git_odb_read(object.out(), odb.get(), &oid) == 0;
        git_oid hash{};
        if (good) {
            good = git_odb_hash(&hash, git_odb_object_data(object.get()), git_odb_object_size(object.get()),
                                git_odb_object_type(object.get())) == 0 &&
                   git_oid_equal(&hash, &oid) == 1;
            if (!good) damaged.emplace_back(hex(&oid), "its bytes do not hash to its name");
            continue;
        }
        const git_error* error = git_error_last();
        damaged.emplace_back(hex(&oid), error && error->message ? error->message : "it cannot be read");
    }
    return damaged;
}

bool Repo::has_object(const Oid& name) const {
    git_oid oid;
    Libgit2Handle<git_odb, git_odb_free> odb;
    return parse(name, oid) && git_repository_odb(odb.out(), repo_.get()) == 0 && git_odb_exists(odb.get(), &oid) == 1;
}

Result<std::optional<std::string>> Repo::file(const Oid& commit, const std::string& path, std::size_t limit_bytes,
                                              bool executable_too) const {
    TRY_ASSIGN(Commit at, read_commit(commit));
    Oid tree = at.tree;
    for (std::size_t begin = 0;;) {
        std::size_t slash = path.find('/', begin);
        std::string part = path.substr(begin, slash == std::string::npos ? slash : slash - begin);
        TRY_ASSIGN(std::vector<TreeEntry> entries, read_tree(tree));
        auto found = std::find_if(entries.begin(), entries.end(), [&](const TreeEntry& e) { return e.name == part; });
        if (found == entries.end()) return std::optional<std::string>();
        if (slash == std::string::npos) {
            if (!found->plain_file && !(executable_too && found->executable))
                return fail(Code::corrupt, fmt::format("'{}' is not a plain file", path));
            TRY_ASSIGN(std::string bytes, read_blob(found->oid, limit_bytes));
            return std::optional<std::string>(std::move(bytes));
        }
        if (!found->is_tree) return std::optional<std::string>();
        tree = found->oid;
        begin = slash + 1;
    }
}

Result<bool> Repo::descends(const Oid& commit, const Oid& ancestor) const {
    if (commit == ancestor) return true;
    git_oid one, two;
    if (!parse(commit, one) || !parse(ancestor, two)) return fail(Code::git, "not an object name");
    int rc = git_graph_descendant_of(repo_.get(), &one, &two);
    if (rc < 0) return git_fail("cannot walk the history");
    return rc == 1;
}

Result<bool> Repo::have_common_ancestor(const Oid& one, const Oid& other) const {
    git_oid a, b, base;
    if (!parse(one, a) || !parse(other, b)) return fail(Code::git, "not an object name");
    const int rc = git_merge_base(&base, repo_.get(), &a, &b);
    if (rc != 0 && rc != GIT_ENOTFOUND) return git_fail("cannot walk the history");
    return rc == 0;
}

namespace {

constexpr std::size_t kMostLaidOut = 10'000, kMostLaidOut_bytes = std::size_t{64} << 20;
constexpr int kMostFolders = 32;  // one within another

// As file systems see a name that leave out some characters (HFS+), or its case and end (NTFS).
std::string as_file_systems_see(std::string_view name) {
    std::string plain;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const std::string_view three = name.substr(i, 3);
        const bool is_left_out = (three.size() == 3 && three[0] == '\xe2' &&
                                  ((three[1] == '\x80' && ((three[2] >= '\x8c' && three[2] <= '\x8f') ||
                                                           (three[2] >= '\xaa' && three[2] <= '\xae'))) ||
                                   (three[1] == '\x81' && three[2] >= '\xaa' && three[2] <= '\xaf'))) ||
                                 three == "\xef\xbb\xbf";
        if (is_left_out)
            i += 2;
        else
            plain += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
    }
    plain.resize(std::min(plain.find(':'), plain.size()));
    while (!plain.empty() && (plain.back() == ' ' || plain.back() == '.')) plain.pop_back();
    return plain;
}

bool is_plain_name(std::string_view name) {
    constexpr std::size_t kMaxName_bytes = 255;
    if (name.empty() || name.size() > kMaxName_bytes || name == "." || name == "..") return false;
    if (name.find_first_of(std::string_view("/\\\0", 3)) != std::string_view::npos) return false;
    const std::string seen = as_file_systems_see(name);
    return seen != ".git" && seen != "git~1";
}

// The rest of it for a tree; sizes come from objects' headers.
struct Room {
    std::size_t files, bytes;
};

Result<void> fit(const Repo& repo, const Oid& tree, Room& room, int depth) {
    const auto too_much = [] { return fail(Code::corrupt, "main holds more files than a pool has"); };
    if (depth > kMostFolders) return too_much();
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(tree));
    for (const TreeEntry& entry : entries) {
        if (room.files-- == 0) return too_much();
        if (!is_plain_name(entry.name))
            return fail(Code::corrupt, fmt::format("main holds '{}', which no work tree can hold", entry.name));
        if (entry.is_tree) {
            TRY(fit(repo, entry.oid, room, depth + 1));
        } else if (repo.has_object(entry.oid)) {  // not so of a submodule
            TRY_ASSIGN(const std::size_t bytes, repo.object_bytes(entry.oid));
            if (bytes > room.bytes) return too_much();
            room.bytes -= bytes;
        }
    }
    return {};
}

// Names alone; more than fits is no matter of names.
Result<void> check_names(const Repo& repo, const Oid& tree, const std::string& above, std::size_t& files, int depth) {
    if (depth > kMostFolders) return {};
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(tree));
    for (const TreeEntry& entry : entries) {
        if (files++ == kMostLaidOut) return {};
        if (!is_plain_name(entry.name))
            return fail(Code::corrupt,
                        fmt::format("main holds '{}{}', which no work tree can hold", above, entry.name));
        if (entry.is_tree) TRY(check_names(repo, entry.oid, above + entry.name + "/", files, depth + 1));
    }
    return {};
}

constexpr unsigned kOverwriteNothing = GIT_CHECKOUT_SAFE | GIT_CHECKOUT_DONT_OVERWRITE_IGNORED;

git_checkout_options checkout_options(unsigned strategy) {
    git_checkout_options options;
    git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
    options.checkout_strategy = strategy;
    return options;
}

}  // namespace

bool Repo::has_main_checked_out() const {
    if (work_dir().empty()) return false;
    Libgit2Handle<git_reference, git_reference_free> head;
    return git_repository_head(head.out(), repo_.get()) == 0 &&
           std::string_view(git_reference_name(head.get())) == "refs/heads/main";
}

Result<void> Repo::refresh_work_files(const Oid& before, const std::vector<std::string>& paths) {
    if (!has_main_checked_out()) return {};
    if (!before.empty()) {
        git_oid oid;
        Libgit2Handle<git_object, git_object_free> old, tree;
        if (!parse(before, oid) || git_object_lookup(old.out(), repo_.get(), &oid, GIT_OBJECT_COMMIT) != 0 ||
            git_object_peel(tree.out(), old.get(), GIT_OBJECT_TREE) != 0)
            return git_fail(fmt::format("cannot read commit {}", before));
        git_checkout_options options = checkout_options(kOverwriteNothing | GIT_CHECKOUT_ALLOW_CONFLICTS);
        options.baseline = reinterpret_cast<git_tree*>(tree.get());
        if (git_checkout_head(repo_.get(), &options) != 0) return git_fail("cannot write the pool's files");
    }
    git_checkout_options options = checkout_options(GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DISABLE_PATHSPEC_MATCH);
    std::vector<char*> raw;
    for (const std::string& path : paths) raw.push_back(const_cast<char*>(path.c_str()));
    options.paths = {raw.data(), raw.size()};
    if (git_checkout_head(repo_.get(), &options) != 0) return git_fail("cannot write the pool's files");
    return {};
}

Result<void> Repo::check_paths(const Oid& commit) const {
    TRY_ASSIGN(const Commit at, read_commit(commit));
    std::size_t files = 0;
    return check_names(*this, at.tree, "", files, 0);
}

Result<bool> Repo::fast_forward_main(const Oid& from, const Oid& to) {
    if (has_main_checked_out()) {
        git_oid oid;
        Libgit2Handle<git_object, git_object_free> target;
        if (!parse(to, oid) || git_object_lookup(target.out(), repo_.get(), &oid, GIT_OBJECT_COMMIT) != 0)
            return git_fail(fmt::format("cannot read commit {}", to));
        TRY_ASSIGN(const Commit commit, read_commit(to));
        Room room{kMostLaidOut, kMostLaidOut_bytes};
        TRY(fit(*this, commit.tree, room, 0));
        const git_checkout_options options = checkout_options(kOverwriteNothing);
        const int rc = git_checkout_tree(repo_.get(), target.get(), &options);
        if (rc == GIT_ECONFLICT) return false;
        if (rc != 0) return git_fail("cannot write the pool's files");
    }
    TRY(set_ref("refs/heads/main", to, from));
    return true;
}

Result<void> Repo::lay_out_main() {
    TRY_ASSIGN(const std::optional<Oid> main, ref("refs/heads/main"));
    if (!main || !has_main_checked_out()) return {};
    TRY_ASSIGN(const Commit commit, read_commit(*main));
    Room room{kMostLaidOut, kMostLaidOut_bytes};
    TRY(fit(*this, commit.tree, room, 0));
    TRY(set_config("core.symlinks", "false"));
    const git_checkout_options options = checkout_options(kOverwriteNothing | GIT_CHECKOUT_RECREATE_MISSING);
    if (git_checkout_head(repo_.get(), &options) != 0) return git_fail("cannot write the pool's files");
    return {};
}

}  // namespace cultivar
