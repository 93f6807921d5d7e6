#include "pool/storage/artifact_commit.h"

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr const char* kFile = "weights";

}  // namespace

std::string artifact_ref(const std::string& digest) { return std::string(kArtifactRefs) + digest; }

std::optional<std::string> artifact_of_ref(const std::string& ref) {
    if (!ref.starts_with(kArtifactRefs)) return std::nullopt;
    return ref.substr(kArtifactRefs.size());
}

Result<void> store_artifact(Repo& repo, const std::string& digest, const std::string& bytes) {
    TRY_ASSIGN(Oid blob, repo.write_blob(bytes));
    TRY_ASSIGN(Oid tree, repo.write_tree({{kFile, blob, false, true}}));
    Identity who{"cultivar", "pool@cultivar.invalid", 0};
    TRY_ASSIGN(Oid commit, repo.write_commit({tree, {}, who, fmt::format("artifact {}\n", digest)}));
    TRY_ASSIGN(std::optional<Oid> there, repo.ref(artifact_ref(digest)));
    if (there && *there == commit) return {};
    return repo.set_ref(artifact_ref(digest), commit, there.value_or(""));
}

Result<std::string> check_artifact(const Repo& repo, const Oid& commit, const std::string& digest,
                                   std::int64_t cap_bytes) {
    TRY_ASSIGN(std::optional<std::string> bytes, repo.file(commit, kFile, static_cast<std::size_t>(cap_bytes)));
    if (!bytes || sha256_hex(*bytes) != digest)
        return fail(Code::corrupt, fmt::format("the artifact does not hash to its name {}", digest.substr(0, 8)));
    return std::move(*bytes);
}

}  // namespace cultivar
