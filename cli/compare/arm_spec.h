// An arm as a person names it, one word each:
//
//   PATH[,PATH...]             pools, each a repeat
//   contributor:NAME[,NAME...] the runs of these contributors (name, writer or key) in one pool
//   category:NAME              the runs of one category in it
//   period:FROM..TO            the runs that ended from the first of these times until before the second; a day or a time, UTC
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pool/index/rows.h"
#include "pool/util/result.h"

namespace cultivar {

struct ArmSpec {
    enum class Kind { pools, contributors, category, period };
    std::string text;
    Kind kind = Kind::pools;
    std::vector<std::string> words{};  // paths, names or the category
    std::int64_t from_s = 0, to_s = 0;

    bool takes(const SpentRow& run) const;  // of a pool: every run
};

// Errors: usage.
Result<ArmSpec> parse_arm(const std::string& text);

// The parts between commas. Errors: usage (an empty one).
Result<std::vector<std::string>> parse_list(const std::string& text);

}  // namespace cultivar
