// The verified runs that earn standing (table `original`): each training once, for the key that published it first.
//
// A training is a candidate, a category and a replicate: its seed follows from them, so that whoever copies a run's record
// passes every check that the run passed. Of the verified runs of one training, the one that this clone saw first
// earns. A run also earns nothing behind an earlier one with the same losses that nobody has judged yet: nobody can
// foretell them. Of runs of several keys that came by one pull, the one that a verifier had accepted first by then earns,
// whoever copied it since; of others that of this clone or of a verifier, else that
// of a key with a verified run that is its own beyond doubt; between two of those, or two strangers, none earns.
#pragma once

#include "pool/index/index_database.h"

namespace cultivar {

// Derives the table anew. Errors: io, busy.
Result<void> derive_originals(IndexDatabase& database);

}  // namespace cultivar
