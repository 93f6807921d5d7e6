// The trainings of verifiers: fresh seeds in the ledgers, and replicates of this clone's own.
#include <cstdlib>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {

Result<std::map<std::string, std::vector<Rerun>>> IndexQueries::reruns(const std::string& category) {
    TRY_ASSIGN(Statement get,
               prepare(fmt::format("SELECT candidate, seed, score, seconds FROM ({}) WHERE category = :category "
                                   "ORDER BY candidate, first",
                                   kReruns)));
    std::map<std::string, std::vector<Rerun>> by_candidate;
    TRY(get.bind(":category", category).each([&](Row& row) {
        auto& one = by_candidate[row.text()];
        const std::string seed = row.text();
        const double score = row.real();
        one.push_back({std::strtoull(seed.c_str(), nullptr, 10), score, row.real()});
    }));
    return by_candidate;
}

Result<bool> IndexQueries::saw_after_own_reruns(const ClaimRow& row) {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT 1 FROM verdict JOIN record AS claim ON claim.id = verdict.claim AND claim.type = 'claim'
WHERE verdict.key = :own AND claim.candidate = :candidate AND claim.category = :category AND verdict.claim <> :claim
    AND verdict.at < strftime('%Y-%m-%dT%H:%M:%SZ', :seen_s, 'unixepoch')
    AND json_extract(verdict.line, '$.predicate.reruns') IS NOT NULL LIMIT 1)"));
    get.bind(":own", clone().key.fingerprint()).bind(":claim", row.id).bind(":seen_s", row.seen_s);
    return get.bind(":candidate", row.claim.candidate).bind(":category", row.claim.category).any();
}

Result<std::map<std::pair<std::string, std::string>, std::vector<double>>> IndexQueries::fresh_seed_scores() {
    TRY_ASSIGN(Statement get,
               prepare(fmt::format("SELECT category, candidate, score FROM ({}) ORDER BY first", kReruns)));
    std::map<std::pair<std::string, std::string>, std::vector<double>> scores;
    TRY(get.each([&](Row& row) {
        std::string category = row.text();
        auto& one = scores[{std::move(category), row.text()}];
        one.push_back(row.real());
    }));
    return scores;
}

Result<std::vector<ClaimRow>> IndexQueries::scored_claims(int most) {
    const std::string judged = "record.id IN (SELECT claim FROM verdict WHERE word = 'scored')";
    return claims_where(fmt::format("{} AND {} = 'scored'", judged, kWordOf), most);
}

Result<std::vector<ClaimRow>> IndexQueries::claims_without_gap(int most) {
    const std::string judged = "record.id IN (SELECT claim FROM verdict)";
    return claims_where(fmt::format("{} AND {} AND {}", judged, kVouchedOf, kWithoutGapOf), most);
}

Result<std::map<std::string, std::vector<double>>> IndexQueries::own_scores(const std::string& category) {
    TRY_ASSIGN(Statement get, prepare("SELECT candidate, score FROM record WHERE type = 'run' AND status = 'done' AND "
                                      "writer = :writer AND category = :category AND refused IS NULL AND rejected = 0 "
                                      "ORDER BY seq"));
    std::map<std::string, std::vector<double>> by_candidate;
    TRY(get.bind(":writer", clone().writer).bind(":category", category).each([&](Row& row) {
        auto& scores = by_candidate[row.text()];
        scores.push_back(row.real());
    }));
    return by_candidate;
}

}  // namespace cultivar
