#include "pool/index/derived_tables.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "pool/clone/trust_roots.h"
#include "pool/git/allowed_signers.h"
#include "pool/index/original_runs.h"
#include "pool/index/sql.h"
#include "pool/rules/retirement.h"

namespace cultivar {
namespace {

// When a verifier first judged a claim (a row `record`), if that was before this clone met it: of claims that came by one
// pull it tells the first, whoever copied it since. Else a text after every time.
constexpr const char* kJudgedBefore =
    "COALESCE((SELECT MIN(at) FROM verdict WHERE verdict.claim = record.id AND result = 'accepted' "
    "AND at < strftime('%Y-%m-%dT%H:%M:%SZ', record.seen_s, 'unixepoch')), 'never')";
constexpr const char* kOwners = "(SELECT name, turn, COALESCE(NULLIF(key, ''), name) AS owner FROM writer)";
constexpr double kVouched = 20;  // seconds of a key's search for each that was verified

class DerivedTables {
public:
    explicit DerivedTables(IndexDatabase& database) : database_(database), sql_(database.sql()) {}
    Result<void> derive();

private:
    const char* affected() const;
    Result<bool> claims_may_differ();
    Result<void> derive_vouched_parents();
    Result<void> derive_parents();
    Result<void> apply_rejections();
    Result<void> derive_standings();
    Result<void> derive_verdicts();
    Result<void> take_fresh_scores();
    Result<void> limit_to_vouched(const std::string& candidate, const std::string& category, const std::string& word);
    Result<std::vector<RetirementStatement>> retirement_statements();
    Result<void> derive_retired();
    Result<void> count_standings(int sign);
    Result<void> derive_totals();
    Result<void> derive_claim_totals();
    Result<void> derive_verified_search();
    Result<void> derive_search_that_pays();

