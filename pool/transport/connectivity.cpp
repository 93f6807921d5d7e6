#include "pool/transport/connectivity.h"

#include <set>

#include <fmt/format.h>

#include "pool/git/libgit2_handle.h"

namespace cultivar {
namespace {

class ConnectivityCheck {
public:
    ConnectivityCheck(git_repository* repo, const std::function<void()>& heartbeat)
        : repo_(repo), heartbeat_(heartbeat) {}

    bool of(const std::vector<std::string>& tips) {
        Libgit2Handle<git_revwalk, git_revwalk_free> walk;
        if (git_revwalk_new(walk.out(), repo_) != 0 || git_repository_odb(odb_.out(), repo_) != 0) return false;
        for (const std::string& tip : tips) {
            git_oid oid;
            if (git_oid_fromstr(&oid, tip.c_str()) != 0 || git_revwalk_push(walk.get(), &oid) != 0) return false;
        }
        if (git_revwalk_hide_glob(walk.get(), "refs/*") != 0) return false;
        for (git_oid oid;;) {
            heartbeat_();
            const int rc = git_revwalk_next(&oid, walk.get());
            if (rc == GIT_ITEROVER) return true;
            Libgit2Handle<git_commit, git_commit_free> commit;
            if (rc != 0 || git_commit_lookup(commit.out(), repo_, &oid) != 0 ||
                !tree(*git_commit_tree_id(commit.get())))
                return false;
        }
    }

private:
    bool tree(const git_oid& oid) {
        if (!seen_.insert(std::string(reinterpret_cast<const char*>(oid.id), sizeof oid.id)).second) return true;
        Libgit2Handle<git_tree, git_tree_free> found;
        if (git_tree_lookup(found.out(), repo_, &oid) != 0) return false;
        for (std::size_t i = 0; i < git_tree_entrycount(found.get()); ++i) {
            const git_tree_entry* entry = git_tree_entry_byindex(found.get(), i);
            const git_object_t type = git_tree_entry_type(entry);
            if (type == GIT_OBJECT_TREE && !tree(*git_tree_entry_id(entry))) return false;
            if (type == GIT_OBJECT_BLOB && git_odb_exists(odb_.get(), git_tree_entry_id(entry)) != 1) return false;
        }
        return true;
    }

    git_repository* repo_;
    const std::function<void()>& heartbeat_;
    Libgit2Handle<git_odb, git_odb_free> odb_;
    std::set<std::string> seen_;  // trees, as bytes
};

}  // namespace

bool is_connected(git_repository* repo, const std::vector<std::string>& tips, const std::function<void()>& heartbeat) {
    return ConnectivityCheck(repo, heartbeat).of(tips);
}

tl::unexpected<Error> shallow_remote(const std::string& remote) {
    return fail(Code::git,
                fmt::format("'{}' is a shallow clone itself and lacks the pool's history: its keeper must fetch "
                            "the rest there",
                            remote),
                "git fetch --unshallow");
}

}  // namespace cultivar
