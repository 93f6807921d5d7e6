#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "pool/index.h"

namespace cultivar {
namespace {

constexpr std::size_t kShortestPrefix = 4;
constexpr double kLeaseBudgets = 1.5;
constexpr int kMaxAncestry = 1000;  // generations that have records but no commits

std::vector<std::string> split(const std::string& text) {
    std::istringstream words(text);
    std::vector<std::string> out;
    for (std::string word; words >> word;) out.push_back(word);
    return out;
}

// The newest verdict on a claim that counts: nobody judges their own claim.
constexpr const char* kVerdictOf =
    "(SELECT line FROM verdict WHERE verdict.claim = record.id AND verdict.verifier <> record.writer "
    "ORDER BY at DESC, verdict.seq DESC LIMIT 1)";

// What is wrong with a claim given the runs it names; "" if nothing.
std::string problem_of(const Claim& claim, const std::map<std::string, RunRow>& runs) {
    double sum = 0;
    bool artifact = false;
    for (const std::string& id : claim.runs) {
        auto found = runs.find(id);
        std::string short_id = id.substr(0, 8);
        if (found == runs.end()) return fmt::format("its run {} is not in the journal", short_id);
        const RunRow& row = found->second;
        if (row.run.writer != claim.writer) return fmt::format("its run {} is another writer's", short_id);
        if (!row.why_refused.empty()) return fmt::format("its run {}: {}", short_id, row.why_refused);
        if (row.run.candidate != claim.candidate || row.run.category != claim.category ||
            row.run.status != RunStatus::done)
            return fmt::format("its run {} is not a scored run of this candidate and category", short_id);
        sum += *row.run.val_bpb;
        artifact = artifact || (id == claim.artifact_run && row.run.artifact == claim.artifact);
    }
    double mean = sum / static_cast<double>(claim.runs.size());
    if (std::abs(mean - claim.val_bpb) > 1e-9 * mean)
        return fmt::format("it claims {:.6f} where its runs' mean is {:.6f}", claim.val_bpb, mean);
    if (!artifact) return "its artifact is not that of the run it names";
    return "";
}

std::string verdict_word(const std::vector<ClaimRow>& claims, const std::string& category) {
    std::set<std::string> words;
    for (const ClaimRow& row : claims) {
        if (row.claim.category == category) words.insert(row.verdict ? row.verdict->result : "pending");
    }
    for (const char* word : {"accepted", "pending", "inconclusive", "rejected"}) {
        if (words.count(word)) return word;
    }
    return "";
}

}  // namespace

Result<std::string> Index::resolve(const std::string& prefix, const char* sql, const char* what) {
    bool hex = prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (hex && prefix.size() < kShortestPrefix)
        return fail(Code::usage,
                    fmt::format("'{}' is too short: an id takes {} digits or more", prefix, kShortestPrefix));
    if (!hex || prefix.size() > 64)
        return fail(Code::not_found, fmt::format("cannot find {} '{}'", what, prefix), "cultivar top");
    TRY_ASSIGN(Statement get, db_.prepare(sql));
    get.bind(1, prefix + "*");
    std::vector<std::string> found;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        found.push_back(get.text(0));
    }
    if (found.empty()) return fail(Code::not_found, fmt::format("cannot find {} '{}'", what, prefix), "cultivar top");
    if (found.size() > 1) {
        std::vector<std::string> shown;
        for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 4); ++i)
            shown.push_back(found[i].substr(0, 12));
        return fail(Code::usage, fmt::format("'{}' is ambiguous: it may mean {}", prefix, fmt::join(shown, ", ")));
    }
    return found[0];
}

Result<std::string> Index::resolve_candidate(const std::string& prefix) {
    return resolve(prefix, "SELECT id FROM candidate WHERE id GLOB ? ORDER BY id LIMIT 5", "candidate");
}

Result<std::string> Index::resolve_any(const std::string& prefix) {
    return resolve(prefix,
                   "SELECT id FROM candidate WHERE id GLOB ?1 UNION SELECT id FROM record WHERE id GLOB ?1 LIMIT 5",
                   "candidate or record");
}