    IndexDatabase& database_;
    Database& sql_;
};

std::string strongest(const std::set<std::string>& words) {
    for (const char* word : {"accepted", "provisional", "scored", "pending", "inconclusive", "rejected"}) {
        if (words.count(word)) return word;
    }
    return "";
}

// Of a candidate with a vouched claim, the parents are those that the claim names, whatever strangers said before: of the
// accepted claims, else of the others that are vouched for, the one that was seen first. Where nothing is known of them
// yet it has none.
Result<void> DerivedTables::derive_vouched_parents() {
    return sql_.execute(fmt::format(R"(
CREATE TEMP TABLE IF NOT EXISTS vouched(id TEXT PRIMARY KEY, parents TEXT) WITHOUT ROWID;
DELETE FROM vouched;
INSERT INTO vouched SELECT candidate, parents FROM (SELECT candidate, parents,
        ROW_NUMBER() OVER (PARTITION BY candidate ORDER BY word <> 'accepted', seen_s, judged, turn, seq) AS place
    FROM (SELECT candidate, parents, seen_s, {judged} AS judged, turn, record.seq, {word} AS word
        FROM {records} JOIN (SELECT name, turn FROM writer) ON name = record.writer WHERE type = 'claim')
    WHERE word IN ('accepted', 'provisional', 'scored')) WHERE place = 1;
UPDATE candidate SET vouched = NULL, parents = CASE WHEN belief = {stranger} THEN '' ELSE said END
    WHERE vouched IS NOT NULL AND (belief >= {seed} OR id IN dirty AND id NOT IN (SELECT id FROM vouched));
UPDATE candidate SET vouched = named.parents, parents = '' FROM (SELECT id AS named_id, parents FROM vouched) AS named
    WHERE candidate.id IN (SELECT id FROM vouched) AND candidate.id = named_id AND belief < {seed}
        AND vouched IS NOT named.parents;
)",
                                    fmt::arg("word", kWordOf), fmt::arg("judged", kJudgedBefore),
                                    fmt::arg("records", affected()),
                                    fmt::arg("stranger", static_cast<int>(Belief::stranger)),
                                    fmt::arg("seed", static_cast<int>(Belief::seed)))
                            .c_str());
}

// A stranger's word on a candidate's parents counts once all of them are known, and the candidate is none of them.
Result<void> DerivedTables::derive_parents() {
    TRY(derive_vouched_parents());
    return sql_.execute(R"(
UPDATE candidate SET parents = told.parents FROM (SELECT seq AS told_seq, COALESCE(vouched, said) AS parents
        FROM candidate WHERE parents <> COALESCE(vouched, said)) AS told
WHERE seq = told_seq AND instr(told.parents, id) = 0
    AND (told.parents = '' OR EXISTS (SELECT 1 FROM candidate AS one WHERE one.id = substr(told.parents, 1, 32)))
    AND (length(told.parents) <= 32 OR EXISTS (SELECT 1 FROM candidate AS other WHERE other.id = substr(told.parents, 34)));
)");
}

Result<void> DerivedTables::derive() {
    TRY(derive_parents());
    TRY(apply_rejections());
    TRY(count_standings(-1));
    TRY(derive_standings());
    TRY(count_standings(1));
    TRY(derive_retired());
    TRY_ASSIGN(const bool claims, claims_may_differ());
    if (claims) {
        TRY(derive_originals(database_));
        TRY(derive_verified_search());
        TRY(derive_claim_totals());
    }
    TRY(derive_totals());
    TRY(derive_search_that_pays());
    return sql_.execute("DELETE FROM dirty");
}

// Does anything that came concern a candidate with a claim? What rests on all claims and their verdicts is dear, and stays
// as it is where nothing does.
Result<bool> DerivedTables::claims_may_differ() {
    if (database_.is_new()) return true;
    TRY_ASSIGN(Statement get,
               sql_.prepare("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM total WHERE name = 'counted') OR EXISTS "
                            "(SELECT 1 FROM dirty CROSS JOIN record USING(candidate) WHERE type = 'claim')"));
    return get.any();
}

// The records of the candidates in table `dirty`; in a new index all records, in the order in which they lie.
const char* DerivedTables::affected() const {
    return database_.is_new() ? "record NOT INDEXED" : "dirty CROSS JOIN record USING(candidate)";
}

// The runs of a rejected claim no longer count, if its own writer made them.
Result<void> DerivedTables::apply_rejections() {
    return sql_.execute(R"(
CREATE TEMP TABLE IF NOT EXISTS refuted(id TEXT PRIMARY KEY) WITHOUT ROWID;
DELETE FROM refuted;
INSERT OR IGNORE INTO refuted SELECT claim_run.run
    FROM (SELECT DISTINCT claim FROM verdict WHERE result = 'rejected') AS judged
    JOIN record AS claim ON claim.id = judged.claim
    JOIN claim_run ON claim_run.claim = claim.id
    JOIN record AS run ON run.id = claim_run.run AND run.writer = claim.writer AND run.type = 'run'
    WHERE claim.type = 'claim' AND 'rejected' = (
        SELECT result FROM verdict WHERE verdict.claim = claim.id
            AND verdict.key <> COALESCE((SELECT writer.key FROM writer WHERE writer.name = claim.writer), '')
        ORDER BY at DESC, verdict.seq DESC LIMIT 1);
INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE rejected = 1 AND id NOT IN refuted;
INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE rejected = 0 AND id IN refuted;
UPDATE record SET rejected = 0 WHERE rejected = 1 AND id NOT IN refuted;
UPDATE record SET rejected = 1 WHERE rejected = 0 AND id IN refuted;
)");
}

// A standing rests on the runs of one key, because anybody may publish a run of anything: on those of this clone's, else of
// the key that had a lease or a run of the candidate here first. Runs that count go before those that were rejected.
Result<void> DerivedTables::derive_standings() {
    TRY(sql_.execute(fmt::format(R"(
DELETE FROM standing WHERE candidate IN dirty;
INSERT INTO standing(candidate, category, runs, val_bpb, kept, contributor, parameters, flops, joules)
SELECT candidate, category, good, COALESCE(mean, claimed), kept, writer, parameters, flops, joules FROM (
    SELECT made.*, ROW_NUMBER() OVER (PARTITION BY candidate, category
        ORDER BY good = 0, owner <> '{own}', MIN(first, COALESCE(leased, first)), owner) AS place
    FROM (SELECT candidate, category, owner, SUM(rejected = 0) AS good, AVG(CASE WHEN rejected = 0 THEN score END) AS mean,
            AVG(score) AS claimed, SUM(decision = 'kept') > 0 AS kept,
            AVG(CASE WHEN rejected = 0 THEN joules END) AS joules,
            -- Of the run that was seen first, by its writer's turn: SQLite takes bare columns from a lone MIN's row.
            MIN((seen_s - 1700000000) * 4294967296 + turn) AS first, writer, parameters, flops
        FROM {records} JOIN {owners} ON name = writer
        WHERE type = 'run' AND status = 'done' AND refused IS NULL GROUP BY candidate, category, owner) AS made
    LEFT JOIN (SELECT candidate, category, owner, MIN((seen_s - 1700000000) * 4294967296 + turn) AS leased
        FROM {records} JOIN {owners} ON name = writer
        WHERE type = 'lease' AND refused IS NULL GROUP BY candidate, category, owner)
    USING(candidate, category, owner)
) WHERE place = 1;
)",
                                 fmt::arg("own", database_.clone().key.fingerprint()), fmt::arg("records", affected()),
                                 fmt::arg("owners", kOwners))
                         .c_str()));
    return derive_verdicts();
}

