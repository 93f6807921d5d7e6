// The trainings of verifiers: fresh seeds in the ledgers, and replicates of this clone's own.
#include <cstdlib>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {

Result<std::map<std::string, std::vector<Rerun>>> IndexQueries::reruns(const std::string& category) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT candidate, seed, score FROM ({}) WHERE category = :category "
                                                  "ORDER BY candidate, first",
                                                  kReruns)));
    std::map<std::string, std::vector<Rerun>> by_candidate;
    TRY(get.bind(":category", category).each([&](Row& row) {
        auto& one = by_candidate[row.text()];
        const std::string seed = row.text();
        one.push_back({std::strtoull(seed.c_str(), nullptr, 10), row.real()});
    }));
    return by_candidate;
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
