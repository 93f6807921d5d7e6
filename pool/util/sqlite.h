// SQLite: a database, statements that bind by name and read rows, and transactions. Errors become Result at once.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pool/util/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cultivar {

class Row;

// One prepared statement. It is used from one thread, and must not outlive its database.
class Statement {
public:
    // Binds by the parameter's name, with its colon: bind(":candidate", id). Text is copied. Without a value the
    // parameter is NULL. A name that the statement does not have is a mistake of the program: step() says so.
    Statement& bind(const char* name, std::string_view text);
    Statement& bind(const char* name, double number);
    template <std::integral Whole>
    Statement& bind(const char* name, Whole number) {
        return bind_whole(name, static_cast<std::int64_t>(number));
    }
    Statement& bind(const char* name, std::nullopt_t);
    template <typename Value>
    Statement& bind(const char* name, const std::optional<Value>& value) {
        return value ? bind(name, *value) : bind(name, std::nullopt);
    }
    Statement& clear();  // every parameter is NULL again

    Result<bool> step();  // true: a row is there
    Result<void> run();   // steps to the end and resets
    Result<bool> any();   // is there a row? resets
    void reset();
    // Calls take(Row) for every row, then resets. `take` returns void, or Result<void> to stop at an error.
    template <typename Take>
    Result<void> each(Take&& take);
    // read(Row) of every row.
    template <typename Read>
    auto all(Read&& read) -> Result<std::vector<std::invoke_result_t<Read, Row&>>>;
    // read(Row) of the first row, if there is one; resets.
    template <typename Read>
    auto first(Read&& read) -> Result<std::optional<std::invoke_result_t<Read, Row&>>>;

    std::string text(int column) const;  // columns count from 0; NULL reads as ""
    std::int64_t whole(int column) const;
    double real(int column) const;
    bool is_null(int column) const;

private:
    friend class Database;
    struct Free {
        void operator()(sqlite3_stmt* statement) const;
    };
    Statement& bind_whole(const char* name, std::int64_t number);
    int place(const char* name);

    std::unique_ptr<sqlite3_stmt, Free> statement_;
    const char* unknown_ = nullptr;  // a name that was bound and is not there
};

// The columns of a statement's row, read from left to right, each once. Valid until the statement steps on.
class Row {
public:
    explicit Row(const Statement& statement) : statement_(&statement) {}

    std::string text() { return statement_->text(next_++); }
    std::int64_t whole() { return statement_->whole(next_++); }
    int count() { return static_cast<int>(whole()); }
    bool flag() { return whole() != 0; }
    double real() { return statement_->real(next_++); }
    // NULL reads as nothing.
    std::optional<std::string> text_if() {
        return is_null() ? std::nullopt : std::optional(statement_->text(next_ - 1));
    }
    std::optional<std::int64_t> whole_if() {
        return is_null() ? std::nullopt : std::optional(statement_->whole(next_ - 1));
    }
    std::optional<double> real_if() { return is_null() ? std::nullopt : std::optional(statement_->real(next_ - 1)); }

private:
    bool is_null() { return statement_->is_null(next_++); }

    const Statement* statement_;
    int next_ = 0;
};

template <typename Take>
Result<void> Statement::each(Take&& take) {
    for (;;) {
        TRY_ASSIGN(const bool more, step());
        if (!more) break;
        Row row(*this);
        if constexpr (std::is_void_v<std::invoke_result_t<Take, Row&>>)
            take(row);
        else
            TRY(take(row));
    }
    reset();
    return {};
}

template <typename Read>
auto Statement::all(Read&& read) -> Result<std::vector<std::invoke_result_t<Read, Row&>>> {
    std::vector<std::invoke_result_t<Read, Row&>> rows;
    TRY(each([&](Row& row) { rows.push_back(read(row)); }));
    return rows;
}

template <typename Read>
auto Statement::first(Read&& read) -> Result<std::optional<std::invoke_result_t<Read, Row&>>> {
    std::optional<std::invoke_result_t<Read, Row&>> found;
    TRY_ASSIGN(const bool there, step());
    if (there) {
        Row row(*this);
        found.emplace(read(row));
    }
    reset();
    return found;
}

class Database {
public:
    // Opens or creates; waits up to 10 s for another process's write. Errors: io, corrupt (not a database).
    static Result<Database> open(const std::string& path);
    // Errors: corrupt with Reason::bad_index (damaged, or a table or column is missing), io, busy.
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