Result<void> DerivedTables::derive_verdicts() {
    TRY_ASSIGN(Statement get,
               sql_.prepare(fmt::format("SELECT candidate, category, {}, {} FROM {} WHERE type = 'claim'", kWordOf,
                                        kRecordOf, affected())));
    using Place = std::pair<std::string, std::string>;  // candidate and category
    std::set<Place> records;
    std::map<Place, std::set<std::string>> results;
    TRY(get.each([&](Row& row) {
        std::string candidate = row.text();
        const Place place{std::move(candidate), row.text()};
        results[place].insert(row.text_if().value_or("pending"));
        if (row.flag()) records.insert(place);
    }));
    // Claims and their runs are rejected, never a candidate: with runs of others that count it is as good as they say.
    TRY_ASSIGN(
        Statement set,
        sql_.prepare("UPDATE standing SET record = :record, verdict = CASE WHEN :verdict = 'rejected' AND "
                     "runs > 0 THEN '' ELSE :verdict END WHERE candidate = :candidate AND category = :category"));
    for (const auto& [place, found] : results) {
        const std::string verdict = strongest(found);
        set.bind(":candidate", place.first).bind(":category", place.second);
        TRY(set.bind(":verdict", verdict).bind(":record", records.contains(place)).run());
        if (verdict == "accepted" || verdict == "provisional" || verdict == "scored")
            TRY(limit_to_vouched(place.first, place.second, verdict));
    }
    return take_fresh_scores();
}

// Scores of seeds that nobody could choose stand for a candidate, whatever was claimed of it.
Result<void> DerivedTables::take_fresh_scores() {
    return sql_.execute(fmt::format(R"(
UPDATE standing SET val_bpb = fresh.mean, fresh_seeds = fresh.seeds FROM (
    SELECT candidate, category, AVG(score) AS mean, COUNT(*) AS seeds FROM ({}) GROUP BY candidate, category) AS fresh
WHERE standing.candidate = fresh.candidate AND standing.category = fresh.category)",
                                    kReruns)
                            .c_str());
}

