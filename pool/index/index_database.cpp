#include "pool/index/index_database.h"

#include <sys/stat.h>

#include <filesystem>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

// Increase it with every change of the tables, and when a new format or type of record can be read: the index is then
// rebuilt, and reads the records that it passed over before.
constexpr int kSchema = 22;

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS log(ref TEXT PRIMARY KEY, tip TEXT, records INTEGER, rubbish INTEGER DEFAULT 0,
    unreadable INTEGER DEFAULT 0, later INTEGER DEFAULT 0, other_task INTEGER DEFAULT 0, runs INTEGER DEFAULT 0,
    failures INTEGER DEFAULT 0, leases INTEGER DEFAULT 0, claims INTEGER DEFAULT 0, retirements INTEGER DEFAULT 0,
    passed_over INTEGER DEFAULT 0, refused_tip TEXT, refused TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment(number INTEGER PRIMARY KEY, blob TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS writer(name TEXT PRIMARY KEY, key TEXT, turn INTEGER, ran INTEGER DEFAULT 0,
    search_s REAL DEFAULT 0, made_runs INTEGER DEFAULT 0, named_runs INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS record(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, type TEXT, writer TEXT, candidate TEXT,
    category TEXT, at TEXT, status TEXT, decision TEXT, score REAL, budget_s REAL, wall_s REAL, search_joules REAL,
    operator TEXT, steps INTEGER, parents TEXT, artifact TEXT, artifact_run TEXT, seen_s INTEGER, segment INTEGER,
    place INTEGER, line TEXT, refused TEXT, rejected INTEGER DEFAULT 0, parameters INTEGER, flops REAL, joules REAL,
    source TEXT, reason TEXT, proposer TEXT, proposer_s REAL, proposer_usd REAL, tokens INTEGER, train_s REAL,
    replicate INTEGER, energy_error REAL);
CREATE INDEX IF NOT EXISTS record_lease ON record(seen_s) WHERE type = 'lease';
CREATE INDEX IF NOT EXISTS record_rejected ON record(seq) WHERE rejected = 1;
CREATE INDEX IF NOT EXISTS record_retirement ON record(seq) WHERE type = 'retirement';
CREATE INDEX IF NOT EXISTS record_unfit ON record(seq) WHERE type = 'run' AND status = 'unfit';
CREATE TABLE IF NOT EXISTS claim_run(claim TEXT, run TEXT, PRIMARY KEY(claim, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS candidate(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, toml TEXT, parents TEXT DEFAULT '',
    said TEXT, belief INTEGER, said_s INTEGER, said_turn INTEGER, vouched TEXT);
CREATE TABLE IF NOT EXISTS branch(ref TEXT PRIMARY KEY, oid TEXT, refused TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdict(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, claim TEXT, verifier TEXT, key TEXT,
    result TEXT, word TEXT, tier TEXT, waits INTEGER, at TEXT, seconds REAL, joules REAL, record INTEGER, first TEXT,
    earns INTEGER, line TEXT, energy_error REAL);
CREATE INDEX IF NOT EXISTS verdict_claim ON verdict(claim);
CREATE TABLE IF NOT EXISTS rerun(seq INTEGER PRIMARY KEY, claim TEXT, key TEXT, seed TEXT, score REAL, seconds REAL,
    UNIQUE(claim, key, seed));
CREATE TABLE IF NOT EXISTS standing(candidate TEXT, category TEXT, runs INTEGER, val_bpb REAL, kept INTEGER,
    contributor TEXT, parameters INTEGER, flops REAL, joules REAL, verdict TEXT DEFAULT '',
    record INTEGER DEFAULT 0, fresh_seeds INTEGER DEFAULT 0,
    PRIMARY KEY(candidate, category)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS original(run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verified_search(key TEXT PRIMARY KEY, seconds REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total(name TEXT PRIMARY KEY, value REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retired(candidate TEXT PRIMARY KEY, writer TEXT, reason TEXT, at TEXT, everywhere INTEGER,
    by_keepers INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS energy_group(id INTEGER PRIMARY KEY, writer TEXT, category TEXT, operator TEXT, line TEXT,
    zone TEXT, method TEXT, spread INTEGER, UNIQUE(writer, category, operator, line, zone, method, spread));
CREATE TABLE IF NOT EXISTS energy(kind INTEGER, owner INTEGER, grp INTEGER, start_s INTEGER, length_s INTEGER, seconds REAL,
    above REAL, above_low REAL, above_high REAL, gross REAL, gross_low REAL, gross_high REAL, known INTEGER, bytes INTEGER,
    PRIMARY KEY(kind, owner, grp, start_s)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS record_gone AFTER DELETE ON record WHEN OLD.type = 'run'
    BEGIN DELETE FROM energy WHERE kind = 0 AND owner = OLD.seq; END;
CREATE TRIGGER IF NOT EXISTS verdict_gone AFTER DELETE ON verdict
    BEGIN DELETE FROM energy WHERE kind = 1 AND owner = OLD.seq; END;
CREATE TABLE IF NOT EXISTS dirty(candidate TEXT PRIMARY KEY) WITHOUT ROWID;
)";

// Indexes on columns that rows do not come in order of: one sort of full tables is cheaper than a search per row.
constexpr const char* kIndexes = R"(
CREATE INDEX IF NOT EXISTS record_candidate ON record(candidate, category);
CREATE INDEX IF NOT EXISTS record_at ON record(at) WHERE type = 'run';
CREATE INDEX IF NOT EXISTS record_claim ON record(writer, candidate, id) WHERE type = 'claim';
CREATE INDEX IF NOT EXISTS record_score ON record(score) WHERE type = 'run' AND status = 'done';
CREATE INDEX IF NOT EXISTS record_artifact ON record(artifact) WHERE artifact <> '';
CREATE INDEX IF NOT EXISTS claim_of_run ON claim_run(run);
CREATE INDEX IF NOT EXISTS candidate_orphan ON candidate(seq) WHERE parents <> COALESCE(vouched, said);
CREATE INDEX IF NOT EXISTS candidate_vouched ON candidate(seq) WHERE vouched IS NOT NULL;
CREATE INDEX IF NOT EXISTS standing_rank ON standing(category, runs = 0, val_bpb, candidate);
)";

constexpr const char* kDrop = R"(
DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS log; DROP TABLE IF EXISTS segment; DROP TABLE IF EXISTS writer;
DROP TABLE IF EXISTS record; DROP TABLE IF EXISTS claim_run; DROP TABLE IF EXISTS candidate;
DROP TABLE IF EXISTS branch; DROP TABLE IF EXISTS verdict; DROP TABLE IF EXISTS standing; DROP TABLE IF EXISTS total;
DROP TABLE IF EXISTS dirty; DROP TABLE IF EXISTS retired; DROP TABLE IF EXISTS rerun;
DROP TABLE IF EXISTS energy; DROP TABLE IF EXISTS energy_group;
DROP TABLE IF EXISTS original; DROP TABLE IF EXISTS verified_search;
)";

std::string path_of(const Clone& clone) { return clone.index_dir() + "index.sqlite"; }

}  // namespace

std::string digest_of(const std::vector<Ref>& refs) {
    Sha256 sha;
    for (const Ref& ref : refs) sha.update(ref.oid + " " + ref.name + "\n");
    return sha.finish_hex();
}

IndexDatabase::IndexDatabase(Clone& clone, Database database) : clone_(&clone), sql_(std::move(database)) {
    reset_lineage();
}

Result<std::unique_ptr<IndexDatabase>> IndexDatabase::open(Clone& clone) {
    TRY_ASSIGN(Database database, Database::open(path_of(clone)));
    return std::unique_ptr<IndexDatabase>(new IndexDatabase(clone, std::move(database)));
}

Result<std::unique_ptr<IndexDatabase>> IndexDatabase::in_memory(Clone& clone) {
    TRY_ASSIGN(Database database, Database::open(":memory:"));
    return std::unique_ptr<IndexDatabase>(new IndexDatabase(clone, std::move(database)));
}

void IndexDatabase::remove(const Clone& clone) {
    std::error_code ec;
    for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(path_of(clone) + tail, ec);
}

void IndexDatabase::reset_lineage() { lineage_ = std::make_unique<Lineage>(clone_->repo, clone_->task, &sql_); }

Result<void> IndexDatabase::prepare_tables() {
    TRY(sql_.execute("CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT)"));
    const std::string rules = fmt::format("{} {}", kSchema, sha256_hex(to_toml(clone_->task) + clone_->task_id));
    TRY_ASSIGN(const bool current, holds("pool", rules));
    is_new_ = !current;
    if (current) return {};
    TRY(sql_.execute(kDrop));
    TRY(sql_.execute(Lineage::kDropTable));
    TRY(sql_.execute(kTables));
    TRY(sql_.execute(Lineage::kTable));
    return set("pool", rules);
}

Result<void> IndexDatabase::make_indexes() { return sql_.execute(kIndexes); }

Result<std::string> IndexDatabase::stamp(const std::vector<Ref>& refs) const {
    Sha256 sha;
    sha.update(fmt::format("{} {}\n{}\n", kSchema, to_toml(clone_->task), digest_of(refs)));
    struct stat spool {};
    if (::stat((clone_->state_dir + "spool.jsonl").c_str(), &spool) == 0)
        sha.update(fmt::format("{} {} {}\n", spool.st_size, spool.st_mtim.tv_sec, spool.st_mtim.tv_nsec));
    return sha.finish_hex();
}

Result<bool> IndexDatabase::holds(const char* key, const std::string& value) {
    auto get = sql_.prepare("SELECT 1 FROM meta WHERE key = :key AND value = :value");
    if (!get) return false;
    return get->bind(":key", key).bind(":value", value).any();
}

Result<std::string> IndexDatabase::get(const char* key) {
    TRY_ASSIGN(Statement get, sql_.prepare("SELECT value FROM meta WHERE key = :key"));
    TRY_ASSIGN(auto value, get.bind(":key", key).first([](Row& row) { return row.text(); }));
    return value.value_or("");
}

Result<void> IndexDatabase::set(const char* key, const std::string& value) {
    TRY_ASSIGN(Statement put, sql_.prepare("INSERT OR REPLACE INTO meta VALUES(:key, :value)"));
    return put.bind(":key", key).bind(":value", value).run();
}

}  // namespace cultivar
