// Errors that end a run early, as the protocol names them (train/protocol/protocol.h, event "error").
#pragma once

#include "pool/util/result.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// Kind of the one error that is not an event: a signal asked the worker to stop (exit code 143).
inline constexpr const char* kInterrupted = "interrupted";

template <typename T>
using Outcome = tl::expected<T, ErrorEvent>;

inline tl::unexpected<ErrorEvent> fail(ErrorEvent error) { return tl::make_unexpected(std::move(error)); }

// Converts a library's error into an error event of the given kind.
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
