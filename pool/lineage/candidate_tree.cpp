#include "pool/lineage/candidate_tree.h"

#include <algorithm>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostRootEntries = 8;
constexpr std::size_t kMostFolderEntries = kMaxSourceFiles;

tl::unexpected<Error> wrong_tree(std::string what) { return fail(Code::corrupt, std::move(what)); }

// The files of a tree by their paths. Enters only folders that lead to a file that the candidate names.
class SourceWalk {
public:
    SourceWalk(const Repo& repo, const SourceFiles& named) : repo_(repo), named_(named) {}

    Result<void> walk(const Oid& tree, const std::string& folder) {
        TRY_ASSIGN(const std::vector<TreeEntry> entries, repo_.read_tree(tree, kMostFolderEntries));
        for (const TreeEntry& entry : entries) {
            const std::string path = folder + entry.name;
            if (entry.is_tree && leads_to_a_file(path + "/")) {
                TRY(walk(entry.oid, path + "/"));
                continue;
            }
            if (entry.is_tree || !named_.contains(path))
                return wrong_tree(fmt::format("'{}' is not named in {}", clean(path), kCandidateFile));
            if (!entry.plain_file)
                return wrong_tree(fmt::format("'{}' is no plain file: a link, a submodule or executable", clean(path)));
            found[path] = entry.oid;
        }
        return {};
    }

    std::map<std::string, Oid> found;

private:
    bool leads_to_a_file(const std::string& folder) const {
        const auto next = named_.lower_bound(folder);
        return next != named_.end() && next->first.starts_with(folder);
    }

    const Repo& repo_;
    const SourceFiles& named_;
};

Result<void> check_size(const Repo& repo, const Surface& surface, const std::map<std::string, Oid>& files) {
    std::size_t sum = 0;
    for (const auto& [path, oid] : files) {
        TRY_ASSIGN(const std::size_t bytes, repo.object_bytes(oid));
        sum += bytes;
        if (bytes > static_cast<std::size_t>(surface.max_bytes) || sum > static_cast<std::size_t>(surface.max_bytes))
            return wrong_tree(fmt::format("its files have over {} bytes", surface.max_bytes));
    }
    return {};
}

// Makes a tree of entries. Git sorts a folder as if its name ended with '/'.
using MakeTree = std::function<Result<Oid>(std::vector<TreeEntry>)>;

Result<Oid> tree_of(const std::map<std::string, Oid>& files, const MakeTree& make) {
    std::map<std::string, std::map<std::string, Oid>> folders;
    std::vector<TreeEntry> entries;
    for (const auto& [path, oid] : files) {
        const std::size_t slash = path.find('/');
        if (slash == std::string::npos)
            entries.push_back({path, oid, false, true});
        else
            folders[path.substr(0, slash)][path.substr(slash + 1)] = oid;
    }
    for (const auto& [name, below] : folders) {
        TRY_ASSIGN(const Oid oid, tree_of(below, make));
        entries.push_back({name, oid, true, false});
    }
    std::ranges::sort(entries, {}, [](const TreeEntry& entry) { return entry.name + (entry.is_tree ? "/" : ""); });
    return make(std::move(entries));
}

Result<Oid> candidate_tree(const Candidate& candidate, const Oid& toml, const SourceBlobs& blobs,
                           const MakeTree& make) {
    std::map<std::string, Oid> files = {{kCandidateFile, toml}};
    for (const auto& [path, sha256] : candidate.files)
        files[fmt::format("{}/{}", kSourceFolder, path)] = blobs.at(sha256);
    return tree_of(files, make);
}

}  // namespace

Result<Candidate> candidate_of_tree(const Repo& repo, const Space& space, const std::string& task_id, const Oid& tree) {
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(tree, kMostRootEntries));
    const bool has_files = entries.size() == 2 && entries[1].name == kSourceFolder && entries[1].is_tree;
    if (entries.empty() || entries[0].name != kCandidateFile || !entries[0].plain_file ||
        (entries.size() > 1 && !has_files))
        return wrong_tree(fmt::format("it holds something else than {} and its files", kCandidateFile));
    TRY_ASSIGN(const std::string toml, repo.read_blob(entries[0].oid, kMaxCandidateBytes));
    TRY_ASSIGN(Candidate candidate, parse_canonical(space, task_id, toml));
    if (has_files == candidate.files.empty())
        return wrong_tree(has_files ? fmt::format("it holds files that {} does not name", kCandidateFile)
                                    : fmt::format("it lacks the files that {} names", kCandidateFile));
    return candidate;
}

Result<SourceBlobs> check_source(const Repo& repo, const Surface& surface, const Candidate& candidate, const Oid& tree,
                                 const KnownObject& known) {
    TRY_ASSIGN(const std::vector<TreeEntry> entries, repo.read_tree(tree, kMostRootEntries));
    const auto folder = std::ranges::find(entries, kSourceFolder, &TreeEntry::name);
    if (folder == entries.end()) return wrong_tree(fmt::format("it lacks the files that {} names", kCandidateFile));
    SourceWalk walk(repo, candidate.files);
    TRY(walk.walk(folder->oid, ""));
    TRY(check_size(repo, surface, walk.found));
    SourceBlobs blobs;
    for (const auto& [path, sha256] : candidate.files) {
        const auto file = walk.found.find(path);
        if (file == walk.found.end()) return wrong_tree(fmt::format("it lacks '{}'", clean(path)));
        if (known) {
            TRY_ASSIGN(const std::optional<Oid> object, known(path, sha256));
            if (object == file->second) {
                blobs[sha256] = file->second;
                continue;
            }
        }
        TRY_ASSIGN(const std::string bytes, repo.read_blob(file->second, static_cast<std::size_t>(surface.max_bytes)));
        if (sha256_hex(bytes) != sha256)
            return wrong_tree(fmt::format("'{}' has another digest than it says", clean(path)));
        if (auto good = surface.check_bytes(path, bytes); !good) return wrong_tree(good.error().message);
        blobs[sha256] = file->second;
    }
    return blobs;
}

Oid name_of_candidate_tree(const Candidate& candidate, const SourceBlobs& blobs) {
    const auto name = [](const std::vector<TreeEntry>& entries) -> Result<Oid> { return Repo::name_of_tree(entries); };
    return *candidate_tree(candidate, Repo::name_of_blob(candidate.toml), blobs, name);
}

Result<Oid> write_candidate_tree(Repo& repo, const Candidate& candidate, const SourceBlobs& blobs) {
    TRY_ASSIGN(const Oid toml, repo.write_blob(candidate.toml));
    return candidate_tree(candidate, toml, blobs,
                          [&](const std::vector<TreeEntry>& entries) { return repo.write_tree(entries); });
}

}  // namespace cultivar
