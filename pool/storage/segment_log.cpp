#include "pool/storage/segment_log.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "pool/storage/format_marker.h"
#include "pool/types/record.h"

namespace cultivar {
namespace {

std::string segment_name(std::size_t index) { return fmt::format("{:06}.jsonl", index); }

// The segments of a tip in order. A tree that is not exactly `seg/` with consecutive plain files is corrupt.
Result<std::vector<TreeEntry>> segments(const Repo& repo, const Oid& tip) {
    TRY_ASSIGN(Commit commit, repo.read_commit(tip));
    TRY_ASSIGN(std::vector<TreeEntry> root, repo.read_tree(commit.tree, 8));
    if (is_of_later_format(root)) return fail(Code::newer, "a log of a later format needs a newer cultivar");
    if (root.size() != 1 || root[0].name != "seg" || !root[0].is_tree)
        return fail(Code::corrupt, "a log's tree holds something else than seg/");
    TRY_ASSIGN(std::vector<TreeEntry> found, repo.read_tree(root[0].oid, kMostSegments));
    std::set<Oid> blobs;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].name != segment_name(i) || !found[i].plain_file)
            return fail(Code::corrupt, "a log's segments are not consecutive plain files");
        if (!blobs.insert(found[i].oid).second)
            return fail(Code::corrupt, "a log names one file under two names");  // no record comes twice
    }
    if (found.empty()) return fail(Code::corrupt, "a log without segments");
    return found;
}

tl::unexpected<Error> too_large(const std::string& what, std::int64_t bytes, std::int64_t most) {
    return fail(Code::corrupt, fmt::format("{} has {} bytes, more than the {} allowed", what, bytes, most), "",
                Reason::too_large);
}

Result<std::vector<std::string>> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) return fail(Code::corrupt, "a log's segment does not end with a line feed");
        if (end - begin > kMaxRecordBytes) return fail(Code::corrupt, "a log holds a record that is too long");
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    if (lines.empty() || lines.size() > kSegmentRecords) return fail(Code::corrupt, "a log's segment has a wrong size");
    return lines;
}

}  // namespace

Result<std::vector<std::string>> read_segment(const Repo& repo, const Oid& blob) {
    TRY_ASSIGN(std::string text, repo.read_blob(blob, kMaxSegmentBytes));
    return lines_of(text);
}

Result<OpenLog> OpenLog::open(const Repo& repo, const Oid& tip, std::size_t from) {
    OpenLog log(repo);
    TRY_ASSIGN(log.segments_, cultivar::segments(repo, tip));
    std::int64_t all = 0;
    for (std::size_t i = 0; i < log.segments_.size(); ++i) {
        const auto bytes = repo.object_bytes(log.segments_[i].oid);
        if (!bytes && i >= from / kSegmentRecords) return fail(bytes.error());
        if (bytes && *bytes > kMaxSegmentBytes)
            return too_large("a log's segment", static_cast<std::int64_t>(*bytes), kMaxSegmentBytes);
        all += log.bytes_.emplace_back(bytes ? static_cast<std::int64_t>(*bytes) : 0);
    }
    if (all > kMostLogBytes) return too_large("a log", all, kMostLogBytes);
    return log;
}

std::int64_t OpenLog::bytes_from(std::size_t from) const {
    const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(std::min(from / kSegmentRecords, bytes_.size()));
    return std::accumulate(first, bytes_.end(), std::int64_t{0});
}

Result<void> OpenLog::each(std::size_t from, const std::function<Result<bool>(LogSegment)>& take) const {
    for (std::size_t i = from / kSegmentRecords; i < segments_.size(); ++i) {
        TRY_ASSIGN(std::vector<std::string> lines, read_segment(*repo_, segments_[i].oid));
        if (i + 1 < segments_.size() && lines.size() != kSegmentRecords)
            return fail(Code::corrupt, "a log's segment was left before it was full");
        const std::size_t skip = i == from / kSegmentRecords ? from % kSegmentRecords : 0;
        lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(std::min(skip, lines.size())));
        if (lines.empty()) continue;
        TRY_ASSIGN(const bool go_on, take({segments_[i].oid, skip, std::move(lines)}));
        if (!go_on) break;
    }
    return {};
}

