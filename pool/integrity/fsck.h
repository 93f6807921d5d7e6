// The whole pool read again, as it lies in this clone: every object's hash, every record, parent and signature.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"

namespace cultivar {

struct FsckReport {
    std::size_t logs = 0, signatures = 0, artifacts = 0;
    int runs = 0, claims = 0, verdicts = 0, candidates = 0;
    std::vector<Refusal> problems;
    std::vector<Refusal> odd;  // claims, and what is odd about them beside the rest of the pool (Index::suspicions)
};

// Reads everything anew, beside the index: what intake would refuse, signatures of every commit of every journal and
// ledger (pull checks the tips, which vouch for the rest), artifacts that lie here, trust roots. Claims that contradict the
// runs that they name are problems. Errors: git, io.
Result<FsckReport> fsck(Clone& clone);

}  // namespace cultivar
