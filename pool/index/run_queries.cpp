#include <ctime>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

constexpr double kLeaseBudgets = 1.5;
constexpr int kMostLeasesOfCandidate = 3;  // a candidate that others lease again and again is not held for ever
constexpr const char* kSummaryColumns =
    "id, writer, candidate, operator, status, decision, score, budget_s, steps, parents, wall_s, proposer, proposer_s, "
    "proposer_usd, replicate";
constexpr const char* kRunColumns = "record.id, record.line, segment.blob, record.place, refused, rejected, source";

RunStatus run_status(const std::string& word) {
    for (RunStatus status : {RunStatus::done, RunStatus::stopped, RunStatus::unfit}) {
        if (name(status) == word) return status;
    }
    return RunStatus::failed;
}

Decision decision(const std::string& word) {
    for (Decision known : {Decision::kept, Decision::reverted, Decision::undecided}) {
        if (name(known) == word) return known;
    }
    return Decision::none;
}

// Columns: kSummaryColumns.
RunSummary summary_of(Row& row) {
    return {row.text(),           row.text(), row.text(), row.text(),  run_status(row.text()),
            decision(row.text()), row.real(), row.real(), row.whole(), split(row.text()),
            row.real(),           row.text(), row.real(), row.real(),  row.count()};
}

}  // namespace

// Columns: kRunColumns.
Result<std::vector<RunRow>> IndexQueries::read_runs(Statement& get) {
    std::vector<RunRow> rows;
    TRY(for_each_record<Run>(clone().repo, get, [&](std::string id, Run run, Row& row) {
        std::string why_refused = row.text();
        const bool rejected = row.flag();
        const bool refused = !why_refused.empty() || rejected;
        leave_out_undeclared(clone().task, run);
        rows.push_back({std::move(id), std::move(run), refused, std::move(why_refused), row.text()});
    }));
    return rows;
}

Result<std::vector<RunRow>> IndexQueries::runs(const std::string& candidate) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {} FROM {} WHERE type = 'run' {} ORDER BY seq", kRunColumns,
                                                  kLineTables, candidate.empty() ? "" : "AND candidate = :candidate")));
    if (!candidate.empty()) get.bind(":candidate", candidate);
    return read_runs(get);
}

Result<std::vector<RunRow>> IndexQueries::claimed_runs(const std::string& claim) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {} FROM {} WHERE type = 'run' AND record.id IN (SELECT run "
                                                  "FROM claim_run WHERE claim = :claim) ORDER BY seq",
                                                  kRunColumns, kLineTables)));
    return read_runs(get.bind(":claim", claim));
}

Result<std::vector<RunRow>> IndexQueries::newest_runs(int count) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {} FROM {} WHERE type = 'run' ORDER BY at DESC, seq DESC "
                                                  "LIMIT :count",
                                                  kRunColumns, kLineTables)));
    return read_runs(get.bind(":count", count));
}

Result<std::vector<RunRow>> IndexQueries::newest_own_runs(const std::string& category, int count) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {} FROM {} WHERE type = 'run' AND category = :category AND "
                                                  "(writer = :writer OR record.id IN ({})) AND refused IS NULL AND "
                                                  "rejected = 0 ORDER BY record.seq DESC LIMIT :count",
                                                  kRunColumns, kLineTables, kAcceptedRuns)));
    return read_runs(get.bind(":writer", clone().writer).bind(":category", category).bind(":count", count));
}

Result<std::vector<RunSummary>> IndexQueries::newest_foreign_runs(const std::string& category, int count, int most) {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT * FROM (SELECT {}, seq, ROW_NUMBER() OVER (PARTITION BY writer ORDER BY seq DESC) AS turn FROM record
    WHERE type = 'run' AND category = :category AND writer <> :own AND refused IS NULL AND rejected = 0
        AND id NOT IN ({}))
WHERE turn <= :most ORDER BY seq DESC LIMIT :count)",
                                                  kSummaryColumns, kAcceptedRuns)));
    get.bind(":category", category).bind(":own", clone().writer).bind(":most", most).bind(":count", count);
    return get.all(summary_of);
}

