#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/record_import.h"
#include "pool/index/sql.h"

namespace cultivar {

Result<std::set<Oid>> IndexQueries::archived() { return texts("SELECT oid FROM candidate_commit WHERE shared = 2"); }

Result<bool> IndexQueries::may_archive_candidate(const Oid& commit) {
    TRY_ASSIGN(Statement get, prepare("SELECT 1 FROM candidate_commit WHERE oid = :oid AND shared = 1"));
    return get.bind(":oid", commit).any();
}

Result<bool> IndexQueries::may_archive_journal(const Oid& tip) {
    TRY_ASSIGN(Statement get, prepare("SELECT 1 FROM log WHERE tip = :tip AND ref LIKE 'refs/sources/%' AND NOT EXISTS "
                                      "(SELECT 1 FROM log WHERE tip = :tip AND ref NOT LIKE 'refs/sources/%')"));
    return get.bind(":tip", tip).any();
}

// Also a log that is so full of rubbish that it is read no further, if none of its records is good here or elsewhere.
Result<std::set<std::string>> IndexQueries::worthless_refs() {
    return texts(fmt::format(R"(
SELECT ref FROM log WHERE refused IS NOT NULL AND COALESCE(tip, '') = '' AND ref LIKE 'refs/remotes/%' UNION
SELECT ref FROM log WHERE rubbish >= {most} AND runs + failures + leases + claims + retirements = 0 AND later = 0 AND other_task = 0
    AND ref LIKE 'refs/remotes/%/journal/%' UNION
SELECT ref FROM branch WHERE refused IS NOT NULL AND ref LIKE 'refs/remotes/%')",
                             fmt::arg("most", kMostRubbish)));
}

Result<std::set<std::string>> IndexQueries::judged_artifacts(int keep) {
    TRY_ASSIGN(std::set<std::string> needed, needed_artifacts());
    TRY_ASSIGN(std::set<std::string> judged,
               texts(fmt::format("SELECT artifact FROM record WHERE type = 'claim' AND {} IS NOT NULL", kResultOf)));
    TRY_ASSIGN(std::set<std::string> best, texts(fmt::format(R"(
SELECT artifact FROM (SELECT artifact, ROW_NUMBER() OVER (PARTITION BY category ORDER BY score) AS place
    FROM record WHERE type = 'claim' AND {} = 'accepted') WHERE place <= {})",
                                                             kResultOf, keep)));
    std::erase_if(judged, [&](const std::string& digest) { return needed.contains(digest) || best.contains(digest); });
    return judged;
}

Result<std::set<std::string>> IndexQueries::needed_artifacts() {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT artifact FROM record WHERE type = 'claim' AND COALESCE({}, 'provisional') IN ('provisional', 'scored') UNION
SELECT artifact FROM record WHERE type = 'run' AND status = 'done' AND decision <> 'reverted' AND writer = :writer
    AND NOT EXISTS (SELECT 1 FROM record AS claim WHERE claim.type = 'claim' AND claim.artifact = record.artifact))",
                                                  kWordOf)));
    std::set<std::string> digests;
    TRY(get.bind(":writer", clone().writer).each([&](Row& row) { digests.insert(row.text()); }));
    return digests;
}

Result<std::vector<std::string>> IndexQueries::claimed_artifacts() {
    TRY_ASSIGN(Statement get,
               prepare("SELECT DISTINCT artifact FROM record WHERE type = 'claim' AND writer = :writer"));
    return get.bind(":writer", clone().writer).all([](Row& row) { return row.text(); });
}

}  // namespace cultivar