Result<std::vector<LogSegment>> read_segments(const Repo& repo, const Oid& tip, std::size_t from) {
    TRY_ASSIGN(const OpenLog log, OpenLog::open(repo, tip, from));
    std::vector<LogSegment> read;
    TRY(log.each(from, [&](LogSegment segment) -> Result<bool> {
        read.push_back(std::move(segment));
        return true;
    }));
    return read;
}

Result<std::vector<std::string>> read_log(const Repo& repo, const Oid& tip, std::size_t from) {
    TRY_ASSIGN(std::vector<LogSegment> read, read_segments(repo, tip, from));
    std::vector<std::string> records;
    for (LogSegment& segment : read)
        records.insert(records.end(), std::move_iterator(segment.lines.begin()),
                       std::move_iterator(segment.lines.end()));
    return records;
}

Result<std::size_t> log_size(const Repo& repo, const Oid& tip) {
    TRY_ASSIGN(std::vector<TreeEntry> found, segments(repo, tip));
    const std::size_t before = (found.size() - 1) * kSegmentRecords;
    TRY_ASSIGN(std::vector<std::string> last, read_log(repo, tip, before));
    return before + last.size();
}

Result<Oid> extend_log(Repo& repo, const std::optional<Oid>& tip, const std::vector<std::string>& lines,
                       const Identity& who, const Signer& signer) {
    std::vector<TreeEntry> entries;
    std::string open;  // the last segment while it has room
    std::size_t open_records = 0;
    if (tip) {
        TRY_ASSIGN(entries, segments(repo, *tip));
        TRY_ASSIGN(std::string last, repo.read_blob(entries.back().oid, kMaxSegmentBytes));
        auto count = static_cast<std::size_t>(std::count(last.begin(), last.end(), '\n'));
        if (count < kSegmentRecords) {
            entries.pop_back();
            open = std::move(last);
            open_records = count;
        }
    }
    auto close_segment = [&]() -> Result<void> {
        if (open.empty()) return {};
        TRY_ASSIGN(Oid blob, repo.write_blob(open));
        entries.push_back({segment_name(entries.size()), blob, false, true});
        open.clear();
        open_records = 0;
        return {};
    };
    for (const std::string& line : lines) {
        open += line + "\n";
        if (++open_records == kSegmentRecords) TRY(close_segment());
    }
    TRY(close_segment());
    TRY_ASSIGN(Oid folder, repo.write_tree(entries));
    TRY_ASSIGN(Oid tree, repo.write_tree({{"seg", folder, true, false}}));
    Commit commit{tree, {}, who, fmt::format("{} record{}\n", lines.size(), lines.size() == 1 ? "" : "s")};
    if (tip) commit.parents.push_back(*tip);
    return repo.write_commit(commit, &signer);
}

Result<Oid> append_log(Repo& repo, const std::string& ref, const std::vector<std::string>& lines, const Identity& who,
                       const Signer& signer) {
    TRY_ASSIGN(std::optional<Oid> tip, repo.ref(ref));
    TRY_ASSIGN(Oid next, extend_log(repo, tip, lines, who, signer));
    TRY(repo.set_ref(ref, next, tip.value_or("")));
    return next;
}

Result<void> check_extends(const Repo& repo, const Oid& now, std::size_t count, const Oid& next) {
    TRY_ASSIGN(bool forward, repo.descends(next, now));
    if (!forward) return fail(Code::corrupt, "was rewound");
    TRY_ASSIGN(std::vector<TreeEntry> before, segments(repo, now));
    TRY_ASSIGN(std::vector<TreeEntry> after, segments(repo, next));
    std::size_t full = count / kSegmentRecords;
    if (after.size() < before.size()) return fail(Code::corrupt, "was rewritten");
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i].oid == after[i].oid) continue;
        if (i < full) return fail(Code::corrupt, "was rewritten");
        TRY_ASSIGN(std::string old_text, repo.read_blob(before[i].oid, kMaxSegmentBytes));
        TRY_ASSIGN(std::string new_text, repo.read_blob(after[i].oid, kMaxSegmentBytes));
        if (new_text.compare(0, old_text.size(), old_text) != 0) return fail(Code::corrupt, "was rewritten");
    }
    return {};
}

}  // namespace cultivar
