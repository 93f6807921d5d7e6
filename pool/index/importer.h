// The way into the index's tables, for the files that make it up: logs are followed from where they were last seen
// (index_logs.cpp), and what is new in them is gathered, checked on all cores in the background and written in the order
// in which it was met (index_records.cpp).
#pragma once

#include <ctime>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pool/clone/last_seen_tips.h"
#include "pool/git/signing_key.h"
#include "pool/index/index.h"
#include "pool/index/parallel_check.h"
#include "pool/index/prefetch.h"
#include "pool/storage/segment_log.h"
#include "pool/util/utc_time.h"

namespace cultivar {

inline constexpr std::size_t kMuch = 64;  // logs or commits that are worth a thread of their own

// "<before><what><rest>" -> rest, for the refs that this clone, its remote and its sources have.
std::optional<std::string> under(const std::string& ref, const std::string& what);
// Exactly: anybody may push an `archive-of-mine`.
bool is_archive(const std::string& ref);

struct Index::Log {
    std::string ref, writer;
    Oid tip;
    bool ledger = false;
    std::string source;  // pool/storage/extra_remote.h, or "archive"; "": this clone and its origin
};

struct Index::RecordChecks {
    RecordChecks(Index& into, RefreshReport& telling) : index(into), report(telling) {}
    Result<void> prepare();  // before anything else

    // index_logs.cpp
    // Reads the segments of these logs in a thread of its own, where they are many.
    Result<void> read_ahead(const std::vector<Log>& logs);
    // Takes what is new in a log, and moves its tip. One that cannot be followed is reported as refused, and put back to
    // where it was good.
    Result<void> take_log(const Log& log);
    Result<LogPosition> known_tip(const std::string& ref);  // where the index stands in a log
    Result<void> follow(const std::string& ref, const LogPosition& tip);

    // index_records.cpp
    struct Origin {
        Oid blob;  // "": from the spool
        std::size_t place = 0;
        std::string source;
        std::string key;  // fingerprint of the one that signed the log
    };
    void add(RawLine line, Origin origin);
    Result<void> pass_on();  // what was added, once it is worth it
    Result<void> flush();    // all that was added is in the tables
    Result<bool> holds(const std::string& record);
    Result<void> take_verdict(const std::string& line, const std::string& verifier);

    Index& index;
    RefreshReport& report;
    std::vector<Carried> carried{};
    std::map<std::string, LogPosition> tips{};  // as last seen, outside the index too
    bool moved = false;                         // did any tip?

private:
    struct Batch {
        std::vector<RawLine> lines{};
        std::vector<Origin> origins{};
        std::future<std::vector<CheckedLine>> checked{};  // looks at the lines, where they lie
    };

    Result<std::string> check(const Log& log, const LogPosition& seen, const std::vector<AllowedSigner>& verifiers);
    Result<std::vector<LogSegment>> segments_of(const Oid& tip, std::size_t have);
    Result<void> forget_own(const Log& log);

    Result<void> check_waiting();
    Result<void> take_batch(Batch& batch);
    static bool is_over(const Batch& batch, const std::vector<CheckedLine>& checked, std::size_t at);
    Result<void> take(const RawLine& raw, const CheckedLine& line, const Origin& from);
    Result<void> bind_origin(const RawLine& raw, const Origin& from);
    void bind(const Run& run);
    void bind(const Claim& claim);
    void bind(const Lease& lease);
    void bind(const Retirement& retirement, const std::string& key);
    Result<bool> insert(const std::string& id, bool counts);
    Result<std::int64_t> segment_number(const Oid& blob);
    Result<void> take_writer(const std::string& name, const std::string& key);
    Result<void> take_content(const auto& record);

    Statement put_, refused_copy_, forget_, link_, segment_, known_segment_, writer_, dirty_, find_, candidate_,
        get_tip_, set_tip_, verdict_;
    std::optional<LogsAhead> ahead_{};
    Batch waiting_{}, checking_{};
    const std::int64_t met_s_ = std::time(nullptr);
    const std::string met_at_ = utc_text(met_s_);  // a run of a clock that is ahead is no newer than this
    Oid last_blob_{};
    std::int64_t last_number_ = 0;
    std::string last_writer_{};
};

}  // namespace cultivar
