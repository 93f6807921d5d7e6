// What the index knows of standings and claims.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "pool/index/index.h"
#include "pool/index/sql.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

// A run that a claim names, as far as the claim depends on it.
struct NamedRun {
    std::string writer, refused, candidate, category, status, artifact;
    double score = 0;
};

// What is wrong with a claim given the runs it names; "" if nothing.
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

Result<std::vector<Standing>> Index::standings(const std::string& category, int most, bool verified) {
    std::vector<std::string> categories = {category};
    if (category.empty()) {
        categories.clear();
        TRY_ASSIGN(auto counts, scored());
        for (const auto& count : counts) categories.push_back(count.first);
    }
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format(
                                  R"(
SELECT candidate, runs, val_bpb, kept, contributor, parameters, flops, joules, verdict, record FROM standing
WHERE category = ? {} AND candidate NOT IN (SELECT candidate FROM retired)
ORDER BY category, runs = 0, val_bpb, candidate LIMIT ?)",
                                  verified ? "AND verdict = 'accepted'" : "")));
    std::vector<Standing> rows;
    for (const std::string& name : categories) {
        get.bind(1, name).bind(2, std::int64_t{most > 0 ? most : -1});
        for (;;) {
            TRY_ASSIGN(bool row, get.step());
            if (!row) break;
            Standing standing{get.text(0),
                              name,
                              static_cast<int>(get.whole(1)),
                              get.real(2),
                              get.whole(3) != 0,
                              get.text(8),
                              get.whole(9) != 0,
                              get.text(4),
                              {}};
            if (!get.is_null(5)) standing.cost.parameters = get.whole(5);
            if (!get.is_null(6)) standing.cost.forward_flops_per_token = get.real(6);
            if (!get.is_null(7)) standing.cost.joules_per_token = get.real(7);
            rows.push_back(std::move(standing));
        }
        get.reset();
    }
    return rows;
}

Result<std::optional<RecordHolder>> Index::record_holder(const std::string& category, const std::string& but_claim) {
    TRY_ASSIGN(Statement get,
               db_->prepare(fmt::format("SELECT id, candidate, {}, {} AS is_record FROM record WHERE type = 'claim' "
                                        "AND category = ?1 AND id <> ?2 AND is_record ORDER BY score, id LIMIT 1",
                                        kVerdictOf, kRecordOf)));
    TRY_ASSIGN(bool there, get.bind(1, category).bind(2, but_claim).step());
    if (!there) return std::optional<RecordHolder>();
    RecordHolder holder{get.text(0), get.text(1), {}};
    TRY_ASSIGN(const Verdict verdict, parse_verdict(get.text(2)));
    holder.scores = fresh_scores(verdict);
    if (holder.scores.empty()) {
        TRY_ASSIGN(holder.scores, claim_scores(holder.claim));
    }
    return std::optional<RecordHolder>(std::move(holder));
}

Result<std::vector<double>> Index::claim_scores(const std::string& claim) {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT MAX(score) FROM claim_run JOIN record ON record.id = claim_run.run "
                                           "WHERE claim_run.claim = ? AND type = 'run' AND status = 'done' AND refused "
                                           "IS NULL GROUP BY replicate ORDER BY replicate"));
    get.bind(1, claim);
    std::vector<double> scores;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        scores.push_back(get.real(0));
    }
    return scores;
}

Result<std::map<std::string, int>> Index::scored() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT substr(name, 8), value FROM total WHERE name LIKE 'scored %'"));
    std::map<std::string, int> counts;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        counts[get.text(0)] = static_cast<int>(get.whole(1));
    }
    return counts;
}

Result<std::vector<Unfit>> Index::unfit(int most) {
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT candidate, category, reason FROM record AS one WHERE type = 'run' AND status = 'unfit' AND refused IS NULL
    AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.candidate = one.candidate AND standing.category = one.category)
    AND NOT EXISTS (SELECT 1 FROM record AS newer WHERE newer.candidate = one.candidate
        AND newer.category = one.category AND newer.type = 'run' AND newer.status = 'unfit' AND newer.refused IS NULL
        AND newer.seq > one.seq)
