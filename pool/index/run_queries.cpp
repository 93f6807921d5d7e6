// What the index knows of runs and leases.
#include <ctime>

#include <fmt/format.h>

#include "pool/index/index.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

constexpr double kLeaseBudgets = 1.5;

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

}  // namespace

// Columns: kLineColumns, refused, rejected, source.
Result<std::vector<RunRow>> Index::read_runs(Statement& get) {
    std::vector<RunRow> rows;
    TRY(for_each_record<Run>(clone_->repo, get, [&](Run run) -> Result<void> {
        RunRow row{get.text(0), std::move(run), false, get.text(4), get.text(6)};
        row.refused = !row.why_refused.empty() || get.whole(5) != 0;
        rows.push_back(std::move(row));
        return {};
    }));
    return rows;
}

Result<std::vector<RunRow>> Index::runs(const std::string& candidate) {
    TRY_ASSIGN(Statement get,
               db_->prepare(fmt::format("SELECT {}, refused, rejected, source FROM {} WHERE type = 'run' {} "
                                        "ORDER BY seq",
                                        kLineColumns, kLineTables, candidate.empty() ? "" : "AND candidate = ?1")));
    if (!candidate.empty()) get.bind(1, candidate);
    return read_runs(get);
}

Result<std::vector<RunRow>> Index::newest_runs(int count) {
    TRY_ASSIGN(Statement get,
               db_->prepare(fmt::format("SELECT {}, refused, rejected, source FROM {} WHERE type = 'run' "
                                        "ORDER BY at DESC, seq DESC LIMIT ?",
                                        kLineColumns, kLineTables)));
    return read_runs(get.bind(1, std::int64_t{count}));
}

Result<std::vector<RunRow>> Index::own_runs(const std::string& category) {
    TRY_ASSIGN(std::set<std::string> accepted, accepted_runs());
    TRY_ASSIGN(Statement get,
               db_->prepare(fmt::format("SELECT {}, refused, rejected, source FROM {} WHERE type = 'run' AND "
                                        "category = ?2 AND (writer = ?1 OR instr(?3, record.id)) "
                                        "ORDER BY seq",
                                        kLineColumns, kLineTables)));
    return read_runs(
        get.bind(1, clone_->writer).bind(2, category).bind(3, fmt::format("{}", fmt::join(accepted, " "))));
}

Result<std::vector<RunSummary>> Index::summaries(const std::string& category) {
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT id, writer, candidate, operator, status, decision, score, budget_s, steps, parents, wall_s, proposer,
    proposer_s, proposer_usd FROM record
WHERE type = 'run' AND category = ? AND refused IS NULL AND rejected = 0 ORDER BY seq)"));
    get.bind(1, category);
    std::vector<RunSummary> rows;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        rows.push_back({get.text(0), get.text(1), get.text(2), get.text(3), run_status(get.text(4)),
                        decision(get.text(5)), get.real(6), get.real(7), get.whole(8), split(get.text(9)), get.real(10),
                        get.text(11), get.real(12), get.real(13)});
    }
    return rows;
}

Result<std::map<std::string, int>> Index::run_counts() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT candidate, COUNT(*) FROM record WHERE type = 'run' AND refused IS "
                                           "NULL AND rejected = 0 GROUP BY candidate"));
    std::map<std::string, int> counts;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        counts.emplace_hint(counts.end(), get.text(0), static_cast<int>(get.whole(1)));
    }
    return counts;
}

Result<int> Index::replicates(const std::string& candidate) {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT COUNT(*) FROM record WHERE type = 'run' AND candidate = ?"));
    TRY(get.bind(1, candidate).step());
    return static_cast<int>(get.whole(0));
}

Result<std::string> Index::record_line(const std::string& id) {
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format("SELECT {} FROM {} WHERE record.id = ? AND type <> 'unreadable'",
                                                       kLineColumns, kLineTables)));
    TRY_ASSIGN(bool there, get.bind(1, id).step());
    if (!there) return fail(Code::not_found, fmt::format("cannot find record '{}'", id));
    return LineReader(clone_->repo).read(get);
}

Result<std::vector<Lease>> Index::leases() {
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format(R"(
SELECT {} FROM {} WHERE type = 'lease' AND writer <> ?1 AND refused IS NULL AND seen_s <= ?2
    AND seen_s > ?2 - {} * MIN(budget_s, ?3)
    AND NOT EXISTS (SELECT 1 FROM record AS run WHERE run.type = 'run' AND run.candidate = record.candidate
    AND run.writer = record.writer AND run.seq > record.seq))",
                                                       kLineColumns, kLineTables, kLeaseBudgets)));
    get.bind(1, clone_->writer).bind(2, std::int64_t{std::time(nullptr)}).bind(3, clone_->task.budget_s);
    std::vector<Lease> live;
    TRY(for_each_record<Lease>(clone_->repo, get, [&](Lease lease) -> Result<void> {
        live.push_back(std::move(lease));
        return {};
    }));
    return live;
}

}  // namespace cultivar