// An accepted standing rests on the runs of its accepted claims, whoever else ran the candidate, and is no better than
// the runs whose weights were scored again.
Result<void> Index::keep_to_vouched(const std::vector<ClaimRow>& claims, Standing& standing) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT score FROM record WHERE id = ?"));
    std::set<std::string> claimed, rescored;
    for (const ClaimRow& row : claims) {
        if (row.claim.category != standing.category || !row.verdict || row.verdict->result != "accepted") continue;
        claimed.insert(row.claim.runs.begin(), row.claim.runs.end());
        rescored.insert(row.claim.artifact_run);
    }
    auto mean = [&](const std::set<std::string>& runs) -> Result<double> {
        double sum = 0;
        for (const std::string& run : runs) {
            TRY_ASSIGN(bool there, get.bind(1, run).step());
            if (!there)
                return fail(Code::corrupt, fmt::format("an accepted claim names a run '{}' that is not here", run));
            sum += get.real(0);
            get.reset();
        }
        return sum / static_cast<double>(runs.size());
    };
    TRY_ASSIGN(double said, mean(claimed));
    TRY_ASSIGN(double shown, mean(rescored));
    standing.runs = static_cast<int>(claimed.size());
    standing.val_bpb = std::max(said, shown);
    return {};
}

Result<std::vector<Standing>> Index::standings() {
    TRY_ASSIGN(std::vector<ClaimRow> all_claims, claims());
    std::map<std::string, std::vector<ClaimRow>> by_candidate;
    for (ClaimRow& row : all_claims) by_candidate[row.claim.candidate].push_back(std::move(row));
    TRY_ASSIGN(Statement get, db_.prepare(R"(
SELECT candidate, category, SUM(rejected = 0), AVG(CASE WHEN rejected = 0 THEN score END), SUM(decision = 'kept') > 0,
       AVG(score), AVG(CASE WHEN rejected = 0 THEN joules END),
       MIN(seq), writer, parameters, flops  -- of that first run: SQLite takes bare columns from a lone MIN's row
FROM record WHERE type = 'run' AND status = 'done' AND refused IS NULL GROUP BY candidate, category)"));
    std::vector<Standing> rows;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        Standing standing;
        standing.candidate = get.text(0);
        standing.category = get.text(1);
        standing.runs = static_cast<int>(get.whole(2));
        standing.val_bpb = standing.runs > 0 ? get.real(3) : get.real(5);
        standing.kept = get.whole(4) != 0;
        if (!get.is_null(6)) standing.cost.joules_per_token = get.real(6);
        standing.contributor = get.text(8);
        if (!get.is_null(9)) standing.cost.parameters = get.whole(9);
        if (!get.is_null(10)) standing.cost.forward_flops_per_token = get.real(10);
        standing.verdict = verdict_word(by_candidate[standing.candidate], standing.category);
        if (standing.verdict == "accepted") TRY(keep_to_vouched(by_candidate[standing.candidate], standing));
        rows.push_back(std::move(standing));
    }
    std::stable_sort(rows.begin(), rows.end(), [](const Standing& a, const Standing& b) {
        return std::tuple(a.category, a.runs == 0, a.val_bpb, a.candidate) <
               std::tuple(b.category, b.runs == 0, b.val_bpb, b.candidate);
    });
    return rows;
}

Result<std::vector<Unfit>> Index::unfit() {
    TRY_ASSIGN(Statement get, db_.prepare(R"(
SELECT candidate, category, json_extract(line, '$.reason'), MAX(seq) FROM record AS one
WHERE type = 'run' AND status = 'unfit' AND refused IS NULL AND NOT EXISTS (
    SELECT 1 FROM record AS other WHERE other.type = 'run' AND other.status = 'done' AND other.refused IS NULL
    AND other.candidate = one.candidate AND other.category = one.category)
GROUP BY candidate, category ORDER BY category, candidate)"));
    std::vector<Unfit> rows;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        rows.push_back({get.text(0), get.text(1), get.text(2)});
    }
    return rows;
}