ORDER BY seq DESC LIMIT ?)"));
    get.bind(1, std::int64_t{most > 0 ? most : -1});
    std::vector<Unfit> rows;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        rows.push_back({get.text(0), get.text(1), get.text(2)});
    }
    std::ranges::sort(rows, {}, [](const Unfit& one) { return std::tie(one.category, one.candidate); });
    return rows;
}

Result<std::set<std::string>> Index::accepted_runs() {
    return texts(*db_,
                 fmt::format("SELECT artifact_run FROM record WHERE type = 'claim' AND {} = 'accepted'", kResultOf));
}

Result<std::set<std::string>> Index::judged_artifacts(int keep) {
    TRY_ASSIGN(std::set<std::string> needed, needed_artifacts());
    TRY_ASSIGN(
        std::set<std::string> judged,
        texts(*db_, fmt::format("SELECT artifact FROM record WHERE type = 'claim' AND {} IS NOT NULL", kResultOf)));
    TRY_ASSIGN(
        std::set<std::string> best,
        texts(*db_, fmt::format("SELECT artifact FROM (SELECT artifact, ROW_NUMBER() OVER (PARTITION BY category "
                                "ORDER BY score) AS place FROM record WHERE type = 'claim' AND {} = 'accepted') "
                                "WHERE place <= {}",
                                kResultOf, keep)));
    std::erase_if(judged,
                  [&](const std::string& digest) { return needed.count(digest) > 0 || best.count(digest) > 0; });
    return judged;
}

Result<std::set<std::string>> Index::needed_artifacts() {
    return texts(*db_,
                 fmt::format("SELECT artifact FROM record WHERE type = 'claim' AND {} IS NULL UNION SELECT artifact "
                             "FROM record WHERE type = 'run' AND status = 'done' AND decision <> 'reverted' AND "
                             "writer = '{}' AND NOT EXISTS (SELECT 1 FROM record AS claim WHERE claim.type = "
                             "'claim' AND claim.artifact = record.artifact)",
                             kResultOf, clone_->writer));
}

// Columns: kLineColumns, refused, the newest verdict that counts.
Result<std::vector<ClaimRow>> Index::read_claims(Statement& get) {
    TRY_ASSIGN(Statement named,
               db_->prepare("SELECT record.id, writer, refused, candidate, category, status, artifact, "
                            "score FROM claim_run JOIN record ON record.id = claim_run.run "
                            "WHERE claim_run.claim = ? AND type = 'run'"));
    std::vector<ClaimRow> rows;
    TRY(for_each_record<Claim>(clone_->repo, get, [&](Claim claim) -> Result<void> {
        ClaimRow row{get.text(0), std::move(claim), get.text(4), std::nullopt};
        if (!get.is_null(5)) {
            auto verdict = parse_verdict(get.text(5));
            if (verdict) row.verdict = std::move(*verdict);
        }
        if (row.problem.empty()) {
            std::map<std::string, NamedRun> runs;
            named.bind(1, row.id);
            for (;;) {
                TRY_ASSIGN(bool run, named.step());
                if (!run) break;
                runs[named.text(0)] = {named.text(1), named.text(2), named.text(3), named.text(4),
                                       named.text(5), named.text(6), named.real(7)};
            }
            named.reset();
            row.problem = problem_of(row.claim, runs);
        }
        rows.push_back(std::move(row));
        return {};
    }));
    return rows;
}

Result<std::vector<ClaimRow>> Index::claims(const std::string& candidate) {
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format(
                                  "SELECT {}, refused, {} FROM {} WHERE type = 'claim' {} ORDER BY seq", kLineColumns,
                                  kVerdictOf, kLineTables, candidate.empty() ? "" : "AND candidate = ?1")));
    if (!candidate.empty()) get.bind(1, candidate);
    return read_claims(get);
}