// A standing with weights that a verifier scored rests on the claims with its word alone: on those of the key whose claim
// was seen first, and their runs. It is no better than their verified scores.
Result<void> DerivedTables::limit_to_vouched(const std::string& candidate, const std::string& category,
                                             const std::string& word) {
    TRY_ASSIGN(Statement set, sql_.prepare(fmt::format(R"(
WITH worded AS (SELECT id, artifact_run, writer, owner, seen_s, {} AS judged, turn, seq FROM record JOIN {} ON name = writer
        WHERE candidate = :candidate AND category = :category AND type = 'claim' AND {} = :word),
    first AS (SELECT * FROM worded ORDER BY seen_s, judged, turn, seq LIMIT 1),
    vouched AS (SELECT id, artifact_run FROM worded WHERE owner = (SELECT owner FROM first)),
    claimed AS (SELECT COUNT(*) AS runs, AVG(score) AS mean, MAX(decision = 'kept') AS kept, AVG(joules) AS joules
        FROM record WHERE type = 'run' AND id IN (SELECT run FROM claim_run WHERE claim IN (SELECT id FROM vouched))),
    rescored AS (SELECT AVG(score) AS mean FROM record WHERE id IN (SELECT artifact_run FROM vouched)),
    shown AS (SELECT parameters, flops FROM record WHERE id = (SELECT artifact_run FROM first))
UPDATE standing SET runs = (SELECT runs FROM claimed), kept = (SELECT kept FROM claimed),
    val_bpb = MAX((SELECT mean FROM claimed), COALESCE((SELECT mean FROM rescored), 0)),
    contributor = (SELECT writer FROM first), joules = (SELECT joules FROM claimed),
    parameters = (SELECT parameters FROM shown), flops = (SELECT flops FROM shown)
WHERE candidate = :candidate AND category = :category AND (SELECT runs FROM claimed) > 0)",
                                                       kJudgedBefore, kOwners, kWordOf)));
    return set.bind(":candidate", candidate).bind(":category", category).bind(":word", word).run();
}

Result<std::vector<RetirementStatement>> DerivedTables::retirement_statements() {
    TRY_ASSIGN(Statement get, sql_.prepare("SELECT candidate, status, reason, writer, at, operator FROM record WHERE "
                                           "type = 'retirement' AND refused IS NULL ORDER BY seq"));
    return get.all([&](Row& row) {
        Retirement said;
        said.task = database_.clone().task_id;
        said.candidate = row.text();
        said.retired = row.text() == "retired";
        said.reason = row.text();
        said.writer = row.text();
        said.at = row.text();
        return RetirementStatement{std::move(said), row.text()};
    });
}

// All of them anew whenever something came: they are few, and the right to say so changes with main.
Result<void> DerivedTables::derive_retired() {
    TRY_ASSIGN(std::vector<RetirementStatement> statements, retirement_statements());
    TRY(sql_.execute("DELETE FROM retired"));
    if (statements.empty()) return {};
    RetirementAuthority authority{database_.clone().writer, {}, {}};
    if (auto roots = trusted_roots(database_.clone())) {
        for (const AllowedSigner& verifier : roots->now.verifiers) authority.verifiers.insert(verifier.fingerprint);
    }
    TRY_ASSIGN(Statement scored, sql_.prepare("SELECT DISTINCT writer FROM record WHERE type = 'run' AND candidate = "
                                              ":candidate AND status = 'done' AND refused IS NULL AND rejected = 0"));
    authority.scorers = [&](const std::string& candidate) {
        auto writers = scored.bind(":candidate", candidate).all([](Row& row) { return row.text(); });
        return writers ? std::set<std::string>(writers->begin(), writers->end()) : std::set<std::string>();
    };
    TRY_ASSIGN(Statement put, sql_.prepare("INSERT INTO retired VALUES(:candidate, :writer, :reason, :at, :everywhere, "
                                           ":by_keepers)"));
    for (const auto& [candidate, retired] : retired_by(statements, authority)) {
        put.bind(":candidate", candidate).bind(":writer", retired.writer).bind(":reason", retired.reason);
        put.bind(":at", retired.at).bind(":everywhere", retired.everywhere);
        TRY(put.bind(":by_keepers", retired.by_keepers).run());
    }
    return {};
}

