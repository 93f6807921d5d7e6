// This clone's journal. A record is first appended durably to a local file, the spool, and committed to the journal's
// branch at the next `propose`: a kill at any moment loses nothing, and history has one commit a push.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "pool/clone/clone.h"
#include "pool/types/record.h"

namespace cultivar {

// Appends one record; when this returns, it survives a power cut. Returns its id. A torn last line, left by a kill in
// the middle of an earlier append, is cut off first. Errors: io (full disk: nothing was appended), busy, those of
// Key::can_sign().
Result<std::string> append_record(const Clone& clone, const Record& record);

// The records that are in the spool but perhaps not yet on the branch, oldest first.
Result<std::vector<std::string>> spooled_lines(const Clone& clone);

// Those that were appended since the mark of an earlier look; all of them if the spool was written anew since, or if the
// file system cannot tell. The mark of this look is text for the next.
struct SpoolTail {
    std::vector<std::string> lines;
    std::string mark;
    bool goes_on = false;  // rather than from the beginning
};
Result<SpoolTail> spooled_since(const Clone& clone, const std::string& mark);

// Lines of the spool that are no records, such as a damaged disk leaves them, are never signed: this moves them to
// <state>/spool.damaged and returns their number. commit_spool() does so too. `contradicts`: is a record damaged although
// it can be read? Errors: io, busy.
Result<std::size_t> set_damaged_aside(const Clone& clone, const std::function<bool(const Record&)>& contradicts = {});
std::string damaged_spool_path(const Clone& clone);

// Takes these lines out of the spool. Errors: io, busy.
Result<void> drop_spooled(const Clone& clone, const std::set<std::string>& lines);

// Commits the spool's records and empties it; returns their number. A record that a killed commit left in both places,
// or that two processes wrote alike, is committed once. `to_disk` is called with the repository's folder when the
// records are committed and the spool still holds them; unless it succeeds, the spool keeps them. Errors: usage, when
// the spool holds records of another writer's name; git, io, busy.
Result<std::size_t> commit_spool(Clone& clone,
                                 const std::function<Result<void>(const std::string&)>& to_disk = sync_filesystem);

}  // namespace cultivar
