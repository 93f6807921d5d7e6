// What the index knows of candidates: their names, their commits, who keeps them.
#include <algorithm>

#include <fmt/format.h>

#include "pool/index/index.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

constexpr std::size_t kShortestPrefix = 4;
constexpr int kMaxAncestry = 1000;  // generations that have records but no commits

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

Result<std::set<Oid>> Index::archived() { return texts(*db_, "SELECT oid FROM candidate_commit WHERE shared = 2"); }

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