// Takes the standings of the candidates in `dirty` out of the totals, or adds them as they are now. Totals that were
// never counted, or are to be counted anew, are counted whole.
Result<void> DerivedTables::count_standings(int sign) {
    TRY_ASSIGN(Statement counted, sql_.prepare("SELECT 1 FROM total WHERE name = 'counted'"));
    TRY_ASSIGN(const bool known, counted.any());
    const bool whole = database_.is_new() || !known;
    if (whole && sign < 0) return sql_.execute("DELETE FROM total WHERE name = 'kept' OR name LIKE 'scored %'");
    const char* some = whole ? "" : "AND candidate IN dirty";
    return sql_.execute(fmt::format(R"(
INSERT INTO total SELECT 'scored ' || category, {sign} * COUNT(*) FROM standing WHERE true {some} GROUP BY category
    UNION ALL SELECT 'kept', {sign} * COUNT(DISTINCT candidate) FROM standing WHERE kept {some}
    ON CONFLICT(name) DO UPDATE SET value = value + excluded.value;
DELETE FROM total WHERE name LIKE 'scored %' AND value = 0 AND {sign} > 0;
)",
                                    fmt::arg("sign", sign), fmt::arg("some", some))
                            .c_str());
}

// Records do not change: totals grow by those after `counted`.
Result<void> DerivedTables::derive_totals() {
    const Clone& clone = database_.clone();
    return sql_.execute(fmt::format(R"(
WITH fresh AS MATERIALIZED (SELECT type, status, {seconds} AS seconds, {joules} AS joules, {joules} * (1 + energy_error) AS most,
        refused FROM record
        WHERE seq > (SELECT COALESCE(MAX(value), 0) FROM total WHERE name = 'counted')),
    run AS (SELECT * FROM fresh WHERE type = 'run' AND refused IS NULL)
INSERT INTO total SELECT 'runs', COUNT(*) FROM run UNION ALL SELECT 'done', TOTAL(status = 'done') FROM run
    UNION ALL SELECT 'failed', TOTAL(status = 'failed') FROM run UNION ALL SELECT 'unfit', TOTAL(status = 'unfit') FROM run
    UNION ALL SELECT 'stopped', TOTAL(status = 'stopped') FROM run UNION ALL SELECT 'search_s', TOTAL(seconds) FROM run
    UNION ALL SELECT 'search_joules', TOTAL(joules) FROM run
    UNION ALL SELECT 'search_most_joules', TOTAL(most) FROM run
    UNION ALL SELECT 'refused records', COUNT(refused) FROM fresh WHERE true
    ON CONFLICT(name) DO UPDATE SET value = value + excluded.value;
UPDATE writer SET ran = 1, search_s = search_s + made.seconds FROM (SELECT writer AS name, TOTAL({seconds}) AS seconds
    FROM record WHERE type = 'run' AND refused IS NULL
        AND seq > (SELECT COALESCE(MAX(value), 0) FROM total WHERE name = 'counted') GROUP BY writer) AS made
    WHERE made.name = writer.name;
INSERT OR REPLACE INTO total SELECT 'counted', COALESCE(MAX(seq), 0) FROM record
    UNION ALL SELECT 'contributors', COUNT(*) FROM writer WHERE ran
    UNION ALL SELECT 'candidates', COUNT(*) FROM candidate
    UNION ALL SELECT 'refused', (SELECT COUNT(*) FROM branch WHERE refused <> '') +
        (SELECT value FROM total WHERE name = 'refused records') +
        (SELECT TOTAL(later) + TOTAL(unreadable) + TOTAL(passed_over) + COUNT(refused) FROM log)
    UNION ALL SELECT 'other task', TOTAL(other_task) FROM log
    UNION ALL SELECT 'verify_s', TOTAL(seconds) FROM verdict
    UNION ALL SELECT 'verify_joules', TOTAL(joules) FROM verdict
    UNION ALL SELECT 'verify_most_joules', TOTAL(joules * (1 + energy_error)) FROM verdict;
)",
                                    fmt::arg("seconds", believed_s(clone)), fmt::arg("joules", believed_joules(clone)))
                            .c_str());
}

