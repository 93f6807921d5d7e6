// Parts of SQL that several queries share, and the record behind a row.
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pool/clone/clone.h"
#include "pool/rules/record_checks.h"
#include "pool/storage/segment_log.h"
#include "pool/types/record.h"
#include "pool/util/sqlite.h"

namespace cultivar {

// The fingerprint of the key of a record's writer; "": no log told it.
inline constexpr const char* kKeyOf = "COALESCE((SELECT writer.key FROM writer WHERE writer.name = record.writer), '')";

// The newest verdict on a claim (a row `record`) that counts. Nobody judges a claim of their own key, under any name.
#define CULTIVAR_VERDICT_OF(value)                                                                    \
    "(SELECT " value                                                                                  \
    " FROM verdict WHERE verdict.claim = record.id AND "                                              \
    "verdict.key <> COALESCE((SELECT writer.key FROM writer WHERE writer.name = record.writer), '') " \
    "ORDER BY at DESC, verdict.seq DESC LIMIT 1)"
inline constexpr const char* kVerdictOf = CULTIVAR_VERDICT_OF("line");
inline constexpr const char* kResultOf = CULTIVAR_VERDICT_OF("result");
// How it is shown and counted (pool/types/verdict.h: word).
inline constexpr const char* kWordOf = CULTIVAR_VERDICT_OF("word");
// Did it accept the claim as a record?
inline constexpr const char* kRecordOf = CULTIVAR_VERDICT_OF("word = 'accepted' AND verdict.record");
// Is it to be judged again?
inline constexpr const char* kOpenOf = CULTIVAR_VERDICT_OF("result = 'inconclusive' OR result = 'accepted' AND waits");
// Did fresh seeds of a verifier refute it?
inline constexpr const char* kRefutedOf = CULTIVAR_VERDICT_OF("result = 'rejected' AND tier = 'rerun'");
inline constexpr const char* kVerdictSeqOf = CULTIVAR_VERDICT_OF("verdict.seq");
// The runs of artifacts with an accepted claim.
inline constexpr const char* kAcceptedRuns =
    "SELECT artifact_run FROM record WHERE type = 'claim' AND " CULTIVAR_VERDICT_OF("word") " = 'accepted'";
// Did a verifier score its weights again, and find no fault with it since?
inline constexpr const char* kVouchedOf = CULTIVAR_VERDICT_OF("word IN ('accepted', 'provisional', 'scored')");
// Does it tell no gap to a hold-out?
inline constexpr const char* kWithoutGapOf = CULTIVAR_VERDICT_OF("instr(line, '\"hold-out gap\"') = 0");
// Did it accept the claim as it stands? Of a command's run nothing can be replayed: there a claim that was scored stands.
inline constexpr const char* kAcceptedOf = CULTIVAR_VERDICT_OF("word IN ('accepted', 'provisional')");
inline const char* stands(const Clone& clone) { return clone.task.command ? kVouchedOf : kAcceptedOf; }
inline constexpr const char* kVouchedRuns =
    "SELECT artifact_run FROM record WHERE type = 'claim' AND " CULTIVAR_VERDICT_OF(
        "word IN ('accepted', 'provisional', "
        "'scored')");
// All runs of claims that were replayed, or agree with fresh seeds that their key did not know.
inline constexpr const char* kVerifiedRuns =
    "SELECT run FROM claim_run WHERE claim IN (SELECT id FROM record WHERE type = 'claim' AND id IN (SELECT claim FROM "
    "verdict WHERE result = 'accepted') AND " CULTIVAR_VERDICT_OF("word IN ('accepted', 'provisional') AND earns") ")";

// The writers with a verified run of their own (pool/index/original_runs.h), whose claims were never rejected, and the
// verifiers.
inline constexpr const char* kProvenWriters =
    "SELECT name FROM writer WHERE key <> '' AND (key IN (SELECT key FROM verdict) OR key IN (SELECT owner.key FROM "
    "original JOIN record ON record.id = original.run JOIN writer AS owner ON owner.name = record.writer) AND key NOT "
    "IN "
    "(SELECT owner.key FROM record JOIN writer AS owner ON owner.name = record.writer WHERE type = 'claim' AND id IN "
    "(SELECT claim FROM verdict WHERE result = 'rejected') AND " CULTIVAR_VERDICT_OF("result") " = 'rejected'))";
#undef CULTIVAR_VERDICT_OF

// Fresh seeds of verdicts on the claims of others: candidate, category, seed, score, seconds, first (a number in the order of
// arrival). Each seed of a candidate comes once, however many verdicts repeat it.
inline constexpr const char* kReruns =
    "SELECT claim.candidate, claim.category, rerun.seed, rerun.score, rerun.seconds, MIN(rerun.seq) AS first FROM "
    "rerun "
    "CROSS JOIN record AS claim ON claim.id = rerun.claim AND claim.type = 'claim' "
    "WHERE rerun.key <> COALESCE((SELECT writer.key FROM writer WHERE writer.name = claim.writer), '') "
    "GROUP BY claim.candidate, claim.category, rerun.seed";

// Ids of claims under a condition on table `record`: so many (:most) of each key, since a key costs nothing and neither does
// a claim. Its categories take turns, each with its best scores first.
inline std::string claims_in_turn(const std::string& condition) {
    return "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY owner ORDER BY place, seq) AS turn FROM (SELECT "
           "id, "
           "seq, owner, ROW_NUMBER() OVER (PARTITION BY owner, category ORDER BY score, seq) AS place FROM (SELECT "
           "record.id, record.seq, record.category, record.score, COALESCE((SELECT NULLIF(writer.key, '') FROM writer "
           "WHERE writer.name = record.writer), record.writer) AS owner FROM record WHERE type = 'claim' AND " +
           condition + "))) WHERE :most <= 0 OR turn <= :most";
}

// The seconds and joules of a row `record` of a run that are believed, whatever it says: as many as so many budgets, the
// command's own limit and the start allow, of others at most the pool's budgets, and as much power as there is.
// `start_s`: the slack of a run's limits (cli/runs/run_execution.cpp), or less where it pays for others.
inline constexpr double kMostStart_s = 240, kPaidStart_s = 10;
inline std::string believed_s(const Clone& clone, double start_s = kMostStart_s) {
    constexpr double kMostBudgets = 4;
    const auto& command = clone.task.command;
    return fmt::format(
        "MIN(wall_s, MAX({} * CASE WHEN writer = '{}' THEN budget_s ELSE MIN(budget_s, {}) END, {}) + {})",
        kMostBudgets, clone.writer, clone.task.budget_s, command ? command->limit_s.value_or(0) : 0, start_s);
}
inline std::string believed_joules(const Clone& clone) {
    return fmt::format("MIN(search_joules, {} * {})", kMostPower_w, believed_s(clone));
}

// Lists in a column: words between spaces.
inline std::vector<std::string> split(const std::string& text) {
    std::istringstream words(text);
    std::vector<std::string> out;
    for (std::string word; words >> word;) out.push_back(word);
    return out;
}

// The columns that lead to a record's bytes.
inline constexpr const char* kLineColumns = "record.id, record.line, segment.blob, record.place";
inline constexpr const char* kLineTables = "record LEFT JOIN segment ON segment.number = record.segment";
// Those of IndexQueries::read_claims(), before the newest verdict that counts.
inline constexpr const char* kClaimColumns =
    "record.id, record.line, segment.blob, record.place, refused, record.seq, record.seen_s, "
    "COALESCE((SELECT writer.key FROM writer WHERE writer.name = record.writer), '')";

// Reads records' bytes, from the spool's copy or from their segment. Keeps the last segment, because records of one
// segment lie together.
class LineReader {
public:
    explicit LineReader(const Repo& repo) : repo_(repo) {}

