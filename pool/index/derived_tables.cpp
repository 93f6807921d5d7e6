// What follows from the index's tables, worked out anew for the candidates that something new concerns (table `dirty`).
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "pool/clone/trust_roots.h"
#include "pool/index/index.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

std::string strongest(const std::set<std::string>& words) {
    for (const char* word : {"accepted", "pending", "inconclusive", "rejected"}) {
        if (words.count(word)) return word;
    }
    return "";
}

}  // namespace

// In a new index all of them, in the order in which they lie.
const char* Index::concerned() const {
    return is_new_ ? "record NOT INDEXED" : "dirty CROSS JOIN record USING(candidate)";
}

// The runs of a rejected claim no longer count, if its own writer made them.
Result<void> Index::apply_rejections() {
    return db_->execute(R"(
CREATE TEMP TABLE IF NOT EXISTS refuted(id TEXT PRIMARY KEY) WITHOUT ROWID;
DELETE FROM refuted;
INSERT OR IGNORE INTO refuted SELECT claim_run.run
    FROM (SELECT DISTINCT claim FROM verdict WHERE result = 'rejected') AS judged
    JOIN record AS claim ON claim.id = judged.claim
    JOIN claim_run ON claim_run.claim = claim.id
    JOIN record AS run ON run.id = claim_run.run AND run.writer = claim.writer AND run.type = 'run'
    WHERE claim.type = 'claim' AND 'rejected' = (
        SELECT result FROM verdict WHERE verdict.claim = claim.id AND substr(verdict.verifier, -8) <> substr(claim.writer, -8)
        ORDER BY at DESC, verdict.seq DESC LIMIT 1);
INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE rejected = 1 AND id NOT IN refuted;
INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE rejected = 0 AND id IN refuted;
UPDATE record SET rejected = 0 WHERE rejected = 1 AND id NOT IN refuted;
UPDATE record SET rejected = 1 WHERE rejected = 0 AND id IN refuted;
)");
}

Result<void> Index::derive_standings() {
    TRY(db_->execute(fmt::format(R"(
DELETE FROM standing WHERE candidate IN dirty;
INSERT INTO standing(candidate, category, runs, val_bpb, kept, contributor, parameters, flops, joules)
SELECT candidate, category, good, COALESCE(mean, claimed), kept, writer, parameters, flops, joules FROM (
    SELECT candidate, category, SUM(rejected = 0) AS good, AVG(CASE WHEN rejected = 0 THEN score END) AS mean,
        AVG(score) AS claimed, SUM(decision = 'kept') > 0 AS kept,
        AVG(CASE WHEN rejected = 0 THEN joules END) AS joules,
        MIN(seq), writer, parameters, flops  -- of that first run: SQLite takes bare columns from a lone MIN's row
    FROM {} WHERE type = 'run' AND status = 'done' AND refused IS NULL GROUP BY candidate, category);
)",
                                 concerned())
                         .c_str()));
    return derive_verdicts();
}

Result<void> Index::derive_verdicts() {
    TRY_ASSIGN(Statement get,
               db_->prepare(fmt::format("SELECT candidate, category, {}, {} FROM {} WHERE type = 'claim'", kResultOf,
                                        kRecordOf, concerned())));
    std::set<std::pair<std::string, std::string>> records;
    std::map<std::pair<std::string, std::string>, std::set<std::string>> words;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        words[{get.text(0), get.text(1)}].insert(get.is_null(2) ? "pending" : get.text(2));
        if (get.whole(3) != 0) records.emplace(get.text(0), get.text(1));
    }
    TRY_ASSIGN(Statement set,
               db_->prepare("UPDATE standing SET verdict = ?3, record = ?4 WHERE candidate = ?1 AND category = ?2"));
    for (const auto& [at, said] : words) {
        const std::string word = strongest(said);
        set.bind(1, at.first).bind(2, at.second).bind(3, word).bind(4, std::int64_t{records.count(at) > 0});
        TRY(set.run());
        if (word == "accepted") TRY(keep_to_vouched(at.first, at.second));
    }
    return {};
}

// An accepted standing rests on the runs of its accepted claims, whoever else ran the candidate, and is no better than
// the runs whose weights were scored again.
Result<void> Index::keep_to_vouched(const std::string& candidate, const std::string& category) {
    TRY_ASSIGN(Statement set, db_->prepare(fmt::format(R"(
WITH vouched AS (SELECT id, artifact_run FROM record WHERE candidate = ?1 AND category = ?2 AND type = 'claim'
        AND {} = 'accepted'),
    claimed AS (SELECT COUNT(*) AS runs, AVG(score) AS mean FROM record WHERE id IN
        (SELECT run FROM claim_run WHERE claim IN (SELECT id FROM vouched))),
    rescored AS (SELECT AVG(score) AS mean FROM record WHERE id IN (SELECT artifact_run FROM vouched))
UPDATE standing SET runs = (SELECT runs FROM claimed),
    val_bpb = MAX((SELECT mean FROM claimed), COALESCE((SELECT mean FROM rescored), 0))
WHERE candidate = ?1 AND category = ?2 AND (SELECT runs FROM claimed) > 0)",
                                                       kResultOf)));
    return set.bind(1, candidate).bind(2, category).run();
}