Result<std::vector<RunRow>> IndexQueries::own_curves_and_failures(const std::string& category) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT {} FROM {} WHERE type = 'run' AND category = :category AND "
                                                  "(steps > 0 OR status = 'failed') AND "
                                                  "(writer = :writer OR record.id IN ({})) ORDER BY seq",
                                                  kRunColumns, kLineTables, kAcceptedRuns)));
    return read_runs(get.bind(":writer", clone().writer).bind(":category", category));
}

Result<std::vector<RunSummary>> IndexQueries::summaries(const std::string& category) {
    TRY_ASSIGN(
        Statement get,
        prepare(fmt::format("SELECT {}, COALESCE(id IN ({}), 0), writer IN ({}) FROM record WHERE type = 'run' AND "
                            "category = :category AND refused IS NULL AND rejected = 0 "
                            "ORDER BY seq",
                            kSummaryColumns, kAcceptedRuns, kProvenWriters)));
    return get.bind(":category", category).all([](Row& row) {
        RunSummary run = summary_of(row);
        run.accepted = row.flag();
        run.of_proven_key = row.flag();
        return run;
    });
}

Result<int> IndexQueries::replicates(const std::string& candidate) {
    TRY_ASSIGN(Statement get, prepare("SELECT COUNT(*) FROM record WHERE type = 'run' AND candidate = :candidate"));
    TRY_ASSIGN(auto count, get.bind(":candidate", candidate).first([](Row& row) { return row.count(); }));
    return count.value_or(0);
}

Result<bool> IndexQueries::ran_here(const std::string& candidate) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT 1 FROM record WHERE type = 'run' AND candidate = :candidate "
                                                  "AND (writer = :own OR id IN ({})) LIMIT 1",
                                                  kAcceptedRuns)));
    get.bind(":own", clone().writer).bind(":candidate", candidate);
    TRY_ASSIGN(auto found, get.first([](Row&) { return true; }));
    return found.has_value();
}

Result<std::string> IndexQueries::record_line(const std::string& id) {
    TRY_ASSIGN(Statement get, prepare(fmt::format("SELECT line, blob, place FROM {} WHERE record.id = :id AND type <> "
                                                  "'unreadable'",
                                                  kLineTables)));
    TRY_ASSIGN(auto line, get.bind(":id", id).first([&](Row& row) { return LineReader(clone().repo).read(row); }));
    return line ? std::move(*line) : fail(Code::not_found, fmt::format("cannot find record '{}'", id));
}

Result<std::vector<Lease>> IndexQueries::leases() {
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT {0} FROM {1} WHERE type = 'lease' AND writer <> :own AND refused IS NULL AND seen_s <= :now_s
    AND seen_s > :now_s - {2} * MIN(budget_s, :budget_s)
    AND NOT EXISTS (SELECT 1 FROM record AS run WHERE run.type = 'run' AND run.candidate = record.candidate
    AND run.writer = record.writer AND run.seq > record.seq)
    AND (SELECT COUNT(*) FROM (SELECT 1 FROM record AS earlier WHERE earlier.candidate = record.candidate
        AND earlier.category = record.category AND earlier.type = 'lease' AND earlier.writer <> :own
        AND earlier.refused IS NULL AND earlier.seq < record.seq LIMIT {3})) < {3})",
                                                  kLineColumns, kLineTables, kLeaseBudgets, kMostLeasesOfCandidate)));
    get.bind(":own", clone().writer).bind(":now_s", std::time(nullptr)).bind(":budget_s", clone().task.budget_s);
    std::vector<Lease> live;
    TRY(for_each_record<Lease>(clone().repo, get,
                               [&](const std::string&, Lease lease, Row&) { live.push_back(std::move(lease)); }));
    return live;
}

}  // namespace cultivar
