// The database behind the index: its tables, their version, and a stamp of the refs and the spool that filled them.
//
// A cache: tables of another version or of another task are dropped and made anew, and a file that is no database is
// deleted. A record's bytes stay in git; tables hold the figures that queries need.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pool/clone/clone.h"
#include "pool/lineage/candidate_commits.h"
#include "pool/util/sqlite.h"

namespace cultivar {

// The source of a candidate's parents (columns `said` and `belief`). A stronger one replaces a weaker one; of two equal
// ones, the first counts. Own is what this clone wrote: its records, and the commits of its local branches. A commit of others
// is the weakest: nobody signed it. A record of a stranger counts (column `parents`) only while all of the parents are known.
enum class Belief { foreign_commit, stranger, seed, own_record, own_commit };

class IndexDatabase {
public:
    // The clone's index.sqlite, created if absent; `clone` must outlive the object. Errors: io, busy, corrupt.
    static Result<std::unique_ptr<IndexDatabase>> open(Clone& clone);
    static Result<std::unique_ptr<IndexDatabase>> in_memory(Clone& clone);
    // Deletes the clone's index.sqlite.
    static void remove(const Clone& clone);
    IndexDatabase(const IndexDatabase&) = delete;

    // Makes the tables, if there are none for this task by these rules. Within a transaction.
    Result<void> prepare_tables();
    // Were the tables made by the last prepare_tables()? They are filled before they get their indexes.
    bool is_new() const { return is_new_; }
    Result<void> make_indexes();

    // Names everything that a refresh depends on: rules, task, refs and spool. While it stays the same, so do the tables.
    Result<std::string> stamp(const std::vector<Ref>& refs) const;
    // Does the table `meta` hold this value? False where there are no tables yet.
    Result<bool> holds(const char* key, const std::string& value);
    Result<std::string> get(const char* key);  // "": it holds none
    Result<void> set(const char* key, const std::string& value);

    Clone& clone() { return *clone_; }
    Database& sql() { return sql_; }
    Lineage& lineage() { return *lineage_; }
    void reset_lineage();  // another process may have changed its table

private:
    IndexDatabase(Clone& clone, Database database);

    Clone* clone_;
    Database sql_;
    std::unique_ptr<Lineage> lineage_;
    bool is_new_ = false;
};

// A digest of names and targets of refs.
std::string digest_of(const std::vector<Ref>& refs);

}  // namespace cultivar
