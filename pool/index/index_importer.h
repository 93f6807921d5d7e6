// Fills the index's tables from refs and spool: the only way in.
//
//   LogImport      follows journals and ledgers from where they were last seen   (log_import.h)
//   RecordImport   checks records on all cores and writes them in their order    (record_import.h)
//   CommitImport   takes candidates' commits                                     (commit_import.h)
//   derive_tables  updates standings, retirements and totals                     (derived_tables.h)
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "pool/index/commit_import.h"
#include "pool/index/index_database.h"
#include "pool/index/log_import.h"
#include "pool/index/prefetch.h"
#include "pool/index/rows.h"
#include "pool/storage/bundle.h"

namespace cultivar {

class IndexImporter {
public:
    // Both must outlive the object. The tables are prepared, and the caller holds a transaction.
    IndexImporter(IndexDatabase& database, RefreshReport& report) : database_(database), report_(report) {}

    // Takes everything that these refs and the spool hold and the tables do not, and reports counts and refusals. A log
    // that was rewound is put back to where it was good. A bad foreign object is refused, not an
    // error. Errors: io, git.
    Result<void> import_all(const std::vector<Ref>& refs);

private:
    Result<std::string> everything_foreign(const std::vector<Ref>& refs) const;
    Result<void> take_refs(const std::vector<Ref>& refs);
    Result<void> forget_gone(const std::vector<Ref>& refs);
    Result<void> take_bundles(const Ref& ref, LogImport& logs);
    Result<void> take_bundle(const Bundle& bundle, const Ref& ref, LogImport& logs);
    Result<void> take_artifact(const Oid& commit);
    Result<void> take_spool();
    Result<void> settle_seeds();
    Result<std::vector<Log>> logs_of(const std::vector<Ref>& refs, bool ledger);
    Result<std::unique_ptr<LineageAhead>> check_ahead(const std::vector<Ref>& refs);
    Result<void> forget_verdicts_of_other_roots(LogImport& logs);

    IndexDatabase& database_;
    RefreshReport& report_;
    std::vector<CarriedCommit> carried_{};
    const std::int64_t now_s_ = std::time(nullptr);  // all records of one import are first seen at the same moment
};

}  // namespace cultivar
