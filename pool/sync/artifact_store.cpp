#include "pool/sync/artifact_store.h"

#include <fmt/format.h>

#include "pool/storage/extra_remote.h"

namespace cultivar {

Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest) {
    const std::string ref = artifact_ref(digest);
    std::vector<std::string> places = {""};  // here
    if (transport) {
        places.emplace_back(kRemote);
        TRY_ASSIGN(std::vector<ExtraRemote> known, extra_remotes(clone.repo));
        for (const ExtraRemote& source : known) places.push_back(source.url);
    }
    Error trouble{Code::not_found, fmt::format("the artifact {} is not in the pool", digest.substr(0, 8)), ""};
    for (const std::string& place : places) {
        if (!place.empty()) {
            auto fetched = transport->fetch(place, {ref + ":" + ref});
            if (!fetched && place == kRemote && fetched.error().reason != Reason::ref_missing)
                return fail(fetched.error());
        }
        TRY_ASSIGN(std::optional<Oid> commit, clone.repo.ref(ref));
        if (!commit) continue;
        auto bytes = check_artifact(clone.repo, *commit, digest, clone.task.artifact_cap_bytes);
        if (bytes || bytes.error().code != Code::corrupt) return bytes;
        trouble = bytes.error();
        TRY(clone.repo.delete_ref(ref));  // another place may have the right ones, or its owner put it right
    }
    return fail(trouble);
}

}  // namespace cultivar
