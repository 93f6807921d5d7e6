// What the index's files ask the database with: pieces of SQL, and the record behind a row.
#pragma once

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "pool/storage/segment_log.h"
#include "pool/types/record.h"
#include "pool/util/sqlite.h"

namespace cultivar {

// The newest verdict on a claim (a row `record`) that counts: nobody judges their own claim, under whatever name; the
// key tells.
#define CULTIVAR_VERDICT_OF(what)                                                                                  \
    "(SELECT " what                                                                                                \
    " FROM verdict WHERE verdict.claim = record.id AND substr(verdict.verifier, -8) <> substr(record.writer, -8) " \
    "ORDER BY at DESC, verdict.seq DESC LIMIT 1)"
inline constexpr const char* kVerdictOf = CULTIVAR_VERDICT_OF("line");
inline constexpr const char* kResultOf = CULTIVAR_VERDICT_OF("result");
// Is it an accepted record?
inline constexpr const char* kRecordOf = CULTIVAR_VERDICT_OF("result = 'accepted' AND verdict.record");
inline constexpr const char* kResultAndTimeOf = CULTIVAR_VERDICT_OF("result || ' ' || at");
#undef CULTIVAR_VERDICT_OF

// Lists in a column: words between spaces.
inline std::vector<std::string> split(const std::string& text) {
    std::istringstream words(text);
    std::vector<std::string> out;
    for (std::string word; words >> word;) out.push_back(word);
    return out;
}

// The first column of a query's rows.
inline Result<std::set<std::string>> texts(Database& db, const std::string& sql) {
    TRY_ASSIGN(Statement get, db.prepare(sql));
    std::set<std::string> found;
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        found.insert(get.text(0));
    }
    return found;
}

inline constexpr const char* kLineColumns = "record.id, record.line, segment.blob, record.place";
inline constexpr const char* kLineTables = "record LEFT JOIN segment ON segment.number = record.segment";

// A record's bytes, from the spool's copy or from its segment; the last segment is kept, since records of one lie
// together.
class LineReader {
public:
    explicit LineReader(const Repo& repo) : repo_(repo) {}

    // Columns 0 to 3 of `get` are kLineColumns.
    Result<std::string> read(const Statement& get) {
        if (!get.is_null(1)) return get.text(1);
        const Oid blob = get.text(2);
        if (blob != blob_) {
            TRY_ASSIGN(lines_, read_segment(repo_, blob));
            blob_ = blob;
        }
        const auto place = static_cast<std::size_t>(get.whole(3));
        if (place >= lines_.size()) return fail(Code::corrupt, "a segment is shorter than it was");
        return lines_[place];
    }

private:
    const Repo& repo_;
    Oid blob_;
    std::vector<std::string> lines_;
};

// The records of type `One` behind the rows of `get`, whose columns 0 to 3 are kLineColumns, each given to `take` while
// its row is there. What is no such record is passed over.
template <typename One>
Result<void> for_each_record(const Repo& repo, Statement& get, const auto& take) {
    LineReader reader(repo);
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) return {};
        TRY_ASSIGN(std::string line, reader.read(get));
        auto record = parse_line(line);
        if (record && std::holds_alternative<One>(*record)) TRY(take(std::get<One>(std::move(*record))));
    }
}

}  // namespace cultivar