    // Reads kLineColumns without the id from the row. Errors: git, corrupt.
    Result<std::string> read(Row& row) {
        std::optional<std::string> line = row.text_if();
        const Oid blob = row.text();
        const auto place = static_cast<std::size_t>(row.whole());
        if (line) return std::move(*line);
        if (blob != blob_) {
            TRY_ASSIGN(lines_, read_segment(repo_, blob));
            blob_ = blob;
        }
        if (place >= lines_.size()) return fail(Code::corrupt, "a segment is shorter than it was");
        return lines_[place];
    }

private:
    const Repo& repo_;
    Oid blob_;
    std::vector<std::string> lines_;
};

// Calls take(id, record, row) for each row of `get` that leads to a record of type `One`, and passes over the others. The
// first columns of `get` are kLineColumns; `row` goes on after them.
template <typename One>
Result<void> for_each_record(const Repo& repo, Statement& get, const auto& take) {
    LineReader reader(repo);
    return get.each([&](Row& row) -> Result<void> {
        std::string id = row.text();
        TRY_ASSIGN(std::string line, reader.read(row));
        auto record = parse_line(line);
        if (record && std::holds_alternative<One>(*record)) take(std::move(id), std::get<One>(std::move(*record)), row);
        return {};
    });
}

}  // namespace cultivar
