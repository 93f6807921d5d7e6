// The tips of journals, ledgers and archives as this clone last saw them, by ref: <state>/seen/tips, one per line,
// "<oid> <records> <ref>". The file lies outside the index, so that a rebuilt index still detects a rewound log.
#pragma once

#include <map>
#include <string>

#include "pool/clone/clone.h"

namespace cultivar {

struct LogPosition {
    Oid oid;
    std::size_t records = 0;
};

// Empty if there is no file. Errors: newer (a later format, or damaged), io.
Result<std::map<std::string, LogPosition>> read_last_seen_tips(const Clone& clone);
// Errors: io.
Result<void> write_last_seen_tips(const Clone& clone, const std::map<std::string, LogPosition>& tips);

}  // namespace cultivar
