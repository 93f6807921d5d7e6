#include <algorithm>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

constexpr std::size_t kShortestPrefix = 4;
constexpr const char* kOnly = "SELECT value FROM json_each(:only)";

// Is the mean of a verifier's fresh seeds of `candidate` worse than most of the candidates that verifiers or this clone
// scored in that category? A false claim alone says nothing of a candidate: anybody may make one about another's.
constexpr const char* kShownBad = R"(EXISTS (
    SELECT 1 FROM standing AS mine WHERE mine.candidate = candidate.id AND fresh_seeds > 0 AND (
        SELECT TOTAL(other.val_bpb < mine.val_bpb) > TOTAL(other.val_bpb >= mine.val_bpb) FROM standing AS other
        WHERE other.category = mine.category AND other.candidate <> mine.candidate AND other.runs > 0 AND (
            other.verdict IN ('accepted', 'provisional', 'scored') OR EXISTS (SELECT 1 FROM record AS own
                WHERE own.candidate = other.candidate AND own.category = other.category AND own.type = 'run'
                AND own.status = 'done' AND own.writer = :own AND own.refused IS NULL AND own.rejected = 0)))))";

}  // namespace

Result<std::set<std::string>> IndexQueries::texts(const std::string& sql) {
    TRY_ASSIGN(Statement get, prepare(sql));
    std::set<std::string> found;
    TRY(get.each([&](Row& row) { found.insert(row.text()); }));
    return found;
}

Result<std::string> IndexQueries::resolve(const std::string& prefix, const char* sql, const char* kind) {
    bool hex = prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (hex && prefix.size() < kShortestPrefix)
        return fail(Code::usage,
                    fmt::format("'{}' is too short: an id takes {} digits or more", prefix, kShortestPrefix));
    if (!hex || prefix.size() > 64)
        return fail(Code::not_found, fmt::format("cannot find {} '{}'", kind, prefix), "cultivar top");
    TRY_ASSIGN(Statement get, prepare(sql));
    TRY_ASSIGN(const std::vector<std::string> found,
               get.bind(":pattern", prefix + "*").all([](Row& row) { return row.text(); }));
    if (found.empty()) return fail(Code::not_found, fmt::format("cannot find {} '{}'", kind, prefix), "cultivar top");
    if (found.size() > 1) {
        std::vector<std::string> shown;
        for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 4); ++i)
            shown.push_back(found[i].substr(0, 12));
        return fail(Code::usage, fmt::format("'{}' is ambiguous: it may mean {}", prefix, fmt::join(shown, ", ")));
    }
    return found[0];
}

Result<std::string> IndexQueries::resolve_candidate(const std::string& prefix) {
    return resolve(prefix, "SELECT id FROM candidate WHERE id GLOB :pattern ORDER BY id LIMIT 5", "candidate");
}

Result<std::string> IndexQueries::resolve_any(const std::string& prefix) {
    return resolve(prefix,
                   "SELECT id FROM candidate WHERE id GLOB :pattern UNION "
                   "SELECT id FROM record WHERE id GLOB :pattern LIMIT 5",
                   "candidate or record");
}

Result<std::int64_t> IndexQueries::candidate_count() {
    TRY_ASSIGN(Statement get, prepare("SELECT COUNT(*) FROM candidate"));
    TRY_ASSIGN(auto count, get.first([](Row& row) { return row.whole(); }));
    return count.value_or(0);
}

Result<std::int64_t> IndexQueries::version() {
    TRY_ASSIGN(Statement get, prepare("PRAGMA data_version"));
    TRY_ASSIGN(auto version, get.first([](Row& row) { return row.whole(); }));
    return version.value_or(0);
}

Result<std::vector<CandidateRow>> IndexQueries::candidates(const std::set<std::string>* only) {
    TRY_ASSIGN(Statement commits, prepare("SELECT candidate, oid FROM candidate_commit WHERE shared > 0 ORDER BY oid"));
    std::map<std::string, std::vector<Oid>> by_candidate;
    TRY(commits.each([&](Row& row) {
        const std::string candidate = row.text();
        by_candidate[candidate].push_back(row.text());
    }));
    TRY_ASSIGN(Statement get, prepare("SELECT id, toml, parents FROM candidate ORDER BY seq"));
    std::vector<CandidateRow> rows;
    TRY(get.each([&](Row& row) {
        std::string id = row.text();
        if (only && !only->contains(id)) return;
        std::string toml = row.text();
        auto& of_candidate = by_candidate[id];
        rows.push_back({std::move(id), std::move(toml), split(row.text()), of_candidate});
    }));
    return rows;
}

