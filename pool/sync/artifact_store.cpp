#include "pool/sync/artifact_store.h"

#include <fmt/format.h>

#include "pool/storage/extra_remote.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr const char* kFile = "weights";

}  // namespace

std::string artifact_ref(const std::string& digest) { return "refs/artifacts/" + digest; }

Result<void> store_artifact(Clone& clone, const std::string& digest, const std::string& bytes) {
    TRY_ASSIGN(Oid blob, clone.repo.write_blob(bytes));
    TRY_ASSIGN(Oid tree, clone.repo.write_tree({{kFile, blob, false, true}}));
    Identity who{"cultivar", "pool@cultivar.invalid", 0};
    TRY_ASSIGN(Oid commit, clone.repo.write_commit({tree, {}, who, fmt::format("artifact {}\n", digest)}));
    TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(artifact_ref(digest)));
    if (there && *there == commit) return {};
    return clone.repo.set_ref(artifact_ref(digest), commit, there.value_or(""));
}

Result<std::string> check_artifact(Clone& clone, const Oid& commit, const std::string& digest) {
    TRY_ASSIGN(std::optional<std::string> bytes,
               clone.repo.file(commit, kFile, static_cast<std::size_t>(clone.task.artifact_cap_bytes)));
    if (!bytes || sha256_hex(*bytes) != digest)
        return fail(Code::corrupt, fmt::format("the artifact does not hash to its name {}", digest.substr(0, 8)));
    return std::move(*bytes);
}

Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest) {
    const std::string ref = artifact_ref(digest);
    std::vector<std::string> places = {""};  // here
    if (transport) {
        places.emplace_back(kRemote);
        TRY_ASSIGN(std::vector<Source> known, sources(clone.repo));
        for (const Source& source : known) places.push_back(source.url);
    }
    Error trouble{Code::not_found, fmt::format("the artifact {} is not in the pool", digest.substr(0, 8)), ""};
    for (const std::string& place : places) {
        if (!place.empty()) {
            auto fetched = transport->fetch(place, {ref + ":" + ref});
            if (!fetched && place == kRemote &&
                fetched.error().message.find("couldn't find remote ref") == std::string::npos)
                return fail(fetched.error());
        }
        TRY_ASSIGN(std::optional<Oid> commit, clone.repo.ref(ref));
        if (!commit) continue;
        auto bytes = check_artifact(clone, *commit, digest);
        if (bytes || bytes.error().code != Code::corrupt) return bytes;
        trouble = bytes.error();
        TRY(clone.repo.delete_ref(ref));  // another place may have the right ones, or its owner put it right
    }
    return fail(trouble);
}

}  // namespace cultivar
