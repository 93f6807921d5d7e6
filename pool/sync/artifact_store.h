// Finds the weights of an artifact, here or on a remote.
#pragma once

#include <string>

#include "pool/clone/clone.h"
#include "pool/storage/artifact_commit.h"
#include "pool/transport/transport.h"

namespace cultivar {

// Reads the weights from the local repository, else fetches them from the remote and then from the sources
// (pool/storage/extra_remote.h): the first bytes that hash to the digest. Errors: not_found; corrupt, when every place
// that has the ref holds other bytes; git.
Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest);

}  // namespace cultivar
