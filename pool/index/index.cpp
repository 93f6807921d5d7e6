#include "pool/index/index.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/index/index_importer.h"

namespace cultivar {
namespace {

constexpr int kReaderTries = 3;
constexpr int kMaxAncestry = 1000;  // generations that have records but no commits

void add(RefreshReport& sum, const RefreshReport& more) {
    for (const auto& [name, count] : kReportCounts) sum.*count += more.*count;
    for (const Refusal& refusal : more.refused) {
        const bool known = std::any_of(sum.refused.begin(), sum.refused.end(), [&](const Refusal& one) {
            return one.where == refusal.where && one.reason == refusal.reason;
        });
        if (!known) sum.refused.push_back(refusal);
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
    if (index || index.error().code != Code::corrupt) return index;
    IndexDatabase::remove(clone);
    return attempt();
}

Result<Index> Index::read_anew(Clone& clone) {
    TRY_ASSIGN(auto database, IndexDatabase::in_memory(clone));
    return opened(std::move(database), {});
}

// Has everything that these refs hold been read, by the reader if there is one? Updates `refs`: the reader may have put
// one back, and another process may have moved one, which the next refresh reads.
Result<bool> Index::read_elsewhere(std::vector<Ref>& refs, RefreshReport& report) {
    for (int tries = 0; reader_ && tries < kReaderTries; ++tries) {
        TRY_ASSIGN(bool read, database_->holds("refs", digest_of(refs)));
        if (read) return true;
        TRY_ASSIGN(RefreshReport more, reader_());
        add(report, more);
        TRY_ASSIGN(refs, database_->clone().repo.refs("refs/"));
    }
    return !reader_;
}

Result<RefreshReport> Index::refresh() {
    RefreshReport report;
    made_.clear();
    TRY_ASSIGN(std::vector<Ref> refs, database_->clone().repo.refs("refs/"));
    TRY_ASSIGN(std::string now, database_->stamp(refs));
    TRY_ASSIGN(bool current, database_->holds("stamp", now));
    if (!current) {
        database_->reset_lineage();
        TRY_ASSIGN(const bool read, read_elsewhere(refs, report));
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

Result<CandidateCommit> Index::commit_of(const std::string& candidate_id, int depth) {
    if (depth > kMaxAncestry) return fail(Code::corrupt, "candidates whose parents go round in a circle");
    TRY_ASSIGN(std::optional<CandidateRow> row, candidate(candidate_id));
    if (!row) return fail(Code::not_found, fmt::format("cannot find candidate '{}'", candidate_id), "cultivar top");
    if (!row->commits.empty()) return lineage().read(row->commits.front());
    if (auto made = made_.find(candidate_id); made != made_.end()) return lineage().read(made->second);
    const Clone& clone = database_->clone();
    TRY_ASSIGN(Candidate content, parse_canonical(clone.task.space, clone.task_id, row->toml));
    std::vector<Oid> parents;
    for (const std::string& parent : row->parents) {
        TRY_ASSIGN(CandidateCommit from, commit_of(parent, depth + 1));
        parents.push_back(from.oid);
    }
    TRY_ASSIGN(CandidateCommit commit, lineage().write(content, parents));
    made_[candidate_id] = commit.oid;
    return commit;
}

}  // namespace cultivar
