#include "pool/integrity/push_size.h"

#include <fmt/format.h>

#include "pool/storage/artifact_commit.h"
#include "pool/storage/bundle.h"
#include "pool/storage/segment_log.h"

namespace cultivar {
namespace {

Result<std::int64_t> bytes_of_log(const Repo& repo, const Oid& before, const Oid& after) {
    std::size_t known = 0;
    if (!before.empty()) {
        TRY_ASSIGN(known, log_size(repo, before));
    }
    TRY_ASSIGN(const OpenLog log, OpenLog::open(repo, after, known));
    return log.bytes_from(known);
}

Result<std::int64_t> bytes_of_files(const Repo& repo, const Oid& commit) {
    TRY_ASSIGN(const Commit artifact, repo.read_commit(commit));
    TRY_ASSIGN(const std::vector<TreeEntry> files, repo.read_tree(artifact.tree, 8));
    std::int64_t sum = 0;
    for (const TreeEntry& file : files) {
        TRY_ASSIGN(const std::size_t bytes, repo.object_bytes(file.oid));
        sum += static_cast<std::int64_t>(bytes);
    }
    return sum;
}

Result<std::int64_t> bytes_of_bundle(const Repo& repo, const Bundle& bundle) {
    std::int64_t sum = 0;
    for (const Oid& journal : bundle.journals) sum += bytes_of_log(repo, "", journal).value_or(0);
    for (const Oid& artifact : bundle.artifacts) sum += bytes_of_files(repo, artifact).value_or(0);
    return sum;
}

// The archive is a chain of bundles, a proposal is one.
Result<std::int64_t> bytes_of(const Repo& repo, const RefUpdate& update) {
    const auto below = [&](const char* folder) { return update.ref.starts_with(folder); };
    if (below("refs/heads/journal/") || below("refs/heads/ledger/"))
        return bytes_of_log(repo, update.before, update.after);
    if (artifact_of_ref(update.ref)) return bytes_of_files(repo, update.after);
    std::int64_t sum = 0;
    if (below("refs/heads/proposal/")) {
        TRY_ASSIGN(const Bundle bundle, read_bundle(repo, update.after));
        return bytes_of_bundle(repo, bundle);
    }
    if (update.ref != "refs/heads/archive") return sum;
    TRY_ASSIGN(const std::vector<Bundle> bundles, read_bundles(repo, update.after, update.before));
    for (const Bundle& bundle : bundles) sum += bytes_of_bundle(repo, bundle).value_or(0);
    return sum;
}

}  // namespace

Result<void> check_push_size(const Repo& repo, const std::vector<RefUpdate>& updates, std::int64_t most_bytes) {
    if (updates.size() > kMostPushRefs)
        return fail(Code::corrupt, fmt::format("the push moves over {} refs: push in parts", kMostPushRefs));
    std::int64_t left = most_bytes;
    for (const RefUpdate& update : updates) {
        if (update.after.empty()) continue;
        left -= bytes_of(repo, update).value_or(0);
        if (left < 0)
            return fail(Code::corrupt, fmt::format("the push unfolds to over {} MiB: push in parts", most_bytes >> 20));
    }
    return {};
}

}  // namespace cultivar
