// The local index: everything that the pool's refs and this clone's spool say, in SQLite. A cache of this user's own
// (pool/clone/own_index.h): delete it and it is rebuilt. A refresh reads only new objects; when no ref and no spooled record changed, it costs one statement.
//
//   IndexDatabase  the tables and their version       (index_database.h)
//   IndexImporter  fills the tables                   (index_importer.h)
//   IndexQueries   answers from the tables            (index_queries.h)
//   Index          owns all three: open, refresh, ask
//
// Records enter in the order in which they are met; a record that fails its checks is kept with the reason and counts
// nowhere. The last seen tips of journals and ledgers are also kept in <state>/seen/, outside the index: a log that was
// rewound or rewritten is refused even when the index was rebuilt.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pool/index/index_queries.h"

namespace cultivar {

inline constexpr int kKeptArtifacts = 10;  // the best of each category that stay once they are judged

// Refreshes the clone's index in a process of its own (cli/session/sandboxed_reader.h), and gives that process's report.
using Reader = std::function<Result<RefreshReport>()>;

class Index : public IndexQueries {
public:
    // Opens the clone's index and refreshes it; refs are read through `reader`, if there is one, now and later. A damaged
    // index is rebuilt. `clone` must outlive the index.
    static Result<Index> open(Clone& clone, const Reader& reader = {});
    // The same, rebuilt in memory; the index on disk stays as it is.
    static Result<Index> read_anew(Clone& clone);
    // Brings the tables up to date with refs and spool. Another process's refresh is waited for (up to 10 s, then busy).
    // `made`: refs that are new and that this process made itself, from what has been read: they alone need no reader.
    Result<RefreshReport> refresh(const std::set<std::string>& made = {});
    // The report of the refresh in open().
    const RefreshReport& opened_with() const { return report_; }

    Lineage& lineage() { return database_->lineage(); }
    // The commit of a candidate, made from the records where none is known yet; a seed becomes a root. Parents that nobody
    // knows, that descend from the candidate, or that lie beyond 1,000 generations count as none. Errors: not_found, git.
    Result<CandidateCommit> commit_of(const std::string& candidate_id);

private:
    explicit Index(std::unique_ptr<IndexDatabase> database) : IndexQueries(*database), database_(std::move(database)) {}
    static Result<Index> opened(std::unique_ptr<IndexDatabase> database, const Reader& reader);

    struct Walk;
    Result<CandidateCommit> commit_of(const std::string& candidate_id, Walk& walk);
    Result<std::optional<Oid>> commit_with_parents(const CandidateRow& row);
    Result<std::vector<Oid>> parents_of(const CandidateRow& row, Walk& walk);
    Result<bool> read_elsewhere(std::vector<Ref>& refs, const std::set<std::string>& made, RefreshReport& report);
    Result<void> fill(const std::vector<Ref>& refs, const std::string& stamp, RefreshReport& report);

    std::unique_ptr<IndexDatabase> database_;  // stays where it is: queries and lineage point to it
    std::map<std::string, Oid> made_;          // commits that commit_of() made since the last refresh, by candidate
    RefreshReport report_;
    Reader reader_;
};

}  // namespace cultivar
