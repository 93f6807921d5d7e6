#include <cmath>
#include <set>
#include <string_view>

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
    std::set<std::string_view> counted;
    for (const std::string& id : claim.runs) {
        auto found = runs.find(id);
        const std::string named = short_id(id);
        if (!counted.insert(id).second) return fmt::format("it names its run {} twice", named);
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

// A run of the claim that no earlier claim of its key names, under this or another name. Under another name it would be
// another record: there its training counts, which is a candidate, a category and a replicate.
constexpr const char* kNewRuns = R"(
SELECT 1 FROM claim_run AS mine LEFT JOIN record AS run ON run.id = mine.run WHERE mine.claim = :claim
    AND NOT EXISTS (SELECT 1 FROM claim_run AS other CROSS JOIN record AS earlier ON earlier.id = other.claim
        WHERE other.run = mine.run AND earlier.writer = :writer AND earlier.type = 'claim' AND earlier.refused IS NULL
            AND earlier.seq < :seq)
    AND NOT EXISTS (SELECT 1 FROM writer AS me JOIN writer AS also ON also.key = me.key AND also.name <> me.name
        CROSS JOIN record AS earlier ON earlier.type = 'claim' AND earlier.writer = also.name
            AND earlier.candidate = run.candidate AND +earlier.category = run.category AND earlier.refused IS NULL
            AND earlier.seq < :seq
        CROSS JOIN claim_run AS other ON other.claim = earlier.id CROSS JOIN record AS same ON same.id = other.run
        WHERE me.name = :writer AND me.key <> '' AND same.replicate = run.replicate))";

}  // namespace

// Columns: kClaimColumns, the newest verdict that counts.
Result<std::vector<ClaimRow>> IndexQueries::read_claims(Statement& get) {
    TRY_ASSIGN(Statement named, prepare(R"(
SELECT record.id, writer, refused, candidate, category, status, artifact, score
FROM claim_run JOIN record ON record.id = claim_run.run WHERE claim_run.claim = :claim AND type = 'run')"));
    std::vector<ClaimRow> rows;
    TRY(for_each_record<Claim>(clone().repo, get, [&](std::string id, Claim claim, Row& row) {
        ClaimRow& made = rows.emplace_back();
        made.id = std::move(id), made.claim = std::move(claim), made.problem = row.text();
        made.seq = row.whole(), made.seen_s = row.whole(), made.key = row.text();
        const auto line = row.text_if();
        if (auto verdict = line ? parse_verdict(*line) : fail(Code::not_found, "")) made.verdict = std::move(*verdict);
    }));
    TRY_ASSIGN(Statement news, prepare(kNewRuns));
    for (ClaimRow& claim : rows) {
        if (!claim.problem.empty()) continue;
        TRY_ASSIGN(const bool fresh,
                   news.bind(":claim", claim.id).bind(":seq", claim.seq).bind(":writer", claim.claim.writer).any());
        claim.repeats = !fresh;
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
               prepare(fmt::format("SELECT {}, {} FROM {} WHERE type = 'claim' {} ORDER BY seq", kClaimColumns,
                                   kVerdictOf, kLineTables, candidate.empty() ? "" : "AND candidate = :candidate")));
    if (!candidate.empty()) get.bind(":candidate", candidate);
    return read_claims(get);
}

Result<std::vector<ClaimRow>> IndexQueries::accepted_claims(const std::string& candidate) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {}, {} FROM {} WHERE type = 'claim' AND candidate = "
                                                  ":candidate AND {} = 'accepted' ORDER BY seq",
                                                  kClaimColumns, kVerdictOf, kLineTables, kResultOf)));
    return read_claims(get.bind(":candidate", candidate));
}

Result<std::vector<ClaimRow>> IndexQueries::claims_where(const std::string& condition, int most) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {}, {} FROM {} WHERE record.id IN ({}) ORDER BY seq",
                                                  kClaimColumns, kVerdictOf, kLineTables, claims_in_turn(condition))));
    return read_claims(get.bind(":most", most));
}

Result<std::vector<ClaimRow>> IndexQueries::pending_claims(int most) {
    TRY_ASSIGN(Statement get,
               prepare(fmt::format("SELECT {}, NULL FROM {} WHERE record.id IN ({}) ORDER BY seq", kClaimColumns,
                                   kLineTables, claims_in_turn(fmt::format("{} IS NULL", kResultOf)))));
    return read_claims(get.bind(":most", most));
}

}  // namespace cultivar
