#include "pool/index/index.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pool/index/index_importer.h"

namespace cultivar {
namespace {

constexpr int kReaderTries = 3;
constexpr std::size_t kMostGenerations = 1000;  // that have records but no commits
constexpr int kMostAncestors = 10'000;          // likewise, of one candidate

void add(RefreshReport& sum, const RefreshReport& more) {
    for (const auto& [name, count] : kReportCounts) sum.*count += more.*count;
    for (const Refusal& refusal : more.refused) {
        const bool known = std::any_of(sum.refused.begin(), sum.refused.end(), [&](const Refusal& one) {
            return one.where == refusal.where && one.reason == refusal.reason;
        });
        if (!known) sum.refuse(refusal.where, refusal.reason);
    }
}

}  // namespace

Result<Index> Index::opened(std::unique_ptr<IndexDatabase> database, const Reader& reader) {
    Index index(std::move(database));
    index.reader_ = reader;
    TRY_ASSIGN(index.report_, index.refresh());
    return index;
}

Result<Index> Index::open(Clone& clone, const Reader& reader) {
    auto attempt = [&]() -> Result<Index> {
        TRY_ASSIGN(auto database, IndexDatabase::open(clone));
        return opened(std::move(database), reader);
    };
    auto index = attempt();
    if (index || index.error().reason != Reason::bad_index) return index;
    IndexDatabase::remove(clone);
    return attempt();
}

Result<Index> Index::read_anew(Clone& clone) {
    TRY_ASSIGN(auto database, IndexDatabase::in_memory(clone));
    return opened(std::move(database), {});
}

// Has everything that these refs hold been read, by the reader if there is one? Updates `refs`: the reader may have put
// one back, and another process may have moved one, which the next refresh reads.
Result<bool> Index::read_elsewhere(std::vector<Ref>& refs, const std::set<std::string>& made, RefreshReport& report) {
    if (reader_ && !made.empty()) {
        std::vector<Ref> others;
        std::ranges::copy_if(refs, std::back_inserter(others),
                             [&](const Ref& ref) { return !made.contains(ref.name); });
        TRY_ASSIGN(const bool read, database_->holds("refs", digest_of(others)));
        if (read) return true;
    }
    for (int tries = 0; reader_ && tries < kReaderTries; ++tries) {
        TRY_ASSIGN(bool read, database_->holds("refs", digest_of(refs)));
        if (read) return true;
        TRY_ASSIGN(RefreshReport more, reader_());
        add(report, more);
        TRY_ASSIGN(refs, database_->clone().repo.refs("refs/"));
    }
    return !reader_;
}

Result<RefreshReport> Index::refresh(const std::set<std::string>& made) {
    RefreshReport report;
    made_.clear();
    TRY_ASSIGN(std::vector<Ref> refs, database_->clone().repo.refs("refs/"));
    TRY_ASSIGN(std::string now, database_->stamp(refs));
    TRY_ASSIGN(bool current, database_->holds("stamp", now));
    report.changed = !current;
    if (!current) {
        database_->reset_lineage();
        TRY_ASSIGN(const bool read, read_elsewhere(refs, made, report));
        TRY_ASSIGN(now, database_->stamp(refs));
        TRY_ASSIGN(current, database_->holds("stamp", now));
        if (!current && !read) return report;
    }
    if (!current) TRY(fill(refs, now, report));
    return report;
}

Result<void> Index::fill(const std::vector<Ref>& refs, const std::string& stamp, RefreshReport& report) {
    TRY_ASSIGN(Transaction transaction, Transaction::begin(database_->sql()));
    TRY(database_->prepare_tables());
    TRY(IndexImporter(*database_, report).import_all(refs));
    TRY(database_->set("stamp", stamp));
    TRY(database_->set("refs", digest_of(refs)));
    return transaction.commit();
}

// From a candidate to its ancestors.
struct Index::Walk {
    std::set<std::string> path{};  // candidates between the first one and the present one
    int left = kMostAncestors;
    bool cut = false;  // was a parent left out because of the path, or of a limit?
};

Result<CandidateCommit> Index::commit_of(const std::string& candidate_id) {
    Walk walk;
    return commit_of(candidate_id, walk);
}

Result<CandidateCommit> Index::commit_of(const std::string& candidate_id, Walk& walk) {
    TRY_ASSIGN(std::optional<CandidateRow> row, candidate(candidate_id));
    if (!row) return fail(Code::not_found, fmt::format("cannot find candidate '{}'", candidate_id), "cultivar top");
    TRY_ASSIGN(const std::optional<Oid> there, commit_with_parents(*row));
    if (there) return lineage().read(*there);
    if (auto made = made_.find(candidate_id); made != made_.end()) return lineage().read(made->second);
    const Clone& clone = database_->clone();
    TRY_ASSIGN(Candidate content, parse_canonical(clone.task.space, clone.task_id, row->toml));
    const bool cut_before = std::exchange(walk.cut, false);
    TRY_ASSIGN(std::vector<Oid> parents, parents_of(*row, walk));
    TRY_ASSIGN(CandidateCommit commit, lineage().write(content, std::move(parents)));
    // A commit that depends on the path that led to it is not the candidate's own.
    if (!walk.cut) made_[candidate_id] = commit.oid;
    walk.cut = walk.cut || cut_before;
    return commit;
}

// Anybody may publish a commit of a candidate with other parents.
Result<std::optional<Oid>> Index::commit_with_parents(const CandidateRow& row) {
    std::vector<std::string> wanted = row.parents;
    std::ranges::sort(wanted);
    for (const Oid& commit : row.commits) {
        TRY_ASSIGN(auto kin, lineage().kin_of(commit));
        if (!kin) continue;
        std::ranges::sort(kin->parent_candidates);
        if (kin->parent_candidates == wanted) return std::optional(commit);
    }
    return std::optional<Oid>();
}

Result<std::vector<Oid>> Index::parents_of(const CandidateRow& row, Walk& walk) {
    std::vector<Oid> parents;
    walk.path.insert(row.id);
    for (const std::string& parent : row.parents) {
        if (walk.path.contains(parent) || walk.path.size() > kMostGenerations || --walk.left < 0) {
            walk.cut = true;
            continue;
        }
        auto from = commit_of(parent, walk);
        if (!from && from.error().code == Code::not_found) continue;
        if (!from) return fail(from.error());
        if (std::ranges::find(parents, from->oid) == parents.end()) parents.push_back(std::move(from->oid));
    }
    walk.path.erase(row.id);
    return parents;
}

}  // namespace cultivar
