#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"
#include "pool/rules/speed_check.h"

namespace cultivar {
namespace {

constexpr double kSameFigures = 1e-5;                 // relative; seeds and machines differ by a hundred times as much
constexpr int kMostAlike = 256, kMostAlikeOfKey = 8;  // runs of nearly the same score that are looked at
constexpr int kBegunInVain = 3;                       // a crash or two happen to everybody

// Of a run that came by one pull with another's: when a verifier had accepted it by then, else "never"; then whether it is
// of this clone, a verifier or a stranger. The lesser one was first.
#define CULTIVAR_TURN_OF(run)                                                                                      \
    "(SELECT COALESCE((SELECT MIN(verdict.at) FROM claim_run JOIN verdict USING(claim) WHERE claim_run.run = " run \
    ".id AND result = 'accepted' AND verdict.at < strftime('%Y-%m-%dT%H:%M:%SZ', " run                             \
    ".seen_s, 'unixepoch')), 'never') || MIN(turn, 2) FROM writer WHERE name = " run ".writer)"

// Is `record` not known to be later than the run :id of :writer?
constexpr const char* kSeenBefore =
    "EXISTS (SELECT 1 FROM record AS mine WHERE mine.id = :id AND (record.seen_s < mine.seen_s OR record.seen_s = "
    "mine.seen_s AND CASE WHEN record.writer = :writer THEN record.seq < mine.seq ELSE " CULTIVAR_TURN_OF(
        "record") " <= " CULTIVAR_TURN_OF("mine") " END))";
#undef CULTIVAR_TURN_OF

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

std::string described(const Run& run, const std::string& id) {
    return fmt::format("run {} of {} ({})", id.substr(0, 8), run.writer, run.candidate.substr(0, 8));
}

class ClaimSuspicions {
public:
    ClaimSuspicions(IndexQueries& queries, IndexDatabase& database, const ClaimRow& row)
        : queries_(queries), sql_(database.sql()), own_(database.clone().writer), id_(row.id), claim_(row.claim) {}
    Result<std::vector<std::string>> find();

private:
    Result<std::optional<Run>> run_of(const std::string& id);
    Result<void> find_repeated_trainings();
    Result<void> compare_seeds();
    Result<void> compare_replicates();
    Result<void> compare_leases();
    Result<bool> find_same_figures(const std::string& id, const Run& run);
    Result<void> find_same_artifact(const std::string& id, const Run& run);
    Result<void> compare_speed(const std::string& id, const Run& run);
    Result<void> find_rejected_runs();

