// The only file that recognises messages of git, libgit2 and hosts, in English (git runs with LC_ALL=C).
#pragma once

#include <cstdint>
#include <string_view>

#include "pool/transport/transport.h"

namespace cultivar {

// Of the complaint when a remote could not be reached: ref_missing, transient or unspecified.
Reason reason_of(std::string_view complaint);

// Of a ref's status after a push: "[remote rejected] (cannot lock ref)".
PushRefusal refusal_of(std::string_view status);

// Of a ref that a fetch refused.
bool is_rewound(std::string_view why);

bool tells_out_of_memory(std::string_view complaint);

Error out_of_memory(std::int64_t limit_bytes);  // of the process that talks to a remote

}  // namespace cultivar
