// Journals and ledgers, followed from where they were last seen. A bad one costs no other anything: it is reported once,
// and passed over until its tip changes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pool/clone/first_seen.h"
#include "pool/clone/last_seen_tips.h"
#include "pool/git/signing_key.h"
#include "pool/index/index_database.h"
#include "pool/index/prefetch.h"
#include "pool/index/record_import.h"
#include "pool/index/rows.h"
#include "pool/storage/segment_log.h"

namespace cultivar {

inline constexpr std::size_t kWorthAThread = 64;  // logs or commits
// Unread bytes that one refresh takes: of all journals, and once more of those that bundles carry. The smallest journals
// come first, so that a large one keeps no other away; it waits for a later refresh.
inline constexpr std::int64_t kMostUnreadBytes = std::int64_t{2} << 30;

struct Log {
    std::string ref, writer;
    Oid tip;
    bool ledger = false;
    std::string source;    // pool/storage/extra_remote.h, or "archive"; "": this clone and its origin
    bool carried = false;  // by a bundle
};

class LogImport {
public:
    LogImport(IndexDatabase& database, RefreshReport& report, std::int64_t now_s)
        : database_(database), report_(report), records_(database, report, now_s), now_s_(now_s) {}
    Result<void> prepare();  // before anything else

    // Finds out which of these logs are read now. Reads the small ones in a thread of its own, if they are many.
    Result<void> read_ahead(const std::vector<Log>& logs);
    // Takes the new records of a log, and moves its tip. A log that cannot be followed is reported as refused, and put
    // back to where it was good. Errors: those of the database alone.
    Result<void> take(const Log& log);
    Result<void> flush();           // everything taken is in the tables
    Result<void> save_tips();       // outside the index, if any moved
    Result<void> forget_ledgers();  // they are read again from the beginning

    LogPosition indexed_tip(const std::string& ref) const;  // the tables hold the log up to here
    const LogPosition& seen_tip(const std::string& ref) { return tips_[ref]; }
    Result<void> follow(const std::string& ref, const LogPosition& tip);

    // Of logs, and of the refs of bundles (their writer is ""): reports one that is refused, and remembers it by its tip
    // unless the reason may pass; and puts a ref of the remote back to where it was good.
    Result<void> refuse(const Log& log, const Error& why);
    bool was_refused(const Log& log) const;
    void put_back(const Log& log, const Oid& good);
    // How often take() left a log aside that is too large to be read beside all others.
    std::size_t waiting() const { return left_aside_; }

private:
    // The records of a tip that are new, found to be well-formed: in memory where they are few, else still to be read.
    struct Unread {
        std::optional<OpenLog> log;
        std::vector<LogSegment> segments;
    };

    Result<std::string> check(const Log& log, const LogPosition& seen);
    std::int64_t turn_of(const std::string& key) const;
    Result<Unread> unread(const Log& log, const Oid& tip, std::size_t have);
    Result<void> forget_own(const Log& log);
    Result<void> take_records(const Log& log, const Oid& tip, const std::string& key, Unread news, std::size_t have);
    Result<void> take_segment(const Log& log, const std::string& key, LogSegment segment, std::size_t from);
    Result<void> save_tallies();

    IndexDatabase& database_;
    RefreshReport& report_;
    RecordImport records_;
    Statement set_tip_, set_refused_, set_tally_;
    std::map<std::string, LogPosition> indexed_{};  // by ref
    std::map<std::string, Oid> refused_{};          // by ref: the tip that was refused
    std::map<std::string, LogTally> tallies_{};     // by ref
    std::map<std::string, LogTally> saved_{};       // as the tables hold them
    FirstSeen first_seen_{};                        // outside the index too
    std::int64_t last_pull_s_ = 0;                  // before this refresh
    const std::int64_t now_s_;
    std::map<std::string, std::string> keys_{};  // fingerprints, by writer: a name stands for one key
    std::set<std::string> free_keys_{};          // of this clone and of the verifiers: kMostOfAWriter
    std::string secret_{};                       // pool/clone/first_seen.h: order_secret()
    std::set<std::string> waiting_{};            // refs that are too large for this refresh
    std::size_t left_aside_ = 0;
    std::int64_t carried_bytes_ = kMostUnreadBytes;  // that may still be read
    std::optional<LogsAhead> ahead_{};
    std::map<std::string, LogPosition> tips_{};  // as last seen, outside the index too
    bool moved_ = false;
};

}  // namespace cultivar
