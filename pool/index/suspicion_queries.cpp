// What is odd about a claim beside everything else in the pool: Index::suspicions().
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "pool/index/index.h"
#include "pool/rules/speed_check.h"

namespace cultivar {
namespace {

constexpr double kSameFigures = 1e-5;  // relative; seeds and machines differ by a hundred times as much
constexpr int kMostAlike = 64;         // runs of nearly the same score that are looked at
constexpr int kBegunInVain = 3;        // a crash or two happen to everybody

bool alike(double a, double b) { return std::abs(a - b) <= kSameFigures * std::max(std::abs(a), std::abs(b)); }

// Nobody's chunks agree that well by chance.
bool same_chunks(const Run& a, const Run& b) {
    return a.chunk_loss_sums.size() == kScoreChunks &&
           std::equal(a.chunk_loss_sums.begin(), a.chunk_loss_sums.end(), b.chunk_loss_sums.begin(),
                      b.chunk_loss_sums.end(), alike);
}

bool same_trace(const Run& a, const Run& b) {
    return !a.trace_loss.empty() && a.trace_loss == b.trace_loss && a.trace_elapsed_s == b.trace_elapsed_s &&
           a.train_s == b.train_s;
}

std::string whose(const Run& run, const std::string& id) {
    return fmt::format("run {} of {} ({})", id.substr(0, 8), run.writer, run.candidate.substr(0, 8));
}

}  // namespace

Result<std::vector<std::string>> Index::suspicions(const ClaimRow& row) {
    std::vector<std::string> found;
    TRY(suspect_seeds(row, found));
    for (const std::string& id : row.claim.runs) {
        TRY_ASSIGN(std::optional<Run> run, run_of(id));
        if (!run || run->status != RunStatus::done) continue;
        TRY(suspect_copy(id, *run, found));
        TRY(suspect_pace(id, *run, found));
    }
    TRY(suspect_claims(row, found));
    return found;
}

Result<std::optional<Run>> Index::run_of(const std::string& id) {
    auto line = record_line(id);
    if (!line)
        return line.error().code == Code::not_found ? std::optional<Run>()
                                                    : Result<std::optional<Run>>(fail(line.error()));
    auto record = parse_line(*line);
    if (!record || !std::holds_alternative<Run>(*record)) return std::optional<Run>();
    return std::optional<Run>(std::get<Run>(std::move(*record)));
}

// A seed picked among many.
Result<void> Index::suspect_seeds(const ClaimRow& row, std::vector<std::string>& found) {
    TRY_ASSIGN(Statement left_out, db_->prepare(R"(
SELECT COUNT(*), AVG(score), SUM(id NOT IN (SELECT run FROM claim_run WHERE claim = ?1)) FROM record
WHERE type = 'run' AND status = 'done' AND refused IS NULL AND writer = ?2 AND candidate = ?3 AND category = ?4
    AND seq < (SELECT seq FROM record WHERE id = ?1))"));
    left_out.bind(1, row.id).bind(2, row.claim.writer).bind(3, row.claim.candidate).bind(4, row.claim.category);
    TRY(left_out.step());
    if (left_out.whole(2) > 0 && left_out.real(1) > row.claim.val_bpb)
        found.push_back(fmt::format("it leaves out {} of the writer's {} runs of it, whose mean is {:.6f}",
                                    left_out.whole(2), left_out.whole(0), left_out.real(1)));
    TRY_ASSIGN(Statement gaps, db_->prepare(R"(
SELECT (SELECT MAX(replicate) + 1 FROM record JOIN claim_run ON record.id = claim_run.run WHERE claim_run.claim = ?1),
    (SELECT COUNT(*) FROM record WHERE type = 'run' AND candidate = ?2))"));
    TRY(gaps.bind(1, row.id).bind(2, row.claim.candidate).step());
    if (gaps.whole(0) > gaps.whole(1))
        found.push_back(
            fmt::format("its replicate numbers count {} runs of this candidate, and the pool has {}: some were "
                        "not published",
                        gaps.whole(0), gaps.whole(1)));
    TRY_ASSIGN(Statement begun, db_->prepare(R"(
SELECT COUNT(*), (SELECT COUNT(*) FROM record WHERE type = 'run' AND writer = ?1 AND candidate = ?2) FROM record AS lease
WHERE type = 'lease' AND refused IS NULL AND writer = ?1 AND candidate = ?2 AND NOT EXISTS (SELECT 1 FROM record AS run
    WHERE run.type = 'run' AND run.writer = ?1 AND run.candidate = ?2 AND run.replicate = lease.replicate))"));
    TRY(begun.bind(1, row.claim.writer).bind(2, row.claim.candidate).step());
    if (begun.whole(0) >= kBegunInVain && begun.whole(0) > begun.whole(1))
        found.push_back(fmt::format("the writer began {} more runs of it and published none of them", begun.whole(0)));
    return {};
}

// The same figures under another name, writer, number or time. Who copied whom, the records cannot say.
Result<void> Index::suspect_copy(const std::string& id, const Run& run, std::vector<std::string>& found) {
    const double near = kSameFigures * std::abs(*run.val_bpb);
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT id FROM record WHERE type = 'run' AND status = 'done' AND refused IS NULL AND id <> ?1 AND score BETWEEN ?2 AND ?3
ORDER BY ABS(score - ?4), id LIMIT ?5)"));
    get.bind(1, id).bind(2, *run.val_bpb - near).bind(3, *run.val_bpb + near).bind(4, *run.val_bpb);
    get.bind(5, std::int64_t{kMostAlike});
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        TRY_ASSIGN(std::optional<Run> other, run_of(get.text(0)));
        if (!other) continue;
        if (same_trace(run, *other)) {
            found.push_back(fmt::format("its run {} repeats the times and losses of {}", id.substr(0, 8),
                                        whose(*other, get.text(0))));
        } else if (same_chunks(run, *other)) {
            found.push_back(
                fmt::format("its run {} has the weights of {}: they lose the same on every part of the slice",
                            id.substr(0, 8), whose(*other, get.text(0))));
        } else {
            continue;
        }
        return {};
    }
    if (run.artifact.empty()) return {};
    TRY_ASSIGN(Statement same, db_->prepare(R"(
SELECT id FROM record WHERE artifact = ?1 AND artifact <> '' AND type = 'run' AND refused IS NULL AND id <> ?2
    AND (writer <> ?3 OR candidate <> ?4) ORDER BY id LIMIT 1)"));
    TRY_ASSIGN(bool copied, same.bind(1, run.artifact).bind(2, id).bind(3, run.writer).bind(4, run.candidate).step());
    if (!copied) return {};
    TRY_ASSIGN(std::optional<Run> other, run_of(same.text(0)));
    if (other) found.push_back(fmt::format("its artifact is that of {}", whose(*other, same.text(0))));
    return {};
}

// More compute than the budget: pool/rules/speed_check.h.
Result<void> Index::suspect_pace(const std::string& id, const Run& run, std::vector<std::string>& found) {
    if (run.flops_per_token <= 0 || run.train_s <= 0) return {};
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT writer, flops * tokens / train_s FROM record WHERE type = 'run' AND status = 'done' AND refused IS NULL
    AND rejected = 0 AND category = ?1 AND id <> ?2 AND flops BETWEEN ?3 AND ?4 AND train_s > 0)"));
    get.bind(1, run.category).bind(2, id).bind(3, run.flops_per_token / kLike).bind(4, run.flops_per_token * kLike);
    std::map<std::string, std::vector<double>> speeds;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        speeds[get.text(0)].push_back(get.real(1));
    }
    Pace pace{run.flops_per_token * static_cast<double>(run.tokens) / run.train_s, {}, {}};
    for (auto& [writer, made] : speeds) {
        if (writer == run.writer)
            pace.own = std::move(made);
        else
            pace.others.push_back(std::move(made));
    }
    if (std::string why = too_fast(pace); !why.empty())
        found.push_back(fmt::format("its run {}: {}", id.substr(0, 8), why));
    return {};
}

// What was rejected does not come back under a new claim.
Result<void> Index::suspect_claims(const ClaimRow& row, std::vector<std::string>& found) {
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT other.claim, other.run FROM claim_run AS mine JOIN claim_run AS other ON other.run = mine.run AND other.claim <> mine.claim
JOIN record AS run ON run.id = mine.run AND run.rejected = 1 WHERE mine.claim = ?1
    AND EXISTS (SELECT 1 FROM verdict WHERE verdict.claim = other.claim AND verdict.result = 'rejected') ORDER BY 1 LIMIT 1)"));
    TRY_ASSIGN(bool again, get.bind(1, row.id).step());
    if (again)
        found.push_back(fmt::format("its run {} was rejected with the claim {}", get.text(1).substr(0, 8),
                                    get.text(0).substr(0, 8)));
    return {};
}

}  // namespace cultivar
