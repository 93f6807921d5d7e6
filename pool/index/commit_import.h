// Candidates' commits, from branches and from bundles, into the tables.
#pragma once

#include <map>
#include <string>

#include "pool/index/index_database.h"
#include "pool/index/rows.h"

namespace cultivar {

struct CarriedCommit {  // a candidate's commit that a bundle carries
    Oid commit;
    std::string ref;
    bool archived = false;
};

class CommitImport {
public:
    CommitImport(IndexDatabase& database, RefreshReport& report) : database_(database), report_(report) {}
    Result<void> prepare();  // before anything else

    // Takes a branch if its name and commit agree; any other is reported as refused, once. Errors: io, git.
    Result<void> take_branch(const Ref& ref);
    Result<void> take_carried(const CarriedCommit& carried);

private:
    Result<void> take(const Oid& tip, Belief belief);
    Result<Lineage::Kin> kin_of(const Oid& commit);
    Result<void> take_candidate(const Oid& commit, const Lineage::Kin& kin, Belief belief);

    IndexDatabase& database_;
    RefreshReport& report_;
    Statement shared_, share_, archive_, candidate_, settle_, put_, branch_;
    std::map<std::string, Oid> known_{};  // branches that were looked at before
};

}  // namespace cultivar
