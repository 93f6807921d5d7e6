// JSON as commands print it: indented, and ASCII only, so that nothing foreign reaches a terminal unescaped. Bytes that
// are no UTF-8, as in the name of a stranger's branch, become U+FFFD.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace cultivar {

using Json = nlohmann::ordered_json;

inline Json or_null(const auto& figure) { return figure ? Json(*figure) : Json(nullptr); }
inline std::string pretty(const Json& json) { return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n"; }

}  // namespace cultivar