Result<std::vector<CandidateRow>> Index::candidates() {
    TRY_ASSIGN(Statement commits, db_.prepare("SELECT oid, candidate FROM candidate_commit ORDER BY oid"));
    std::map<std::string, std::vector<Oid>> by_candidate;
    for (;;) {
        TRY_ASSIGN(bool row, commits.step());
        if (!row) break;
        by_candidate[commits.text(1)].push_back(commits.text(0));
    }
    TRY_ASSIGN(Statement get, db_.prepare("SELECT id, toml, parents FROM candidate ORDER BY seq"));
    std::vector<CandidateRow> rows;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        rows.push_back({get.text(0), get.text(1), split(get.text(2)), by_candidate[get.text(0)]});
    }
    return rows;
}

Result<std::optional<CandidateRow>> Index::candidate(const std::string& id) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT id, toml, parents FROM candidate WHERE id = ?"));
    TRY_ASSIGN(bool there, get.bind(1, id).step());
    if (!there) return std::optional<CandidateRow>();
    CandidateRow row{get.text(0), get.text(1), split(get.text(2)), {}};
    TRY_ASSIGN(Statement commits, db_.prepare("SELECT oid FROM candidate_commit WHERE candidate = ? ORDER BY oid"));
    commits.bind(1, id);
    for (;;) {
        TRY_ASSIGN(bool more, commits.step());
        if (!more) break;
        row.commits.push_back(commits.text(0));
    }
    return std::optional<CandidateRow>(std::move(row));
}

namespace {

Result<std::vector<RunRow>> read_runs(Statement& get) {
    std::vector<RunRow> rows;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        auto record = parse_line(get.text(1));
        if (!record || !std::holds_alternative<Run>(*record)) continue;
        RunRow row{get.text(0), std::get<Run>(std::move(*record)), false, get.text(2)};
        if (row.why_refused.empty() && get.whole(3) != 0) row.refused = true;
        row.refused = row.refused || !row.why_refused.empty();
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace

Result<std::vector<RunRow>> Index::runs(const std::string& candidate) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT id, line, refused, rejected FROM record WHERE type = 'run' AND "
                                          "(?1 = '' OR candidate = ?1) ORDER BY seq"));
    return read_runs(get.bind(1, candidate));
}

Result<std::vector<RunRow>> Index::newest_runs(int count) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT id, line, refused, rejected FROM record WHERE type = 'run' "
                                          "ORDER BY at DESC, seq DESC LIMIT ?"));
    return read_runs(get.bind(1, std::int64_t{count}));
}

Result<std::string> Index::record_line(const std::string& id) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT line FROM record WHERE id = ? AND type <> 'unreadable'"));
    TRY_ASSIGN(bool there, get.bind(1, id).step());
    if (!there) return fail(Code::not_found, fmt::format("cannot find record '{}'", id));
    return get.text(0);
}

