#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "pool/index.h"
#include "pool/segment_log.h"

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

// The newest verdict on a claim that counts: nobody judges their own claim, under whatever name; the key tells.
constexpr const char* kVerdictOf =
    "(SELECT line FROM verdict WHERE verdict.claim = record.id AND substr(verdict.verifier, -8) <> "
    "substr(record.writer, -8) "
    "ORDER BY at DESC, verdict.seq DESC LIMIT 1)";

constexpr const char* kResultOf =
    "(SELECT result FROM verdict WHERE verdict.claim = record.id AND substr(verdict.verifier, -8) <> "
    "substr(record.writer, -8) "
    "ORDER BY at DESC, verdict.seq DESC LIMIT 1)";

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

// The first column of a query's rows.
Result<std::set<std::string>> texts(Database& db, const std::string& sql) {
    TRY_ASSIGN(Statement get, db.prepare(sql));
    std::set<std::string> found;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        found.insert(get.text(0));
    }
    return found;
}

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
        std::string short_id = id.substr(0, 8);
        if (found == runs.end()) return fmt::format("its run {} is not in the journal", short_id);
        const NamedRun& run = found->second;
        if (run.writer != claim.writer) return fmt::format("its run {} is another writer's", short_id);
        if (!run.refused.empty()) return fmt::format("its run {}: {}", short_id, run.refused);
        if (run.candidate != claim.candidate || run.category != claim.category || run.status != "done")
            return fmt::format("its run {} is not a scored run of this candidate and category", short_id);
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

Result<std::string> Index::resolve(const std::string& prefix, const char* sql, const char* what) {
    bool hex = prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (hex && prefix.size() < kShortestPrefix)
        return fail(Code::usage,
                    fmt::format("'{}' is too short: an id takes {} digits or more", prefix, kShortestPrefix));
    if (!hex || prefix.size() > 64)
        return fail(Code::not_found, fmt::format("cannot find {} '{}'", what, prefix), "cultivar top");
    TRY_ASSIGN(Statement get, db_->prepare(sql));
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
               db_->prepare("SELECT id, candidate, (SELECT result = 'accepted' AND verdict.record FROM verdict WHERE "
                            "verdict.claim = record.id AND substr(verdict.verifier, -8) <> substr(record.writer, -8) "
                            "ORDER BY at DESC, verdict.seq DESC LIMIT 1) AS is_record FROM record WHERE type = 'claim' "
                            "AND category = ?1 AND id <> ?2 AND is_record ORDER BY score, id LIMIT 1"));
    TRY_ASSIGN(bool there, get.bind(1, category).bind(2, but_claim).step());
    if (!there) return std::optional<RecordHolder>();
    RecordHolder holder{get.text(0), get.text(1), {}};
    TRY_ASSIGN(holder.scores, claim_scores(holder.claim));
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

Result<std::int64_t> Index::candidate_count() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT COUNT(*) FROM candidate"));
    TRY(get.step());
    return get.whole(0);
}

Result<std::vector<CandidateRow>> Index::candidates(const std::set<std::string>* only) {
    TRY_ASSIGN(Statement commits,
               db_->prepare("SELECT oid, candidate FROM candidate_commit WHERE shared > 0 ORDER BY oid"));
    std::map<std::string, std::vector<Oid>> by_candidate;
    for (;;) {
        TRY_ASSIGN(bool row, commits.step());
        if (!row) break;
        by_candidate[commits.text(1)].push_back(commits.text(0));
    }
    TRY_ASSIGN(Statement get, db_->prepare("SELECT id, toml, parents FROM candidate ORDER BY seq"));
    std::vector<CandidateRow> rows;
    for (;;) {
        TRY_ASSIGN(bool row, get.step());
        if (!row) break;
        if (only && !only->count(get.text(0))) continue;
        rows.push_back({get.text(0), get.text(1), split(get.text(2)), by_candidate[get.text(0)]});
    }
    return rows;
}

Result<std::optional<CandidateRow>> Index::candidate(const std::string& id) {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT id, toml, parents FROM candidate WHERE id = ?"));
    TRY_ASSIGN(bool there, get.bind(1, id).step());
    if (!there) return std::optional<CandidateRow>();
    CandidateRow row{get.text(0), get.text(1), split(get.text(2)), {}};
    TRY_ASSIGN(Statement commits,
               db_->prepare("SELECT oid FROM candidate_commit WHERE candidate = ? AND shared > 0 ORDER BY oid"));
    commits.bind(1, id);
    for (;;) {
        TRY_ASSIGN(bool more, commits.step());
        if (!more) break;
        row.commits.push_back(commits.text(0));
    }
    return std::optional<CandidateRow>(std::move(row));
}

namespace {

constexpr const char* kLineColumns = "record.id, record.line, segment.blob, record.place";
constexpr const char* kLineTables = "record LEFT JOIN segment ON segment.number = record.segment";

// A record's bytes, from the spool's copy or from its segment; the last segment is kept, since records of one lie
// together.
class LineReader {
public:
    explicit LineReader(const Repo& repo) : repo_(repo) {}

    // Columns 0 to 3 of `get` are kLineColumns.
    Result<std::string> read(const Statement& get) {
        if (!get.is_null(1)) return get.text(1);
        const Oid blob = get.text(2);
        if (blob != blob_) {
            TRY_ASSIGN(lines_, read_segment(repo_, blob));
            blob_ = blob;
        }
        const auto place = static_cast<std::size_t>(get.whole(3));
        if (place >= lines_.size()) return fail(Code::corrupt, "a segment is shorter than it was");
        return lines_[place];
    }

private:
    const Repo& repo_;
    Oid blob_;
    std::vector<std::string> lines_;
};

}  // namespace

