// What a first pull and a rebuilt index have to read, read while the tables are filled: the segments of journals, and the
// candidates' commits. Each works in a thread of its own, on a repository handle of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pool/lineage/candidate_commits.h"
#include "pool/storage/segment_log.h"

namespace cultivar {

// Logs in the order in which they will be asked for, a few at a time.
class LogsAhead {
public:
    struct Wanted {
        Oid tip;
        std::size_t from = 0;  // records
    };

    LogsAhead(std::string git_dir, std::vector<Wanted> wanted);
    ~LogsAhead();  // reads no further
    LogsAhead(const LogsAhead&) = delete;

    // As read_segments(); waits for it. Logs that were wanted before this one are passed over. Nothing: it was not
    // wanted, or the repository could not be opened a second time.
    std::optional<Result<std::vector<LogSegment>>> take(const Oid& tip, std::size_t from);

private:
    void read();

    std::string git_dir_;
    std::vector<Wanted> wanted_;
    std::size_t next_ = 0;  // of wanted_: the first that may still be asked for
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Result<std::vector<LogSegment>>> done_;  // of wanted_[next_] and so on
    bool stop_ = false, ended_ = false;
    std::thread thread_;
};

// Checks candidate commits as Lineage does, bad ones passed over, into a table of its own.
class LineageAhead {
public:
    // `task` must outlive the object.
    LineageAhead(std::string git_dir, const Task& task, std::vector<Oid> commits);
    ~LineageAhead();
    LineageAhead(const LineageAhead&) = delete;

    // Waits until all are checked, then gives them to a lineage that knows nothing yet.
    Result<void> give(Lineage& to);

private:
    void read();

    std::string git_dir_;
    const Task& task_;
    std::vector<Oid> commits_;
    std::atomic<bool> stop_{false};
    std::optional<Repo> repo_;
    std::optional<Lineage> lineage_;
    std::thread thread_;
};

}  // namespace cultivar
