// What ends a run early, in the protocol's own words (train/protocol/protocol.h, event "error").
#pragma once

#include "pool/util/result.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// Kind of the one error that is not an event: a signal asked us to stop (exit code 143).
inline constexpr const char* kInterrupted = "interrupted";

template <typename T>
using Outcome = tl::expected<T, ErrorEvent>;

inline tl::unexpected<ErrorEvent> fail(ErrorEvent error) { return tl::make_unexpected(std::move(error)); }

// A library's error, blamed on what the protocol calls `kind`.
template <typename T>
Outcome<T> blame(const char* kind, Result<T> result) {
    if (!result) return fail(ErrorEvent{kind, std::move(result.error().message)});
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(*result);
    }
}

}  // namespace cultivar
