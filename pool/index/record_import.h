// Records on their way into the tables: gathered, checked on all cores in the background, and written in the order in
// which they were added.
#pragma once

#include <future>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pool/index/energy_import.h"
#include "pool/index/index_database.h"
#include "pool/index/parallel_check.h"
#include "pool/index/rows.h"
#include "pool/types/record.h"
#include "pool/util/utc_time.h"

namespace cultivar {

// Counts of one log's records, most of which have no row if they do not count. A log of which kMostRubbish records are rubbish is read no further:
// what comes after them does not count, whenever it came.
inline constexpr int kMostRubbish = 1000;
// The claims of a writer may name so many runs in all, and so many times as many more as it has published. A claim beyond
// that is rubbish: it takes a few bytes for each run that it names, and the tables two rows.
inline constexpr std::int64_t kFreeLinks = 1000, kLinksPerRun = 4;
struct LogTally {
    int rubbish = 0;     // of these, the tables hold those that are records at all, with the reason
    int unreadable = 0;  // rubbish that is no record
    int later = 0;
    int other_task = 0;  // runs of another task, such as of an earlier one
    // Of those that count, and runs over a limit of the pool:
    int runs = 0, failures = 0, leases = 0, claims = 0, retirements = 0;  // failures: runs that failed or were unfit
    int passed_over = 0;                                                  // more of a kind than one writer may have

    bool is_full() const { return rubbish >= kMostRubbish; }
    bool operator==(const LogTally&) const = default;
};

// The first so many records of each kind are taken of a writer: far more than an honest one has, and few enough that
// those of some strangers bury nothing. This clone and the pool's verifiers may have any number.
inline constexpr std::pair<int LogTally::*, int> kMostOfAWriter[] = {
    {&LogTally::runs, 100'000},  {&LogTally::failures, 10'000},    {&LogTally::leases, 10'000},
    {&LogTally::claims, 10'000}, {&LogTally::retirements, 10'000},
};

class RecordImport {
public:
    // `now_s`: the unix time of the import.
    RecordImport(IndexDatabase& database, RefreshReport& report, std::int64_t now_s)
        : database_(database),
          report_(report),
          energy_(database),
          own_key_(database.clone().key.fingerprint()),
          met_s_(now_s),
          met_at_(utc_text(now_s)) {}
    Result<void> prepare();  // before anything else

    struct Origin {
        Oid blob;  // "": from the spool
        std::size_t place = 0;
        std::string source;
        std::string key;            // fingerprint of the key that signed the log
        LogTally* tally = nullptr;  // of the log or the spool; must outlive the next flush()
        std::int64_t seen_s = 0;    // when this clone first saw it; 0: now
        bool any_number = false;    // kMostOfAWriter does not hold for its writer
        std::int64_t turn = 0;      // of several that were seen at once, the least was first (LogImport::turn_of)
    };
    void add(RawLine line, Origin origin);
    Result<void> pass_on();  // has the added records checked, once they are many
    Result<void> flush();    // writes everything that was added, and reports the refused ones
    void forget_writer(const std::string& name) { linked_.erase(name); }  // its records were deleted
    // Those of these records that the tables do not hold. One statement.
    Result<std::set<std::string>> unknown(const std::vector<std::string>& records);
    // `key`: fingerprint of the key that signed the ledger.
    Result<void> take_verdict(const std::string& line, const std::string& verifier, const std::string& key,
                              LogTally& tally);

private:
    struct Batch {
        std::vector<RawLine> lines{};
        std::vector<Origin> origins{};
        std::size_t bytes = 0;
        std::future<std::vector<CheckedLine>> checked{};  // looks at the lines, where they lie
    };

    Result<void> check_waiting();
    Result<void> take_batch(Batch& batch);
    // The counted runs of a writer, and the runs that its claims name.
    struct Linked {
        std::int64_t runs = 0, links = 0;
        std::int64_t new_runs = 0, new_links = 0;  // of these, not in the tables yet
    };

    Result<void> take(const RawLine& raw, const CheckedLine& line, const Origin& from);
    Result<void> take_checked(const RawLine& raw, const CheckedLine& line, const Origin& from);
    Result<bool> names_too_many_runs(const std::string& writer, const std::string& id, const Claim& claim);
    Result<Linked*> linked(const std::string& writer);
    Result<void> save_links();
    void tell_refused(const std::string& what, const CheckedLine& line);
    void report_refused();
    Result<void> take_counted(const Record& record, const Origin& from);
    Result<void> bind_origin(const RawLine& raw, const Origin& from);
    void bind_record(const Record& record, const std::string& key);
    void bind(const Run& run);
    void bind(const Claim& claim);
    void bind(const Lease& lease);
    void bind(const Retirement& retirement, const std::string& key);
    Result<bool> insert(const std::string& id, bool counts);
    Result<std::int64_t> segment_number(const Oid& blob);
    Result<void> take_writer(const std::string& name, const Origin& from);
    std::int64_t seen_s(const Origin& from) const { return from.seen_s > 0 ? from.seen_s : met_s_; }
    Result<void> take_content(const auto& record, const Origin& from);

    IndexDatabase& database_;
    RefreshReport& report_;
    EnergyImport energy_;
    const std::string own_key_;
    Statement put_, refused_copy_, forget_, link_, segment_, known_segment_, writer_, dirty_, candidate_, sooner_,
        believe_, verdict_, rerun_, known_, get_linked_, set_linked_;
    Batch waiting_{}, checking_{};
    const std::int64_t met_s_;
    const std::string met_at_;  // a run of a clock that is ahead is no newer than this
    Oid last_blob_{};
    std::int64_t last_number_ = 0;
    std::string last_writer_{};
    std::map<std::string, Linked> linked_{};  // by writer
    struct Refused {
        int count = 0;
        std::string reason;
    };
    // Since the last flush(), by "record of <writer>" and, for what is no record, the reason.
    std::map<std::pair<std::string, std::string>, Refused> refused_{};
};

}  // namespace cultivar
