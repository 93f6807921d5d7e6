#include "pool/index/index.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

// One more, too, whenever a new format or type of record can be read: what was passed over before is then read again.
constexpr int kSchema = 10;
constexpr int kReaderTries = 3;

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS log(ref TEXT PRIMARY KEY, tip TEXT, records INTEGER);
CREATE TABLE IF NOT EXISTS segment(number INTEGER PRIMARY KEY, blob TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS writer(name TEXT PRIMARY KEY, key TEXT, ran INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS record(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, type TEXT, writer TEXT, candidate TEXT,
    category TEXT, at TEXT, status TEXT, decision TEXT, score REAL, budget_s REAL, wall_s REAL, search_joules REAL,
    operator TEXT, steps INTEGER, parents TEXT, artifact TEXT, artifact_run TEXT, seen_s INTEGER, segment INTEGER,
    place INTEGER, line TEXT, refused TEXT, rejected INTEGER DEFAULT 0, parameters INTEGER, flops REAL, joules REAL,
    source TEXT, reason TEXT, proposer TEXT, proposer_s REAL, proposer_usd REAL, tokens INTEGER, train_s REAL,
    replicate INTEGER);
CREATE INDEX IF NOT EXISTS record_lease ON record(seen_s) WHERE type = 'lease';
CREATE INDEX IF NOT EXISTS record_rejected ON record(seq) WHERE rejected = 1;
CREATE INDEX IF NOT EXISTS record_retirement ON record(seq) WHERE type = 'retirement';
CREATE INDEX IF NOT EXISTS record_unfit ON record(seq) WHERE type = 'run' AND status = 'unfit';
CREATE TABLE IF NOT EXISTS claim_run(claim TEXT, run TEXT, PRIMARY KEY(claim, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS candidate(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, toml TEXT, parents TEXT,
    by_commit INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS branch(ref TEXT PRIMARY KEY, oid TEXT, refused TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdict(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, claim TEXT, verifier TEXT, result TEXT,
    at TEXT, seconds REAL, joules REAL, record INTEGER, line TEXT);
CREATE INDEX IF NOT EXISTS verdict_claim ON verdict(claim);
CREATE TABLE IF NOT EXISTS standing(candidate TEXT, category TEXT, runs INTEGER, val_bpb REAL, kept INTEGER,
    contributor TEXT, parameters INTEGER, flops REAL, joules REAL, verdict TEXT DEFAULT '',
    record INTEGER DEFAULT 0,
    PRIMARY KEY(candidate, category)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total(name TEXT PRIMARY KEY, value REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retired(candidate TEXT PRIMARY KEY, writer TEXT, reason TEXT, at TEXT, everywhere INTEGER)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dirty(candidate TEXT PRIMARY KEY) WITHOUT ROWID;
)";

// Of what does not come in their order: one sort when the tables are full, instead of a search for every row.
constexpr const char* kIndexes = R"(
CREATE INDEX IF NOT EXISTS record_candidate ON record(candidate, category);
CREATE INDEX IF NOT EXISTS record_at ON record(at) WHERE type = 'run';
CREATE INDEX IF NOT EXISTS record_claim ON record(writer, candidate, id) WHERE type = 'claim';
CREATE INDEX IF NOT EXISTS record_score ON record(score) WHERE type = 'run' AND status = 'done';
CREATE INDEX IF NOT EXISTS record_artifact ON record(artifact) WHERE artifact <> '';
CREATE INDEX IF NOT EXISTS claim_of_run ON claim_run(run);
CREATE INDEX IF NOT EXISTS standing_rank ON standing(category, runs = 0, val_bpb, candidate);
)";

constexpr const char* kDrop = R"(
DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS log; DROP TABLE IF EXISTS segment; DROP TABLE IF EXISTS writer;
DROP TABLE IF EXISTS record; DROP TABLE IF EXISTS claim_run; DROP TABLE IF EXISTS candidate;
DROP TABLE IF EXISTS branch; DROP TABLE IF EXISTS verdict; DROP TABLE IF EXISTS standing; DROP TABLE IF EXISTS total;
DROP TABLE IF EXISTS dirty; DROP TABLE IF EXISTS retired;
)";

std::string stamp_of(const std::vector<Ref>& refs) {
    Sha256 sha;
    for (const Ref& ref : refs) sha.update(ref.oid + " " + ref.name + "\n");
    return sha.finish_hex();
}

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

Result<Index> Index::open(Clone& clone, const Reader& reader) {
    std::string path = clone.state_dir + "index.sqlite";
    auto attempt = [&]() -> Result<Index> {
        TRY_ASSIGN(Database database, Database::open(path));
        Index index(clone, std::move(database));
        index.reader_ = reader;
        TRY_ASSIGN(index.report_, index.refresh());
        return index;
    };
    auto index = attempt();
    if (index || index.error().code != Code::corrupt) return index;
    std::error_code ec;
    for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(path + tail, ec);
    return attempt();
}

Result<Index> Index::read_anew(Clone& clone) {
    TRY_ASSIGN(Database database, Database::open(":memory:"));
    Index index(clone, std::move(database));
    TRY_ASSIGN(index.report_, index.refresh());
    return index;
}

// What the index holds was read by these rules from these refs.
Result<void> Index::prepare_schema() {
    TRY(db_->execute("CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT)"));
    const std::string now = fmt::format("{} {}", kSchema, sha256_hex(to_toml(clone_->task) + clone_->task_id));
    TRY_ASSIGN(Statement get, db_->prepare("SELECT value FROM meta WHERE key = 'pool'"));
    TRY_ASSIGN(bool there, get.step());
    is_new_ = !there || get.text(0) != now;
    if (!is_new_) return {};
    get.reset();
    TRY(db_->execute(kDrop));
    TRY(db_->execute(Lineage::kDropTable));
    TRY(db_->execute(kTables));
    TRY(db_->execute(Lineage::kTable));
    TRY_ASSIGN(Statement set, db_->prepare("INSERT INTO meta VALUES('pool', ?)"));
    return set.bind(1, now).run();
}

// Everything that a refresh depends on: while it stays the same, there is nothing to read.
Result<std::string> Index::stamp(const std::vector<Ref>& refs) const {
    Sha256 sha;
    sha.update(fmt::format("{} {}\n{}\n", kSchema, to_toml(clone_->task), stamp_of(refs)));
    struct stat spool {};
    if (::stat((clone_->state_dir + "spool.jsonl").c_str(), &spool) == 0)
        sha.update(fmt::format("{} {} {}\n", spool.st_size, spool.st_mtim.tv_sec, spool.st_mtim.tv_nsec));
    return sha.finish_hex();
}

// False where there is no index yet.
Result<bool> Index::holds(const char* key, const std::string& value) {
    auto get = db_->prepare("SELECT value FROM meta WHERE key = ?");
    if (!get) return false;
    TRY_ASSIGN(bool there, get->bind(1, std::string_view(key)).step());
    return there && get->text(0) == value;
}

// Has all that these refs hold been read, by the reader if there is one? `refs` as they are then: it may have put one
// back, and another process may have moved one; what that brought is read by the next refresh.
Result<bool> Index::read_elsewhere(std::vector<Ref>& refs, RefreshReport& report) {
    for (int tries = 0; reader_ && tries < kReaderTries; ++tries) {
        TRY_ASSIGN(bool read, holds("refs", stamp_of(refs)));
        if (read) return true;
        TRY_ASSIGN(RefreshReport more, reader_());
        add(report, more);
        TRY_ASSIGN(refs, clone_->repo.refs("refs/"));
    }
    return !reader_;
}

Result<RefreshReport> Index::refresh() {
    RefreshReport report;
    made_.clear();
    TRY_ASSIGN(std::vector<Ref> refs, clone_->repo.refs("refs/"));
    TRY_ASSIGN(std::string now, stamp(refs));
    TRY_ASSIGN(bool current, holds("stamp", now));
    if (current) return report;
    lineage_ = std::make_unique<Lineage>(clone_->repo, clone_->task, db_.get());
    TRY_ASSIGN(bool read, read_elsewhere(refs, report));
    TRY_ASSIGN(now, stamp(refs));
    TRY_ASSIGN(current, holds("stamp", now));
    if (current || !read) return report;
    TRY_ASSIGN(Transaction transaction, Transaction::begin(*db_));
    TRY(prepare_schema());
    TRY(take_everything(refs, report));
    TRY_ASSIGN(Statement set, db_->prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)"));
    TRY(set.bind(1, std::string_view("stamp")).bind(2, std::string_view(now)).run());
    TRY(set.bind(1, std::string_view("refs")).bind(2, std::string_view(stamp_of(refs))).run());
    TRY(transaction.commit());
    return report;
}

Result<void> Index::take_everything(const std::vector<Ref>& refs, RefreshReport& report) {
    TRY(take_logs(refs, report));
    TRY(take_spool(report));
    if (is_new_) TRY(db_->execute(kIndexes));
    TRY(apply_rejections());
    TRY(derive_standings());
    TRY(derive_retired());
    TRY(derive_totals());
    return db_->execute("DELETE FROM dirty");
}

}  // namespace cultivar
