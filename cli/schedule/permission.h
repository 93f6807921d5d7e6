// May a run go on just now?
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cultivar {

struct Permission {
    bool is_given = true;
    std::string why{};                           // it is not; one line
    std::optional<std::int64_t> until_unix_s{};  // it may be given then, as far as is known
    double again_s = 30;                         // good for so long
};

}  // namespace cultivar