Result<std::vector<ClaimRow>> Index::pending_claims() {
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format("SELECT {}, refused, NULL FROM {} WHERE type = 'claim' AND {} "
                                                       "IS NULL ORDER BY seq",
                                                       kLineColumns, kLineTables, kVerdictOf)));
    return read_claims(get);
}

Result<std::map<std::string, int>> Index::children() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT parents FROM candidate WHERE parents <> ''"));
    std::map<std::string, int> count;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        for (const std::string& parent : split(get.text(0))) ++count[parent];
    }
    return count;
}

Result<std::map<std::string, int>> Index::valid_in_a_row() {
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT key, result FROM (SELECT verdict.at, verdict.seq, result, writer.key,
        ROW_NUMBER() OVER (PARTITION BY claim ORDER BY verdict.at DESC, verdict.seq DESC) AS place
    FROM verdict JOIN record ON record.id = verdict.claim AND record.type = 'claim'
        AND substr(verifier, -8) <> substr(record.writer, -8)
    JOIN writer ON writer.name = record.writer)
WHERE place = 1 ORDER BY at, seq)"));
    std::map<std::string, int> by_key;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        int& count = by_key[get.text(0)];
        if (get.text(1) == "accepted") ++count;
        if (get.text(1) == "rejected") count = 0;
    }
    TRY_ASSIGN(Statement writers, db_->prepare("SELECT name, key FROM writer WHERE key <> ''"));
    std::map<std::string, int> by_writer;
    for (;;) {
        TRY_ASSIGN(bool more, writers.step());
        if (!more) break;
        by_writer[writers.text(0)] = by_key[writers.text(1)];
    }
    return by_writer;
}

Result<std::vector<std::string>> Index::unclaimed() {
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT DISTINCT candidate FROM record AS run WHERE type = 'run' AND writer = ?1 AND status = 'done'
    AND decision = 'kept' AND refused IS NULL AND rejected = 0 AND NOT EXISTS (
    SELECT 1 FROM record AS claim WHERE claim.type = 'claim' AND claim.writer = ?1
        AND claim.candidate = run.candidate AND claim.category = run.category)
    AND candidate NOT IN (SELECT candidate FROM retired) ORDER BY seq)"));
    get.bind(1, clone_->writer);
    std::vector<std::string> ids;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        ids.push_back(get.text(0));
    }
    return ids;
}

Result<std::vector<std::string>> Index::claimed_artifacts() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT DISTINCT artifact FROM record WHERE type = 'claim' AND writer = ?"));
    get.bind(1, clone_->writer);
    std::vector<std::string> digests;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        digests.push_back(get.text(0));
    }
    return digests;
}

Result<Totals> Index::totals() {
    Totals totals;
    const std::map<std::string, int*> counts = {{"runs", &totals.runs},
                                                {"done", &totals.done},
                                                {"kept", &totals.kept},
                                                {"failed", &totals.failed},
                                                {"unfit", &totals.unfit},
                                                {"stopped", &totals.stopped},
                                                {"claims", &totals.claims},
                                                {"pending", &totals.pending},
                                                {"accepted", &totals.accepted},
                                                {"rejected", &totals.rejected},
                                                {"refused", &totals.refused},
                                                {"candidates", &totals.candidates},
                                                {"contributors", &totals.contributors}};
    const std::map<std::string, double*> sums = {{"search_s", &totals.search_s},
                                                 {"search_joules", &totals.search_joules},
                                                 {"verify_s", &totals.verify_s},
                                                 {"verify_joules", &totals.verify_joules}};
    TRY_ASSIGN(Statement get, db_->prepare("SELECT name, value FROM total"));
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        if (auto count = counts.find(get.text(0)); count != counts.end())
            *count->second = static_cast<int>(get.whole(1));
        if (auto sum = sums.find(get.text(0)); sum != sums.end()) *sum->second = get.real(1);
    }
    return totals;
}

}  // namespace cultivar
