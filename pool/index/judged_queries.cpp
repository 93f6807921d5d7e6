// The questions about claims that were judged: by their keys, by this clone, and those that are to be judged again.
#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {

Result<std::set<std::string>> IndexQueries::unsettled_claims() {
    return texts(fmt::format("SELECT id FROM record WHERE type = 'claim' AND NOT COALESCE({}, 0)", stands(clone())));
}

Result<std::vector<JudgedClaim>> IndexQueries::judged_claims() {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT claim, key, result, at, spent_s, (SELECT MIN(run.budget_s) FROM claim_run JOIN record AS run
    ON run.id = claim_run.run AND run.type = 'run' WHERE claim_run.claim = judged.claim)
FROM (SELECT verdict.claim, writer.key, CASE word WHEN 'scored' THEN 'inconclusive' ELSE result END AS result, verdict.at, verdict.seq, SUM(seconds) OVER (PARTITION BY claim) AS spent_s,
        ROW_NUMBER() OVER (PARTITION BY claim ORDER BY verdict.at DESC, verdict.seq DESC) AS place
    FROM verdict JOIN record ON record.id = verdict.claim AND record.type = 'claim'
    JOIN writer ON writer.name = record.writer AND writer.key <> verdict.key) AS judged
WHERE place = 1 ORDER BY at, seq)"));
    TRY_ASSIGN(std::vector<JudgedClaim> claims, get.all([](Row& row) {
        JudgedClaim one;
        one.claim = row.text(), one.key = row.text();
        one.result = verdict_result_of(row.text()).value_or(VerdictResult::inconclusive);
        one.at = row.text(), one.seconds = row.real(), one.budget_s = row.real();
        return one;
    }));
    TRY_ASSIGN(Statement named, prepare("SELECT run FROM claim_run JOIN original USING(run) WHERE claim = :claim"));
    std::map<std::string, std::set<std::string>> counted;  // runs, by key
    for (JudgedClaim& one : claims) {
        if (one.result != VerdictResult::accepted) continue;
        TRY(named.bind(":claim", one.claim).each([&](Row& row) {
            one.fresh = counted[one.key].insert(row.text()).second || one.fresh;
        }));
    }
    return claims;
}

// Its newest verdict that counts decided nothing, or put a rerun off.
Result<std::vector<ClaimRow>> IndexQueries::open_claims(int most) {
    const std::string judged = "record.id IN (SELECT claim FROM verdict WHERE result = 'inconclusive' OR waits)";
    return claims_where(judged + " AND " + kOpenOf, most);
}

Result<std::map<std::string, Attempts>> IndexQueries::own_attempts() {
    TRY_ASSIGN(Statement get, prepare("SELECT claim, COUNT(*), MAX(at) FROM verdict WHERE key = :key AND (result = "
                                      "'inconclusive' OR result = 'accepted' AND waits AND "
                                      "json_extract(line, '$.predicate.plan.tier') = 'rerun') GROUP BY claim"));
    std::map<std::string, Attempts> attempts;
    TRY(get.bind(":key", clone().key.fingerprint()).each([&](Row& row) {
        Attempts& one = attempts[row.text()];
        one = {row.count(), row.text()};
    }));
    return attempts;
}

Result<std::vector<OwnVerdict>> IndexQueries::own_verdicts(int most) {
    TRY_ASSIGN(Statement get, prepare("SELECT candidate.toml, verdict.line FROM verdict JOIN record ON record.id = "
                                      "verdict.claim JOIN candidate ON candidate.id = record.candidate "
                                      "WHERE verdict.key = :key ORDER BY verdict.seq DESC LIMIT :most"));
    get.bind(":key", clone().key.fingerprint()).bind(":most", most);
    std::vector<OwnVerdict> verdicts;
    TRY(get.each([&](Row& row) {
        std::string toml = row.text();
        if (auto verdict = parse_verdict(row.text())) verdicts.push_back({std::move(toml), std::move(*verdict)});
    }));
    return verdicts;
}

// Claims that this clone met by the same refresh are equally old.
Result<std::string> IndexQueries::first_claim(const ClaimRow& row) {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT id FROM record WHERE type = 'claim' AND refused IS NULL AND candidate = :candidate AND category = :category
    AND seen_s < :seen_s AND {} <> :key AND COALESCE({}, '') <> 'rejected' ORDER BY seen_s, seq LIMIT 1)",
                                                  kKeyOf, kResultOf)));
    get.bind(":candidate", row.claim.candidate).bind(":category", row.claim.category);
    TRY_ASSIGN(auto first,
               get.bind(":seen_s", row.seen_s).bind(":key", row.key).first([](Row& found) { return found.text(); }));
    return first.value_or("");
}

}  // namespace cultivar