Result<void> DerivedTables::derive_claim_totals() {
    return sql_.execute(fmt::format(R"(
DELETE FROM total WHERE name IN ('accepted', 'provisional', 'scored', 'rejected', 'inconclusive', 'pending', 'claims');
INSERT INTO total SELECT COALESCE({}, 'pending'), COUNT(*) FROM record WHERE type = 'claim' GROUP BY 1;
INSERT INTO total SELECT 'claims', COUNT(*) FROM record WHERE type = 'claim';
)",
                                    kWordOf)
                            .c_str());
}

// The seconds of each key's search that were verified and not refuted since.
Result<void> DerivedTables::derive_verified_search() {
    return sql_.execute(fmt::format(R"(
DELETE FROM verified_search;
WITH newest AS MATERIALIZED (SELECT * FROM (SELECT verdict.claim, writer.key, result, word, verdict.at,
        ROW_NUMBER() OVER (PARTITION BY claim ORDER BY verdict.at DESC, verdict.seq DESC) AS place
        FROM verdict JOIN record ON record.id = verdict.claim AND record.type = 'claim'
        JOIN writer ON writer.name = record.writer AND writer.key <> verdict.key) WHERE place = 1),
    bad AS (SELECT key, MAX(at) AS at FROM newest WHERE result = 'rejected' GROUP BY key),
    good AS (SELECT DISTINCT newest.key, claim_run.run FROM newest JOIN claim_run USING(claim)
        JOIN original USING(run) LEFT JOIN bad USING(key)
        WHERE word IN ('accepted', 'provisional') AND (bad.at IS NULL OR newest.at > bad.at))
INSERT INTO verified_search SELECT key, TOTAL({}) FROM good
    JOIN record ON record.id = good.run AND record.type = 'run' AND refused IS NULL AND rejected = 0 GROUP BY key;
)",
                                    believed_s(database_.clone(), kPaidStart_s))
                            .c_str());
}

// The seconds of search that pay for verification: those of this clone and of the verifiers; those of a key in good
// standing, up to kVouched times the seconds of its runs that were verified (pool/index/original_runs.h: copies are not
// among them); and a few budgets for a young pool. No run
// counts as more than a multiple of its budget, none of others as more than the pool's.
Result<void> DerivedTables::derive_search_that_pays() {
    const Clone& clone = database_.clone();
    TRY_ASSIGN(Statement put, sql_.prepare(fmt::format(R"(
WITH made AS (SELECT key, TOTAL(search_s) AS seconds, MAX(name = :own) AS own FROM writer GROUP BY key)
INSERT OR REPLACE INTO total SELECT 'paying_s', TOTAL(CASE
    WHEN own OR key <> '' AND key IN (SELECT key FROM verdict) THEN made.seconds
    ELSE MIN(made.seconds, {} * verified_search.seconds) END) FROM made LEFT JOIN verified_search USING(key))",
                                                       kVouched)));
    return put.bind(":own", clone.writer).run();
}

}  // namespace

Result<void> derive_tables(IndexDatabase& database) { return DerivedTables(database).derive(); }

Result<void> recount_totals(IndexDatabase& database) {
    return database.sql().execute("DELETE FROM total; UPDATE writer SET ran = 0, search_s = 0");
}

}  // namespace cultivar
