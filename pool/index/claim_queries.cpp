#include <cmath>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

// The fields of a run on which a claim depends.
struct NamedRun {
    std::string writer, refused, candidate, category, status, artifact;
    double score = 0;
};

// The reason why a claim does not follow from the runs that it names; "": it does.
std::string problem_of(const Claim& claim, const std::map<std::string, NamedRun>& runs) {
    double sum = 0;
    bool artifact = false;
    for (const std::string& id : claim.runs) {
        auto found = runs.find(id);
        const std::string named = short_id(id);
        if (found == runs.end()) return fmt::format("its run {} is not in the journal", named);
        const NamedRun& run = found->second;
        if (run.writer != claim.writer) return fmt::format("its run {} is another writer's", named);
        if (!run.refused.empty()) return fmt::format("its run {}: {}", named, run.refused);
        if (run.candidate != claim.candidate || run.category != claim.category || run.status != "done")
            return fmt::format("its run {} is not a scored run of this candidate and category", named);
        sum += run.score;
        artifact = artifact || (id == claim.artifact_run && run.artifact == claim.artifact);
    }
    double mean = sum / static_cast<double>(claim.runs.size());
    if (std::abs(mean - claim.val_bpb) > 1e-9 * std::abs(mean))
        return fmt::format("it claims {:.6f} where its runs' mean is {:.6f}", claim.val_bpb, mean);
    if (!artifact) return "its artifact is not that of the run it names";
    return "";
}

}  // namespace

// Columns: kLineColumns, refused, the newest verdict that counts.
Result<std::vector<ClaimRow>> IndexQueries::read_claims(Statement& get) {
    TRY_ASSIGN(Statement named, prepare(R"(
SELECT record.id, writer, refused, candidate, category, status, artifact, score
FROM claim_run JOIN record ON record.id = claim_run.run WHERE claim_run.claim = :claim AND type = 'run')"));
    std::vector<ClaimRow> rows;
    TRY(for_each_record<Claim>(clone().repo, get, [&](std::string id, Claim claim, Row& row) {
        ClaimRow& made = rows.emplace_back(ClaimRow{std::move(id), std::move(claim), row.text(), std::nullopt});
        const auto line = row.text_if();
        if (auto verdict = line ? parse_verdict(*line) : fail(Code::not_found, "")) made.verdict = std::move(*verdict);
    }));
    for (ClaimRow& claim : rows) {
        if (!claim.problem.empty()) continue;
        std::map<std::string, NamedRun> runs;
        TRY(named.bind(":claim", claim.id).each([&](Row& row) {
            NamedRun& run = runs[row.text()];
            run = {row.text(), row.text(), row.text(), row.text(), row.text(), row.text(), row.real()};
        }));
        claim.problem = problem_of(claim.claim, runs);
    }
    return rows;
}

Result<std::vector<ClaimRow>> IndexQueries::claims(const std::string& candidate) {
    TRY_ASSIGN(Statement get,
               prepare(fmt::format("SELECT {}, refused, {} FROM {} WHERE type = 'claim' {} ORDER BY seq", kLineColumns,
                                   kVerdictOf, kLineTables, candidate.empty() ? "" : "AND candidate = :candidate")));
    if (!candidate.empty()) get.bind(":candidate", candidate);
    return read_claims(get);
}

Result<std::vector<ClaimRow>> IndexQueries::pending_claims() {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {}, refused, NULL FROM {} WHERE type = 'claim' AND {} "
                                                  "IS NULL ORDER BY seq",
                                                  kLineColumns, kLineTables, kVerdictOf)));
    return read_claims(get);
}

Result<std::map<std::string, int>> IndexQueries::valid_in_a_row() {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT key, result FROM (SELECT verdict.at, verdict.seq, result, writer.key,
        ROW_NUMBER() OVER (PARTITION BY claim ORDER BY verdict.at DESC, verdict.seq DESC) AS place
    FROM verdict JOIN record ON record.id = verdict.claim AND record.type = 'claim'
        AND substr(verifier, -8) <> substr(record.writer, -8)
    JOIN writer ON writer.name = record.writer)
WHERE place = 1 ORDER BY at, seq)"));
    std::map<std::string, int> by_key;
    TRY(get.each([&](Row& row) {
        int& count = by_key[row.text()];
        const std::string result = row.text();
        if (result == "accepted") ++count;
        if (result == "rejected") count = 0;
    }));
    TRY_ASSIGN(Statement writers, prepare("SELECT name, key FROM writer WHERE key <> ''"));
    std::map<std::string, int> by_writer;
    TRY(writers.each([&](Row& row) {
        int& count = by_writer[row.text()];
        count = by_key[row.text()];
    }));
    return by_writer;
}

}  // namespace cultivar
