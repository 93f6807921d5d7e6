// An append-only list of records on a branch: the form of journals and ledgers. Format 1:
//   tree:     seg/000000.jsonl, seg/000001.jsonl, ...: at most 100 records each, one a line, each ended by a line feed;
//             all but the last segment hold exactly 100
//   commit:   one a push; its parent is the tip before; signed by the writer's key
// A later format says so (pool/storage/format_marker.h): error newer.
// Nothing is ever rewritten: a new tip must hold everything the old one held, in the same place.
//
// A few bytes in a pack can stand for gigabytes of segments. So a log is opened first: sizes come from the objects'
// headers, and a log over a limit is refused before any of its bytes are read. Segments are read one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pool/git/repository.h"

namespace cultivar {

inline constexpr std::size_t kSegmentRecords = 100;
inline constexpr std::size_t kMaxSegmentBytes = 32 << 20;
inline constexpr std::size_t kMostSegments = 3000;
inline constexpr std::int64_t kMostLogBytes = std::int64_t{1} << 30;  // all segments together

// One segment's records, from some place on.
struct LogSegment {
    Oid blob;
    std::size_t first = 0;  // place of lines[0] in the segment
    std::vector<std::string> lines;
};

// The segments of one tip, by their names and sizes. Costs a read of an object's header per segment.
class OpenLog {
public:
    // Segments that hold only records before number `from` may be missing. Errors: corrupt (a tree of another shape, one file under two names), corrupt with Reason::too_large (over a limit
    // above), newer, git.
    static Result<OpenLog> open(const Repo& repo, const Oid& tip, std::size_t from = 0);

    // Bytes of the segments that hold records number `from` and after: the cost of reading them.
    std::int64_t bytes_from(std::size_t from) const;
    // Calls take(LogSegment) for the segments that hold records number `from` and after, oldest first, one in memory at
    // a time. `take` returns false to stop. Errors: corrupt, git, those of `take`.
    Result<void> each(std::size_t from, const std::function<Result<bool>(LogSegment)>& take) const;
    const std::vector<TreeEntry>& segments() const { return segments_; }

private:
    explicit OpenLog(const Repo& repo) : repo_(&repo) {}

    const Repo* repo_;
    std::vector<TreeEntry> segments_;
    std::vector<std::int64_t> bytes_;
};

// Records number `from` and after by segment, all of them in memory. Errors: as OpenLog.
Result<std::vector<LogSegment>> read_segments(const Repo& repo, const Oid& tip, std::size_t from);
// How many records a log holds.
Result<std::size_t> log_size(const Repo& repo, const Oid& tip);
// All records of one segment.
Result<std::vector<std::string>> read_segment(const Repo& repo, const Oid& blob);

// Records number `from` and after, oldest first. Reads only the segments that hold them. Errors: corrupt, git.
Result<std::vector<std::string>> read_log(const Repo& repo, const Oid& tip, std::size_t from);

// The commit that holds the lines too, its parent `tip` (none: a new log); no ref moves. Errors: corrupt, git, io.
Result<Oid> extend_log(Repo& repo, const std::optional<Oid>& tip, const std::vector<std::string>& lines,
                       const Identity& who, const Signer& signer);

// Appends lines to the branch (made if absent) in one commit. Returns the new tip. Errors: busy when the branch moved
// meanwhile, git, io.
Result<Oid> append_log(Repo& repo, const std::string& ref, const std::vector<std::string>& lines, const Identity& who,
                       const Signer& signer);

// Does `next` hold all of `now`'s `count` records unchanged? Errors: corrupt ("was rewound" or "was rewritten").
Result<void> check_extends(const Repo& repo, const Oid& now, std::size_t count, const Oid& next);

}  // namespace cultivar
