// Reads the whole pool in this clone again: every object's hash, every record, parent and signature.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"

namespace cultivar {

struct FsckReport {
    std::size_t logs = 0, signatures = 0, artifacts = 0;
    int runs = 0, claims = 0, verdicts = 0, candidates = 0;
    int other_task = 0;    // runs of another task, such as of an earlier one
    int more_refused = 0;  // beyond those in `problems`
    std::vector<Refusal> problems;
    std::size_t of_the_pool = 0;  // of these: damaged objects, main and its trust roots, and no contributor's doing
    std::vector<Refusal> odd;     // claims that look wrong beside the rest of the pool (Index::suspicions)
};

// Every object that cannot be read or does not hash to its name. Errors: git.
Result<std::vector<Refusal>> damaged_objects(const Repo& repo);

// Checks, independently of the index: every record and branch, signatures of every commit of every journal and ledger
// (pull checks the tips, which vouch for the rest), local artifacts, trust roots. Claims that contradict the runs that
// they name are problems. Damage to one object is a problem, and the rest is checked all the same. Errors: io.
Result<FsckReport> fsck(Clone& clone);

}  // namespace cultivar
