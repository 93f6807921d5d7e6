// When this clone first saw the records of each log: <state>/seen/first, one line per pull in which a log grew,
// "<unix time> <records> <ref>". The file lies outside the index, so that a rebuilt index still tells a copy from its
// original.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pool/clone/clone.h"

namespace cultivar {

// 32 secret digits, made at the first call: <state>/seen/order. They order writers that came by one pull. Where the file
// cannot be written, each call makes others. Errors: io (a file that cannot be read).
Result<std::string> order_secret(const Clone& clone);

class FirstSeen {
public:
    // Empty if there is no file; a line that cannot be read is passed over. Errors: io.
    static Result<FirstSeen> read(const Clone& clone);
    // Errors: io.
    Result<void> write(const Clone& clone) const;

    // The unix time at which record number `place` (from 0) of the log was first here; `now_s` if it is new.
    std::int64_t seen_s(const std::string& ref, std::size_t place, std::int64_t now_s) const;
    // When something of the remote's last came here; 0: never.
    std::int64_t last_pull_s() const;
    // The log has so many records now. Of a log with more than kMostEntries, and of the longest logs once all have more than
    // kMostInAll, entries are forgotten: their records then count as seen by the next pull. Those go first that are closest
    // to the next one for their age: whose copy came later by more than a hundredth of its age still counts as first.
    void note(const std::string& ref, std::size_t records, std::int64_t now_s);
    std::size_t size() const { return entries_; }  // of all logs

    static constexpr std::size_t kMostEntries = 4096, kMostInAll = 400'000;

private:
    struct Entry {
        std::size_t records = 0;
        std::int64_t at_s = 0;
    };
    static std::size_t thin(std::vector<Entry>& entries);
    void thin_longest();

    std::map<std::string, std::vector<Entry>> by_ref_{};  // ascending in both
    std::size_t entries_ = 0, thin_at_ = kMostInAll;
};

}  // namespace cultivar