    IndexQueries& queries_;
    Database& sql_;
    const std::string& own_;
    const std::string& id_;
    const Claim& claim_;
    std::vector<std::string> found_{};
};

Result<std::vector<std::string>> ClaimSuspicions::find() {
    TRY(find_repeated_trainings());
    TRY(compare_seeds());
    TRY(compare_replicates());
    TRY(compare_leases());
    for (const std::string& id : claim_.runs) {
        TRY_ASSIGN(std::optional<Run> run, run_of(id));
        if (!run || run->status != RunStatus::done) continue;
        TRY_ASSIGN(const bool copied, find_same_figures(id, *run));
        if (!copied) TRY(find_same_artifact(id, *run));
        TRY(compare_speed(id, *run));
    }
    TRY(find_rejected_runs());
    return std::move(found_);
}

// Nothing: there is no such run.
Result<std::optional<Run>> ClaimSuspicions::run_of(const std::string& id) {
    auto line = queries_.record_line(id);
    if (!line && line.error().code == Code::not_found) return std::optional<Run>();
    if (!line) return fail(line.error());
    auto record = parse_line(*line);
    if (!record || !std::holds_alternative<Run>(*record)) return std::optional<Run>();
    return std::optional<Run>(std::get<Run>(std::move(*record)));
}

// The number of a replicate is its seed: the same number is the same training, whatever the records say of it.
Result<void> ClaimSuspicions::find_repeated_trainings() {
    TRY_ASSIGN(Statement get, sql_.prepare(R"(
SELECT COUNT(*) - COUNT(DISTINCT replicate) FROM record JOIN claim_run ON record.id = claim_run.run
WHERE claim_run.claim = :claim AND type = 'run')"));
    return get.bind(":claim", id_).each([&](Row& row) {
        if (const std::int64_t repeats = row.whole(); repeats > 0)
            found_.push_back(
                fmt::format("{} of its runs have the replicate number of another: one training counts once", repeats));
    });
}

// A seed picked among many.
Result<void> ClaimSuspicions::compare_seeds() {
    TRY_ASSIGN(Statement get, sql_.prepare(R"(
SELECT COUNT(*), AVG(score), SUM(id NOT IN (SELECT run FROM claim_run WHERE claim = :claim)) FROM record
WHERE type = 'run' AND status = 'done' AND refused IS NULL AND writer = :writer AND candidate = :candidate
    AND category = :category AND seq < (SELECT seq FROM record WHERE id = :claim))"));
    get.bind(":claim", id_).bind(":writer", claim_.writer).bind(":candidate", claim_.candidate);
    return get.bind(":category", claim_.category).each([&](Row& row) {
        const std::int64_t runs = row.whole();
        const double mean = row.real();
        const std::int64_t left_out = row.whole();
        if (left_out > 0 && mean > claim_.val_bpb)
            found_.push_back(fmt::format("it leaves out {} of the writer's {} runs of it, whose mean is {:.6f}",
                                         left_out, runs, mean));
    });
}

Result<void> ClaimSuspicions::compare_replicates() {
    TRY_ASSIGN(Statement get, sql_.prepare(R"(
SELECT (SELECT MAX(replicate) + 1 FROM record JOIN claim_run ON record.id = claim_run.run
        WHERE claim_run.claim = :claim),
    (SELECT COUNT(*) FROM record WHERE type = 'run' AND candidate = :candidate))"));
    return get.bind(":claim", id_).bind(":candidate", claim_.candidate).each([&](Row& row) {
        const std::int64_t numbered = row.whole(), published = row.whole();
        if (numbered > published)
            found_.push_back(fmt::format(
                "its replicate numbers count {} runs of this candidate, and the pool has {}: some were not published",
                numbered, published));
    });
}

Result<void> ClaimSuspicions::compare_leases() {
    TRY_ASSIGN(Statement get, sql_.prepare(R"(
SELECT COUNT(*), (SELECT COUNT(*) FROM record WHERE type = 'run' AND writer = :writer AND candidate = :candidate)
FROM record AS lease
WHERE type = 'lease' AND refused IS NULL AND writer = :writer AND candidate = :candidate AND NOT EXISTS (
    SELECT 1 FROM record AS run WHERE run.type = 'run' AND run.writer = :writer AND run.candidate = :candidate
        AND run.replicate = lease.replicate))"));
    return get.bind(":writer", claim_.writer).bind(":candidate", claim_.candidate).each([&](Row& row) {
        const std::int64_t begun = row.whole(), published = row.whole();
        if (begun >= kBegunInVain && begun > published)
            found_.push_back(fmt::format("the writer began {} more runs of it and published none of them", begun));
    });
}

// Runs of nearly the score of :id, of each key the oldest first, and those that came first before all others: nobody knows a
// score before it is published, so that rubbish of the same score hides no original.
constexpr const char* kAlike = R"(
SELECT id FROM (SELECT record.id, record.seen_s, record.seq, ROW_NUMBER() OVER (
        PARTITION BY COALESCE(NULLIF(writer.key, ''), writer.name) ORDER BY record.seen_s, record.seq) AS place
    FROM record JOIN writer ON writer.name = record.writer
    WHERE type = 'run' AND status = 'done' AND refused IS NULL AND record.id <> :id
        AND score BETWEEN :least AND :most AND {})
WHERE place <= :most_of_key ORDER BY seen_s, place, seq LIMIT :limit)";

// The same figures under another name, writer, number or time. The run that this clone saw first is the original. Of two
// of strangers that it met by the same refresh, in different journals, nothing tells the copy unless one was accepted.
Result<bool> ClaimSuspicions::find_same_figures(const std::string& id, const Run& run) {
    const double near = kSameFigures * std::abs(*run.val_bpb);
    TRY_ASSIGN(Statement get, sql_.prepare(fmt::format(kAlike, kSeenBefore)));
    get.bind(":id", id)
        .bind(":writer", run.writer)
        .bind(":least", *run.val_bpb - near)
        .bind(":most", *run.val_bpb + near);
    get.bind(":most_of_key", kMostAlikeOfKey).bind(":limit", kMostAlike);
    TRY_ASSIGN(const std::vector<std::string> near_runs, get.all([](Row& row) { return row.text(); }));
    for (const std::string& other_id : near_runs) {
        TRY_ASSIGN(std::optional<Run> other, run_of(other_id));
        if (!other) continue;
        const bool traces = same_trace(run, *other);
        if (!traces && !same_chunks(run, *other)) continue;
        found_.push_back(
            traces ? fmt::format("its run {} repeats the times and losses of {}", id.substr(0, 8),
                                 described(*other, other_id))
                   : fmt::format("its run {} has the weights of {}: they lose the same on every part of the slice",
                                 id.substr(0, 8), described(*other, other_id)));
        return true;
    }
    return false;
}

Result<void> ClaimSuspicions::find_same_artifact(const std::string& id, const Run& run) {
    if (run.artifact.empty()) return {};
    TRY_ASSIGN(Statement get, sql_.prepare(fmt::format(R"(
SELECT id FROM record WHERE artifact = :artifact AND artifact <> '' AND type = 'run' AND refused IS NULL AND id <> :id
    AND (writer <> :writer OR candidate <> :candidate) AND {} ORDER BY id LIMIT 1)",
                                                       kSeenBefore)));
    get.bind(":artifact", run.artifact).bind(":id", id).bind(":writer", run.writer).bind(":candidate", run.candidate);
    TRY_ASSIGN(const auto other_id, get.first([](Row& row) { return row.text(); }));
    if (!other_id) return {};
    TRY_ASSIGN(std::optional<Run> other, run_of(*other_id));
    if (other) found_.push_back(fmt::format("its artifact is that of {}", described(*other, *other_id)));
    return {};
}

// More compute than the budget: pool/rules/speed_check.h. Of other writers only this clone and runs of accepted claims are
// a reference: slow runs of names that nobody verified make no honest one fast.
Result<void> ClaimSuspicions::compare_speed(const std::string& id, const Run& run) {
    if (run.flops_per_token <= 0 || run.train_s <= 0) return {};
    TRY_ASSIGN(Statement get, sql_.prepare(R"(
SELECT writer, flops * tokens / train_s FROM record WHERE type = 'run' AND status = 'done' AND refused IS NULL
    AND rejected = 0 AND category = :category AND id <> :id AND flops BETWEEN :least AND :most AND train_s > 0
    AND (writer IN (:writer, :own) OR id IN (SELECT run FROM original)))"));
    get.bind(":category", run.category).bind(":id", id).bind(":writer", run.writer).bind(":own", own_);
    get.bind(":least", run.flops_per_token / kSimilarFlops).bind(":most", run.flops_per_token * kSimilarFlops);
    std::map<std::string, std::vector<double>> speeds;
    TRY(get.each([&](Row& row) {
        auto& of_writer = speeds[row.text()];
        of_writer.push_back(row.real());
    }));
    SpeedComparison compared{run.flops_per_token * static_cast<double>(run.tokens) / run.train_s, {}, {}};
    for (auto& [writer, made] : speeds) {
        if (writer == run.writer)
            compared.own = std::move(made);
        else
            compared.others.push_back(std::move(made));
    }
    if (std::string why = too_fast(compared); !why.empty())
        found_.push_back(fmt::format("its run {}: {}", id.substr(0, 8), why));
    return {};
}

// Runs of a rejected claim do not come back under a new claim.
Result<void> ClaimSuspicions::find_rejected_runs() {
    TRY_ASSIGN(Statement get, sql_.prepare(R"(
SELECT other.claim, other.run FROM claim_run AS mine
JOIN claim_run AS other ON other.run = mine.run AND other.claim <> mine.claim
JOIN record AS run ON run.id = mine.run AND run.rejected = 1 WHERE mine.claim = :claim
    AND EXISTS (SELECT 1 FROM verdict WHERE verdict.claim = other.claim AND verdict.result = 'rejected')
ORDER BY 1 LIMIT 1)"));
    return get.bind(":claim", id_).each([&](Row& row) {
        const std::string claim = row.text(), run = row.text();
        found_.push_back(
            fmt::format("its run {} was rejected with the claim {}", run.substr(0, 8), claim.substr(0, 8)));
    });
}

}  // namespace

Result<std::vector<std::string>> IndexQueries::suspicions(const ClaimRow& row) {
    return ClaimSuspicions(*this, *database_, row).find();
}

}  // namespace cultivar
