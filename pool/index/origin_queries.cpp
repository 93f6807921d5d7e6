// The runs and claims that a claim could be taken from.
#include <cmath>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

// Is a row `record` of another key than the writer :writer?
constexpr const char* kOfAnotherKey =
    "record.writer <> :writer AND record.writer NOT IN (SELECT name FROM writer WHERE key <> '' AND key = "
    "(SELECT key FROM writer WHERE name = :writer))";

constexpr int kMostSuspectsOfKey = 4;

constexpr const char* kSeenBeforeOrClaimed = R"(
    AND (record.seen_s < (SELECT mine.seen_s FROM record AS mine WHERE mine.id = :id)
        OR record.seen_s = (SELECT mine.seen_s FROM record AS mine WHERE mine.id = :id) AND (record.writer = :own OR EXISTS (
            SELECT 1 FROM claim_run JOIN record AS claim ON claim.id = claim_run.claim
            WHERE claim_run.run = record.id AND claim.writer = record.writer))))";

}  // namespace

Result<std::vector<RunRow>> IndexQueries::runs_of_others(const RunRow& run, Others which, double within, int most) {
    TRY_ASSIGN(Statement get, prepare(fmt::format(
                                  R"(
WITH near AS (SELECT record.seq AS near_seq, ROW_NUMBER() OVER (
        PARTITION BY COALESCE(NULLIF(owner.key, ''), owner.name) ORDER BY ABS(score - :score), record.seq) AS turn
    FROM record JOIN writer AS owner ON owner.name = record.writer
    WHERE type = 'run' AND status = 'done' AND refused IS NULL AND rejected = 0 AND {}
        AND NOT (candidate = :candidate AND replicate = :replicate AND budget_s = :budget_s)
        AND score BETWEEN :least AND :greatest {})
SELECT record.id, record.line, segment.blob, record.place, refused, rejected, source FROM {} JOIN near ON near_seq = record.seq
WHERE turn <= :most_of_key ORDER BY ABS(score - :score), record.seq LIMIT :most)",
                                  kOfAnotherKey,
                                  which == Others::vouched
                                      ? fmt::format("AND (record.writer = :own OR record.id IN ({}))", kVouchedRuns)
                                      : kSeenBeforeOrClaimed,
                                  kLineTables)));
    // Rubbish of one key, nearer to the score than the run that is looked for, must not hide it.
    const bool anybody = which == Others::before;
    get.bind(":own", clone().writer).bind(":most_of_key", anybody ? kMostSuspectsOfKey : most);
    if (which == Others::before) get.bind(":id", run.id);
    const double score = run.run.val_bpb.value_or(0), apart = within * std::abs(score);
    get.bind(":least", score - apart).bind(":greatest", score + apart);
    get.bind(":writer", run.run.writer).bind(":candidate", run.run.candidate).bind(":budget_s", run.run.budget_s);
    get.bind(":replicate", run.run.replicate).bind(":score", score).bind(":most", most);
    return read_runs(get);
}

Result<std::vector<VouchedClaim>> IndexQueries::vouched_before(const ClaimRow& row) {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT record.id, record.writer, record.candidate, candidate.toml FROM record JOIN candidate ON candidate.id = record.candidate
WHERE type = 'claim' AND category = :category AND refused IS NULL AND record.candidate <> :candidate AND {} AND {}
    AND seen_s < (SELECT MIN(mine.seen_s) FROM record AS mine WHERE mine.candidate = :candidate AND mine.writer = :writer)
ORDER BY seen_s, record.seq)",
                                                  kOfAnotherKey, kVouchedOf)));
    get.bind(":category", row.claim.category).bind(":candidate", row.claim.candidate);
    return get.bind(":writer", row.claim.writer).all([](Row& found) {
        return VouchedClaim{found.text(), found.text(), found.text(), found.text()};
    });
}

Result<std::vector<KnownWeights>> IndexQueries::known_weights() {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT record.id, record.candidate, candidate.toml, record.artifact, run.score, MAX(record.seq) AS newest
FROM record JOIN candidate ON candidate.id = record.candidate
JOIN record AS run ON run.id = record.artifact_run AND run.type = 'run'
WHERE record.type = 'claim' AND record.refused IS NULL AND {}
GROUP BY record.candidate ORDER BY newest DESC)",
                                                  stands(clone()))));
    return get.all([](Row& row) { return KnownWeights{row.text(), row.text(), row.text(), row.text(), row.real()}; });
}

}  // namespace cultivar