// Few: worked out anew whenever something came, since who may say so changes with main.
Result<void> Index::derive_retired() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT candidate, writer, operator, status, reason, at FROM record WHERE "
                                           "type = 'retirement' AND refused IS NULL ORDER BY seq"));
    std::vector<RetirementStatement> words;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        words.push_back(
            {{clone_->task_id, get.text(0), get.text(3) == "retired", get.text(4), get.text(1), get.text(5)},
             get.text(2)});
    }
    TRY(db_->execute("DELETE FROM retired"));
    if (words.empty()) return {};
    RetirementAuthority jury{clone_->writer, {}, {}};
    if (auto roots = trusted_roots(*clone_)) {
        for (const AllowedSigner& verifier : roots->now.verifiers) jury.verifiers.insert(verifier.fingerprint);
    }
    TRY_ASSIGN(Statement kept, db_->prepare("SELECT writer FROM record WHERE type = 'run' AND candidate = ? AND "
                                            "decision = 'kept' AND refused IS NULL AND rejected = 0"));
    jury.keepers = [&](const std::string& candidate) {
        std::set<std::string> writers;
        kept.bind(1, candidate);
        for (auto more = kept.step(); more && *more; more = kept.step()) writers.insert(kept.text(0));
        kept.reset();
        return writers;
    };
    TRY_ASSIGN(Statement put, db_->prepare("INSERT INTO retired VALUES(?, ?, ?, ?, ?)"));
    for (const auto& [candidate, retired] : retired_by(words, jury)) {
        put.bind(1, candidate).bind(2, retired.writer).bind(3, retired.reason).bind(4, retired.at);
        TRY(put.bind(5, std::int64_t{retired.everywhere}).run());
    }
    return {};
}

// Records do not change: what they add up to grows by the new ones, those after `counted`.
Result<void> Index::derive_totals() {
    return db_->execute(fmt::format(R"(
WITH fresh AS MATERIALIZED (SELECT type, status, wall_s, search_joules, refused FROM record
        WHERE seq > (SELECT COALESCE(MAX(value), 0) FROM total WHERE name = 'counted')),
    run AS (SELECT * FROM fresh WHERE type = 'run' AND refused IS NULL)
INSERT INTO total SELECT 'runs', COUNT(*) FROM run UNION ALL SELECT 'done', TOTAL(status = 'done') FROM run
    UNION ALL SELECT 'failed', TOTAL(status = 'failed') FROM run UNION ALL SELECT 'unfit', TOTAL(status = 'unfit') FROM run
    UNION ALL SELECT 'stopped', TOTAL(status = 'stopped') FROM run UNION ALL SELECT 'search_s', TOTAL(wall_s) FROM run
    UNION ALL SELECT 'search_joules', TOTAL(search_joules) FROM run
    UNION ALL SELECT 'refused records', COUNT(refused) FROM fresh WHERE true
    ON CONFLICT(name) DO UPDATE SET value = value + excluded.value;
UPDATE writer SET ran = 1 WHERE name IN (SELECT writer FROM record WHERE type = 'run' AND refused IS NULL
    AND seq > (SELECT COALESCE(MAX(value), 0) FROM total WHERE name = 'counted'));
DELETE FROM total WHERE name IN ('accepted', 'rejected', 'inconclusive', 'pending') OR name LIKE 'scored %';
INSERT INTO total SELECT COALESCE({}, 'pending'), COUNT(*) FROM record WHERE type = 'claim' GROUP BY 1;
INSERT INTO total SELECT 'scored ' || category, COUNT(*) FROM standing GROUP BY category;
INSERT OR REPLACE INTO total SELECT 'counted', COALESCE(MAX(seq), 0) FROM record
    UNION ALL SELECT 'contributors', COUNT(*) FROM writer WHERE ran
    UNION ALL SELECT 'kept', COUNT(DISTINCT candidate) FROM standing WHERE kept
    UNION ALL SELECT 'claims', COUNT(*) FROM record WHERE type = 'claim'
    UNION ALL SELECT 'candidates', COUNT(*) FROM candidate
    UNION ALL SELECT 'refused', (SELECT COUNT(*) FROM branch WHERE refused IS NOT NULL) +
        (SELECT value FROM total WHERE name = 'refused records')
    UNION ALL SELECT 'verify_s', TOTAL(seconds) FROM verdict
    UNION ALL SELECT 'verify_joules', TOTAL(joules) FROM verdict;
)",
                                    kResultOf)
                            .c_str());
}

Result<void> Index::count_again() { return db_->execute("DELETE FROM total; UPDATE writer SET ran = 0"); }

}  // namespace cultivar
