// Records on their way into the tables: gathered, checked on all cores in the background, and written in the order in
// which they were added.
#pragma once

#include <ctime>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "pool/index/index_database.h"
#include "pool/index/parallel_check.h"
#include "pool/index/rows.h"
#include "pool/types/record.h"
#include "pool/util/utc_time.h"

namespace cultivar {

class RecordImport {
public:
    RecordImport(IndexDatabase& database, RefreshReport& report) : database_(database), report_(report) {}
    Result<void> prepare();  // before anything else

    struct Origin {
        Oid blob;  // "": from the spool
        std::size_t place = 0;
        std::string source;
        std::string key;  // fingerprint of the key that signed the log
    };
    void add(RawLine line, Origin origin);
    Result<void> pass_on();  // has the added records checked, once they are many
    Result<void> flush();    // writes everything that was added
    // Those of these records that the tables do not hold. One statement.
    Result<std::set<std::string>> unknown(const std::vector<std::string>& records);
    Result<void> take_verdict(const std::string& line, const std::string& verifier);

private:
    struct Batch {
        std::vector<RawLine> lines{};
        std::vector<Origin> origins{};
        std::future<std::vector<CheckedLine>> checked{};  // looks at the lines, where they lie
    };

    Result<void> check_waiting();
    Result<void> take_batch(Batch& batch);
    Result<void> take(const RawLine& raw, const CheckedLine& line, const Origin& from);
    Result<void> take_counted(const Record& record);
    Result<void> bind_origin(const RawLine& raw, const Origin& from);
    void bind_record(const Record& record, const std::string& key);
    void bind(const Run& run);
    void bind(const Claim& claim);
    void bind(const Lease& lease);
    void bind(const Retirement& retirement, const std::string& key);
    Result<bool> insert(const std::string& id, bool counts);
    Result<std::int64_t> segment_number(const Oid& blob);
    Result<void> take_writer(const std::string& name, const std::string& key);
    Result<void> take_content(const auto& record);

    IndexDatabase& database_;
    RefreshReport& report_;
    Statement put_, refused_copy_, forget_, link_, segment_, known_segment_, writer_, dirty_, candidate_, verdict_,
        rerun_;
    Batch waiting_{}, checking_{};
    const std::int64_t met_s_ = std::time(nullptr);
    const std::string met_at_ = utc_text(met_s_);  // a run of a clock that is ahead is no newer than this
    Oid last_blob_{};
    std::int64_t last_number_ = 0;
    std::string last_writer_{};
};

}  // namespace cultivar
