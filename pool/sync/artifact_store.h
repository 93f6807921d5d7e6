// Weights in the pool: refs/artifacts/<digest>, an orphan commit with fixed author, date and message, whose tree holds one
// file, `weights`.
#pragma once

#include <string>

#include "pool/clone/clone.h"
#include "pool/transport/transport.h"

namespace cultivar {

std::string artifact_ref(const std::string& digest);
Result<void> store_artifact(Clone& clone, const std::string& digest, const std::string& bytes);
// The bytes that an artifact's commit holds. Errors: corrupt, when they do not hash to its name.
Result<std::string> check_artifact(Clone& clone, const Oid& commit, const std::string& digest);
// From the local repository, else fetched on demand from the remote or a source: the first whose bytes hash to the digest.
// Errors: not_found; corrupt, when other bytes lie under its name wherever there are any; git.
Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest);

}  // namespace cultivar
