// SQLite in sixty lines: a database, statements that bind and step, and transactions. Errors become Result at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pool/util/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cultivar {

class Statement {
public:
    Statement& bind(int at, std::string_view text);  // parameters count from 1; the text is copied
    Statement& bind(int at, std::int64_t number);
    Statement& bind(int at, double number);
    Statement& bind_null(int at);
    Statement& clear();  // every parameter is NULL again

    Result<bool> step();  // true: a row is there
    Result<void> run();   // steps to the end and resets
    void reset();

    std::string text(int column) const;  // columns count from 0; NULL reads as ""
    std::int64_t whole(int column) const;
    double real(int column) const;
    bool is_null(int column) const;

private:
    friend class Database;
    struct Free {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Free> statement_;
};

class Database {
public:
    // Opens or creates; waits up to 10 s for another process's write. Errors: io, corrupt (not a database).
    static Result<Database> open(const std::string& path);
    Result<Statement> prepare(std::string_view sql);
    Result<void> execute(const char* sql);  // statements without parameters
    std::int64_t changes() const;           // rows that the last statement changed

private:
    struct Free {
        void operator()(sqlite3* database) const;
    };
    std::unique_ptr<sqlite3, Free> database_;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

}  // namespace cultivar
