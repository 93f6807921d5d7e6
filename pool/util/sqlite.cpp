#include "pool/util/sqlite.h"

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr int kOpenTries = 200;
constexpr auto kOpenPoll = std::chrono::milliseconds(50);

Error wrong(sqlite3* database) {
    int code = sqlite3_errcode(database);
    Code kind = code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? Code::corrupt
                : code == SQLITE_BUSY                           ? Code::busy
                                                                : Code::io;
    std::string hint;
    if (code == SQLITE_FULL || code == SQLITE_IOERR) {
        const char* path = sqlite3_db_filename(database, "main");
        hint = "df -h " + shell_word(path == nullptr ? "." : std::filesystem::path(path).parent_path().string());
    }
    return {kind, fmt::format("the local index: {}", sqlite3_errmsg(database)), std::move(hint),
            kind == Code::corrupt ? Reason::bad_index : Reason::unspecified};
}

}  // namespace

void Statement::Free::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Free::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

int Statement::place(const char* name) {
    const int at = sqlite3_bind_parameter_index(statement_.get(), name);
    if (at == 0) unknown_ = name;
    return at;
}

Statement& Statement::bind(const char* name, std::string_view text) {
    sqlite3_bind_text(statement_.get(), place(name), text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
}
Statement& Statement::bind(const char* name, double number) {
    sqlite3_bind_double(statement_.get(), place(name), number);
    return *this;
}
Statement& Statement::bind_whole(const char* name, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), place(name), number);
    return *this;
}
Statement& Statement::bind(const char* name, std::nullopt_t) {
    sqlite3_bind_null(statement_.get(), place(name));
    return *this;
}
Statement& Statement::clear() {
    sqlite3_clear_bindings(statement_.get());
    return *this;
}

Result<bool> Statement::step() {
    if (unknown_ != nullptr)
        return fail(Code::usage, fmt::format("no parameter '{}' in: {}", unknown_, sqlite3_sql(statement_.get())));
    int rc = sqlite3_step(statement_.get());
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) return false;
    return fail(wrong(sqlite3_db_handle(statement_.get())));
}

Result<void> Statement::run() {
    for (;;) {
        TRY_ASSIGN(bool row, step());
        if (!row) break;
    }
    reset();
    return {};
}

Result<bool> Statement::any() {
    auto there = step();
    reset();
    return there;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::string Statement::text(int column) const {
    auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    if (!text) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
std::int64_t Statement::whole(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

Result<Database> Database::open(const std::string& path) {
    sqlite3* raw = nullptr;
    int rc =
        sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database;
    database.database_.reset(raw);
    if (rc != SQLITE_OK) return fail(Code::io, fmt::format("cannot open '{}': {}", path, sqlite3_errstr(rc)));
    sqlite3_busy_timeout(raw, 10'000);
    // A cache that can be rebuilt: no need to wait for the disk. Of two processes that turn a new file to WAL at once,
    // SQLite refuses one without waiting.
    for (int tries = 0;; ++tries) {
        auto set = database.execute(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; "
            "PRAGMA cache_size = -24576; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4096;");
        if (set) return database;
        if (set.error().code != Code::busy || tries == kOpenTries) return fail(set.error());
        std::this_thread::sleep_for(kOpenPoll);
    }
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK) {
        Error error = wrong(database_.get());
        // The statements of this program are sound: a table or a column is gone.
        if (sqlite3_errcode(database_.get()) == SQLITE_ERROR)
            error.code = Code::corrupt, error.reason = Reason::bad_index;
        return fail(std::move(error));
    }
    Statement statement;
    statement.statement_.reset(raw);
    return statement;
}

Result<void> Database::execute(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(wrong(database_.get()));
    return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(database_.get()); }

Result<Transaction> Transaction::begin(Database& database) {
    TRY(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (database_) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    TRY(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace cultivar
