// Finds the weights of an artifact, here or on a remote.
#pragma once

#include <string>

#include "pool/clone/clone.h"
#include "pool/storage/artifact_commit.h"
#include "pool/transport/transport.h"

namespace cultivar {

// From the local repository, else fetched on demand from the remote or a source: the first whose bytes hash to the digest.
// Errors: not_found; corrupt, when other bytes lie under its name wherever there are any; git.
Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest);

}  // namespace cultivar
