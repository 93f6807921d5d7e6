// Journals and ledgers, followed from where they were last seen.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pool/clone/last_seen_tips.h"
#include "pool/git/signing_key.h"
#include "pool/index/index_database.h"
#include "pool/index/prefetch.h"
#include "pool/index/record_import.h"
#include "pool/index/rows.h"
#include "pool/storage/segment_log.h"

namespace cultivar {

inline constexpr std::size_t kWorthAThread = 64;  // logs or commits

struct Log {
    std::string ref, writer;
    Oid tip;
    bool ledger = false;
    std::string source;  // pool/storage/extra_remote.h, or "archive"; "": this clone and its origin
};

class LogImport {
public:
    LogImport(IndexDatabase& database, RefreshReport& report)
        : database_(database), report_(report), records_(database, report) {}
    Result<void> prepare();  // before anything else

    // Reads the segments of these logs in a thread of its own, if they are many.
    Result<void> read_ahead(const std::vector<Log>& logs);
    // Takes the new records of a log, and moves its tip. A log that cannot be followed is reported as refused, and put
    // back to where it was good.
    Result<void> take(const Log& log);
    Result<void> flush() { return records_.flush(); }  // everything taken is in the tables
    Result<void> save_tips();                          // outside the index, if any moved
    Result<void> forget_ledgers();                     // they are read again from the beginning

    LogPosition indexed_tip(const std::string& ref) const;  // the tables hold the log up to here
    const LogPosition& seen_tip(const std::string& ref) { return tips_[ref]; }
    Result<void> follow(const std::string& ref, const LogPosition& tip);

private:
    Result<std::string> check(const Log& log, const LogPosition& seen);
    Result<std::vector<LogSegment>> segments_of(const Oid& tip, std::size_t have);
    Result<void> forget_own(const Log& log);
    Result<void> take_segments(const Log& log, const std::string& key, std::vector<LogSegment> segments);

    IndexDatabase& database_;
    RefreshReport& report_;
    RecordImport records_;
    Statement set_tip_;
    std::map<std::string, LogPosition> indexed_{};  // by ref
    std::optional<LogsAhead> ahead_{};
    std::map<std::string, LogPosition> tips_{};  // as last seen, outside the index too
    bool moved_ = false;
};

}  // namespace cultivar