Result<std::vector<PlanCandidate>> IndexQueries::plan_candidates(const std::set<std::string>* only) {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT id, toml, parents, COALESCE(has.kept, 0) OR (NOT COALESCE(has.lied AND NOT has.scored, 0) AND EXISTS (
        SELECT 1 FROM candidate_commit WHERE candidate_commit.candidate = candidate.id AND shared > 0)),
    COALESCE(has.refuted AND NOT has.scored, 0) AND {}, retired.candidate IS NOT NULL, COALESCE(retired.by_keepers, 0),
    COALESCE(has.runs, 0)
FROM candidate LEFT JOIN retired ON retired.candidate = candidate.id LEFT JOIN (
    SELECT candidate, MAX(type = 'claim' AND result <> 'rejected' OR counts AND decision = 'kept') AS kept,
        MAX(type = 'claim' AND result = 'rejected') AS lied, MAX(type = 'claim' AND refuted) AS refuted,
        MAX(counts AND status = 'done') AS scored, SUM(counts) AS runs
    FROM (SELECT candidate, type, decision, status, type = 'run' AND refused IS NULL AND rejected = 0 AS counts,
            COALESCE(CASE WHEN type = 'claim' THEN {} END, '') AS result,
            COALESCE(CASE WHEN type = 'claim' THEN {} END, 0) AS refuted
        FROM record WHERE type IN ('run', 'claim') {}) GROUP BY candidate) AS has ON has.candidate = candidate.id
{} ORDER BY candidate.seq)",
                                                  kShownBad, kResultOf, kRefutedOf,
                                                  only ? fmt::format("AND candidate IN ({})", kOnly) : "",
                                                  only ? fmt::format("WHERE candidate.id IN ({})", kOnly) : "")));
    get.bind(":own", clone().writer);
    if (only) get.bind(":only", fmt::format("[\"{}\"]", fmt::join(*only, "\",\"")));  // ids are hexadecimal
    std::vector<PlanCandidate> rows;
    TRY(get.each([&](Row& row) {
        PlanCandidate one;
        one.id = row.text();
        one.toml = row.text();
        one.parents = split(row.text());
        one.kept = row.flag();
        one.rejected = row.flag();
        one.retired = row.flag();
        one.retired_by_keepers = row.flag();
        one.runs = row.count();
        rows.push_back(std::move(one));
    }));
    return rows;
}

Result<std::optional<CandidateRow>> IndexQueries::candidate(const std::string& id) {
    TRY_ASSIGN(Statement get, prepare("SELECT id, toml, parents FROM candidate WHERE id = :id"));
    TRY_ASSIGN(std::optional<CandidateRow> found, get.bind(":id", id).first([](Row& row) {
        return CandidateRow{row.text(), row.text(), split(row.text()), {}};
    }));
    if (!found) return found;
    TRY_ASSIGN(Statement commits,
               prepare("SELECT oid FROM candidate_commit WHERE candidate = :id AND shared > 0 ORDER BY oid"));
    TRY_ASSIGN(found->commits, commits.bind(":id", id).all([](Row& row) { return row.text(); }));
    return found;
}

Result<std::map<std::string, Retired>> IndexQueries::retired_candidates() {
    TRY_ASSIGN(Statement get, prepare("SELECT candidate, writer, reason, at, everywhere FROM retired"));
    std::map<std::string, Retired> retired;
    TRY(get.each([&](Row& row) {
        Retired& one = retired[row.text()];
        one = {row.text(), row.text(), row.text(), row.flag()};
    }));
    return retired;
}

Result<std::map<std::string, int>> IndexQueries::children() {
    TRY_ASSIGN(Statement get,
               prepare("SELECT parents FROM candidate WHERE parents <> '' AND (id IN (SELECT candidate "
                       "FROM standing WHERE verdict = 'accepted') OR id IN (SELECT candidate FROM record "
                       "WHERE type = 'run' AND status = 'done' AND writer = :own))"));
    get.bind(":own", clone().writer);
    std::map<std::string, int> count;
    TRY(get.each([&](Row& row) {
        for (const std::string& parent : split(row.text())) ++count[parent];
    }));
    return count;
}

Result<std::vector<std::string>> IndexQueries::unclaimed() {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT DISTINCT candidate FROM record AS run WHERE type = 'run' AND writer = :writer AND status = 'done'
    AND decision = 'kept' AND refused IS NULL AND rejected = 0 AND NOT EXISTS (
    SELECT 1 FROM record AS claim WHERE claim.type = 'claim' AND claim.writer = :writer
        AND claim.candidate = run.candidate AND claim.category = run.category)
    AND candidate NOT IN (SELECT candidate FROM retired) ORDER BY seq)"));
    return get.bind(":writer", clone().writer).all([](Row& row) { return row.text(); });
}

}  // namespace cultivar