// Columns: kLineColumns, refused, rejected, source.
Result<std::vector<RunRow>> Index::read_runs(Statement& get) {
    std::vector<RunRow> rows;
    LineReader reader(clone_->repo);
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        TRY_ASSIGN(std::string line, reader.read(get));
        auto record = parse_line(line);
        if (!record || !std::holds_alternative<Run>(*record)) continue;
        RunRow row{get.text(0), std::get<Run>(std::move(*record)), false, get.text(4), get.text(6)};
        row.refused = !row.why_refused.empty() || get.whole(5) != 0;
        rows.push_back(std::move(row));
    }
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

Result<std::set<std::string>> Index::accepted_runs() {
    return texts(*db_,
                 fmt::format("SELECT artifact_run FROM record WHERE type = 'claim' AND {} = 'accepted'", kResultOf));
}

Result<std::set<Oid>> Index::archived() { return texts(*db_, "SELECT oid FROM candidate_commit WHERE shared = 2"); }

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

Result<bool> Index::may_archive_candidate(const Oid& commit) {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT 1 FROM candidate_commit WHERE oid = ? AND shared = 1"));
    return get.bind(1, commit).step();
}

Result<bool> Index::may_archive_journal(const Oid& tip) {
    TRY_ASSIGN(Statement get,
               db_->prepare("SELECT 1 FROM log WHERE tip = ?1 AND ref LIKE 'refs/sources/%' AND NOT EXISTS "
                            "(SELECT 1 FROM log WHERE tip = ?1 AND ref NOT LIKE 'refs/sources/%')"));
    return get.bind(1, tip).step();
}

Result<std::set<std::string>> Index::kept_candidates() {
    return texts(*db_,
                 "SELECT candidate FROM candidate_commit WHERE shared > 0 UNION SELECT candidate FROM record WHERE "
                 "type = 'claim' UNION SELECT candidate FROM record WHERE type = 'run' AND refused IS NULL AND "
                 "rejected = 0 AND decision = 'kept'");
}

Result<std::map<std::string, Retired>> Index::retired_candidates() {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT candidate, writer, reason, at, everywhere FROM retired"));
    std::map<std::string, Retired> retired;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        retired[get.text(0)] = {get.text(1), get.text(2), get.text(3), get.whole(4) != 0};
    }
    return retired;
}

Result<std::set<std::string>> Index::rejected_candidates() {
    return texts(*db_,
                 fmt::format("SELECT candidate FROM record WHERE type = 'claim' AND {} = 'rejected' AND NOT EXISTS "
                             "(SELECT 1 FROM record AS run WHERE run.type = 'run' AND run.candidate = "
                             "record.candidate AND run.status = 'done' AND run.refused IS NULL AND run.rejected "
                             "= 0)",
                             kResultOf));
}

Result<std::string> Index::record_line(const std::string& id) {
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format("SELECT {} FROM {} WHERE record.id = ? AND type <> 'unreadable'",
                                                       kLineColumns, kLineTables)));
    TRY_ASSIGN(bool there, get.bind(1, id).step());
    if (!there) return fail(Code::not_found, fmt::format("cannot find record '{}'", id));
    return LineReader(clone_->repo).read(get);
}

// Columns: kLineColumns, refused, the newest verdict that counts.
Result<std::vector<ClaimRow>> Index::read_claims(Statement& get) {
    TRY_ASSIGN(Statement named,
               db_->prepare("SELECT record.id, writer, refused, candidate, category, status, artifact, "
                            "score FROM claim_run JOIN record ON record.id = claim_run.run "
                            "WHERE claim_run.claim = ? AND type = 'run'"));
    std::vector<ClaimRow> rows;
    LineReader reader(clone_->repo);
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        TRY_ASSIGN(std::string line, reader.read(get));
        auto record = parse_line(line);
        if (!record || !std::holds_alternative<Claim>(*record)) continue;
        ClaimRow row{get.text(0), std::get<Claim>(std::move(*record)), get.text(4), std::nullopt};
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
    }
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

Result<std::vector<Lease>> Index::leases() {
    TRY_ASSIGN(Statement get, db_->prepare(fmt::format(R"(
SELECT {} FROM {} WHERE type = 'lease' AND writer <> ?1 AND refused IS NULL AND seen_s <= ?2
    AND seen_s > ?2 - {} * MIN(budget_s, ?3)
    AND NOT EXISTS (SELECT 1 FROM record AS run WHERE run.type = 'run' AND run.candidate = record.candidate
    AND run.writer = record.writer AND run.seq > record.seq))",
                                                       kLineColumns, kLineTables, kLeaseBudgets)));
    get.bind(1, clone_->writer).bind(2, std::int64_t{std::time(nullptr)}).bind(3, clone_->task.budget_s);
    std::vector<Lease> live;
    LineReader reader(clone_->repo);
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        TRY_ASSIGN(std::string line, reader.read(get));
        auto record = parse_line(line);
        if (record && std::holds_alternative<Lease>(*record)) live.push_back(std::get<Lease>(std::move(*record)));
    }
    return live;
}

Result<int> Index::replicates(const std::string& candidate) {
    TRY_ASSIGN(Statement get, db_->prepare("SELECT COUNT(*) FROM record WHERE type = 'run' AND candidate = ?"));
    TRY(get.bind(1, candidate).step());
    return static_cast<int>(get.whole(0));
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
