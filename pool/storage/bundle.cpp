#include "pool/storage/bundle.h"

#include <algorithm>
#include <iterator>

#include "pool/storage/format_marker.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostParents = 4096;
constexpr std::size_t kMostBundles = 100'000;
constexpr std::size_t kMostCarried = 1'000'000;  // commits, by a chain
// Of the commits and trees that are read: an honest commit has a few hundred, but a pack holds a megabyte in a few.
constexpr std::size_t kMostBundleBytes = 64 << 20, kMostChainBytes = std::size_t{2} << 30;
constexpr const char* kLater = "is of a later format and needs a newer cultivar";

enum class Kind { before, candidate, journal, artifact, main, newer, other };

Result<Kind> kind_of(const Repo& repo, const Oid& tree) {
    if (tree == kEmptyTree) return Kind::before;
    TRY_ASSIGN(std::vector<TreeEntry> entries, repo.read_tree(tree));
    auto has = [&](const char* name) {
        return std::any_of(entries.begin(), entries.end(), [&](const TreeEntry& entry) { return entry.name == name; });
    };
    if (is_of_later_format(entries)) return Kind::newer;
    if (has("pool.toml")) return Kind::main;
    if (has("candidate.toml")) return Kind::candidate;
    if (has("seg")) return Kind::journal;
    return has("weights") ? Kind::artifact : Kind::other;
}

// Takes the objects that it reads from `left`, by their headers, before it reads them.
Result<Bundle> read_within(const Repo& repo, const Oid& commit, std::size_t& left) {
    auto take = [&](const Oid& object) -> Result<void> {
        TRY_ASSIGN(const std::size_t bytes, repo.object_bytes(object));
        if (bytes > left) return fail(Code::corrupt, "carries commits of too many bytes", "", Reason::too_large);
        left -= bytes;
        return {};
    };
    auto read = [&](const Oid& oid) -> Result<Commit> {
        TRY(take(oid));
        TRY_ASSIGN(Commit raw, repo.read_commit(oid));
        if (raw.tree != kEmptyTree) TRY(take(raw.tree));
        return raw;
    };
    TRY_ASSIGN(Commit raw, read(commit));
    if (raw.parents.size() > kMostParents) return fail(Code::corrupt, "carries too many commits");
    TRY_ASSIGN(Kind own, kind_of(repo, raw.tree));
    if (own == Kind::newer) return fail(Code::newer, kLater);
    Bundle bundle;
    bundle.of_archive = own == Kind::before;
    for (const Oid& parent : raw.parents) {
        TRY_ASSIGN(Commit carried, read(parent));
        TRY_ASSIGN(Kind kind, kind_of(repo, carried.tree));
        if (kind == Kind::newer) return fail(Code::newer, kLater);
        if (kind == Kind::before) bundle.before = parent;
        if (kind == Kind::main) bundle.main = parent;
        if (kind == Kind::candidate) bundle.candidates.push_back(parent);
        if (kind == Kind::journal) bundle.journals.push_back(parent);
        if (kind == Kind::artifact) bundle.artifacts.push_back(parent);
    }
    return bundle;
}

}  // namespace

Result<Bundle> read_bundle(const Repo& repo, const Oid& commit) {
    std::size_t left = kMostBundleBytes;
    return read_within(repo, commit, left);
}

Result<Oid> write_bundle(Repo& repo, const Bundle& bundle, const Oid& tree, const Identity& who,
                         const std::string& message, const Signer& signer) {
    Commit commit{tree, {}, who, message};
    for (const auto& first : {bundle.main, bundle.before}) {
        if (first) commit.parents.push_back(*first);
    }
    for (const auto* carried : {&bundle.journals, &bundle.candidates, &bundle.artifacts})
        std::copy(carried->begin(), carried->end(), std::back_inserter(commit.parents));
    return repo.write_commit(commit, &signer);
}

namespace {

Result<std::vector<Bundle>> read_chain(const Repo& repo, const Oid& tip, const Oid& until, bool of_archive) {
    std::vector<Bundle> bundles;
    std::size_t carried = 0, left = kMostChainBytes;
    for (std::optional<Oid> at = tip; at && *at != until;) {
        if (bundles.size() == kMostBundles) return fail(Code::corrupt, "is a chain that is too long");
        const std::size_t most = std::min(kMostBundleBytes, left);
        std::size_t rest = most;
        TRY_ASSIGN(Bundle bundle, read_within(repo, *at, rest));
        left -= most - rest;
        if (of_archive && !bundle.of_archive) return fail(Code::corrupt, "is no archive");
        if (!bundle.before && !until.empty()) return fail(Code::corrupt, "was rewound since it was last seen");
        carried += bundle.candidates.size() + bundle.journals.size() + bundle.artifacts.size();
        if (carried > kMostCarried) return fail(Code::corrupt, "carries too many commits");
        at = bundle.before;
        bundles.push_back(std::move(bundle));
    }
    std::reverse(bundles.begin(), bundles.end());
    return bundles;
}

}  // namespace

Result<std::vector<Bundle>> read_bundles(const Repo& repo, const Oid& tip, const Oid& until) {
    return read_chain(repo, tip, until, false);
}

Result<std::vector<Bundle>> read_archive(const Repo& repo, const Oid& tip, const Oid& until) {
    return read_chain(repo, tip, until, true);
}

}  // namespace cultivar
