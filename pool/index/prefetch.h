// Reads the segments of journals and the candidates' commits of a first pull or a rebuilt index while the tables are
// filled. Each class works in a thread of its own, on a repository handle of its own.
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

// Reads logs in the order in which they will be asked for, a few at a time.
class LogsAhead {
public:
    struct Wanted {
        Oid tip;
        std::size_t from = 0;  // records
    };

    LogsAhead(std::string git_dir, std::vector<Wanted> wanted);
    ~LogsAhead();  // reads no further
    LogsAhead(const LogsAhead&) = delete;

    // The result of read_segments() for this log; waits for it, and skips logs that were wanted before it. None: the log
    // was not wanted, or the repository could not be opened a second time.
    std::optional<Result<std::vector<LogSegment>>> take(const Oid& tip, std::size_t from);

private:
    void read();

    std::string git_dir_;
    std::vector<Wanted> wanted_;
    std::size_t next_ = 0;  // the first of wanted_ that may still be asked for
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Result<std::vector<LogSegment>>> done_;  // of wanted_[next_] and so on
    bool stop_ = false, ended_ = false;
    std::thread thread_;
};

// Checks candidate commits as Lineage does, into a table of its own; skips bad ones.
class LineageAhead {
public:
    // `task` must outlive the object.
    LineageAhead(std::string git_dir, const Task& task, std::vector<Oid> commits);
    ~LineageAhead();
    LineageAhead(const LineageAhead&) = delete;

    // Waits until all are checked, then gives them to a lineage that knows no commit yet.
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