Result<std::vector<ClaimRow>> Index::claims(const std::string& candidate) {
    TRY_ASSIGN(Statement get,
               db_.prepare(fmt::format("SELECT id, line, refused, {} FROM record WHERE type = 'claim' AND "
                                       "(?1 = '' OR candidate = ?1) ORDER BY seq",
                                       kVerdictOf)));
    get.bind(1, candidate);
    TRY_ASSIGN(Statement named, db_.prepare("SELECT record.id, line, refused, rejected FROM claim_run JOIN record ON "
                                            "record.id = claim_run.run WHERE claim_run.claim = ?"));
    std::vector<ClaimRow> rows;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        auto record = parse_line(get.text(1));
        if (!record || !std::holds_alternative<Claim>(*record)) continue;
        ClaimRow row{get.text(0), std::get<Claim>(std::move(*record)), get.text(2), std::nullopt};
        if (!get.is_null(3)) {
            auto verdict = parse_verdict(get.text(3));
            if (verdict) row.verdict = std::move(*verdict);
        }
        if (row.problem.empty()) {
            TRY_ASSIGN(std::vector<RunRow> runs, read_runs(named.bind(1, row.id)));
            named.reset();
            std::map<std::string, RunRow> by_id;
            for (RunRow& run : runs) by_id.emplace(run.id, std::move(run));
            row.problem = problem_of(row.claim, by_id);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::vector<Lease>> Index::leases() {
    TRY_ASSIGN(Statement get, db_.prepare(R"(
SELECT line, seen_s FROM record AS lease WHERE type = 'lease' AND writer <> ? AND refused IS NULL AND NOT EXISTS (
    SELECT 1 FROM record AS run WHERE run.type = 'run' AND run.candidate = lease.candidate AND run.writer = lease.writer
    AND run.seq > lease.seq))"));
    get.bind(1, clone_->writer);
    std::vector<Lease> live;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        auto record = parse_line(get.text(0));
        if (!record || !std::holds_alternative<Lease>(*record)) continue;
        auto& lease = std::get<Lease>(*record);
        if (static_cast<double>(std::time(nullptr) - get.whole(1)) < kLeaseBudgets * lease.budget_s)
            live.push_back(lease);
    }
    return live;
}

Result<int> Index::replicates(const std::string& candidate) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT COUNT(*) FROM record WHERE type = 'run' AND candidate = ?"));
    TRY(get.bind(1, candidate).step());
    return static_cast<int>(get.whole(0));
}

Result<Totals> Index::totals() {
    Totals totals;
    TRY_ASSIGN(std::vector<RunRow> all, runs());
    std::set<std::string> writers, kept;
    for (const RunRow& row : all) {
        if (!row.why_refused.empty()) continue;
        ++totals.runs;
        totals.done += row.run.status == RunStatus::done;
        totals.failed += row.run.status == RunStatus::failed;
        totals.unfit += row.run.status == RunStatus::unfit;
        totals.stopped += row.run.status == RunStatus::stopped;
        if (row.run.decision == Decision::kept) kept.insert(row.run.candidate);
        writers.insert(row.run.writer);
        totals.search_s += row.run.wall_s;
        totals.search_joules += row.run.energy.joules;
    }
    totals.kept = static_cast<int>(kept.size());
    totals.contributors = static_cast<int>(writers.size());
    TRY_ASSIGN(std::vector<ClaimRow> all_claims, claims());
    for (const ClaimRow& row : all_claims) {
        ++totals.claims;
        totals.pending += !row.verdict;
        totals.accepted += row.verdict && row.verdict->result == "accepted";
        totals.rejected += row.verdict && row.verdict->result == "rejected";
    }
    TRY_ASSIGN(Statement get, db_.prepare(R"(
SELECT (SELECT COUNT(*) FROM candidate), (SELECT COUNT(*) FROM record WHERE refused IS NOT NULL) +
       (SELECT COUNT(*) FROM branch WHERE refused IS NOT NULL),
       (SELECT TOTAL(seconds) FROM verdict), (SELECT TOTAL(joules) FROM verdict))"));
    TRY(get.step());
    totals.candidates = static_cast<int>(get.whole(0));
    totals.refused = static_cast<int>(get.whole(1));
    totals.verify_s = get.real(2);
    totals.verify_joules = get.real(3);
    return totals;
}

Result<CandidateCommit> Index::commit_of(const std::string& candidate_id, int depth) {
    if (depth > kMaxAncestry) return fail(Code::corrupt, "candidates whose parents go round in a circle");
    TRY_ASSIGN(std::optional<CandidateRow> row, candidate(candidate_id));
    if (!row) return fail(Code::not_found, fmt::format("cannot find candidate '{}'", candidate_id), "cultivar top");
    if (!row->commits.empty()) return lineage_->read(row->commits.front());
    if (auto made = made_.find(candidate_id); made != made_.end()) return lineage_->read(made->second);
    TRY_ASSIGN(Candidate content, parse_canonical(clone_->task.space, clone_->task_id, row->toml));
    std::vector<Oid> parents;
    for (const std::string& parent : row->parents) {
        TRY_ASSIGN(CandidateCommit from, commit_of(parent, depth + 1));
        parents.push_back(from.oid);
    }
    TRY_ASSIGN(CandidateCommit commit, lineage_->write(content, parents));
    made_[candidate_id] = commit.oid;
    return commit;
}

}  // namespace cultivar
