// The program's log: one logger, for people who look for a fault. It is off until open_log(). It writes to standard
// error, to a file that rotates, or to both, never to standard output. A line is "UTC time, level, message"; its control
// characters become '?', and mask_secrets() has passed over it.
//
// A message costs nothing but a comparison while its level is off.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pool/util/result.h"

namespace cultivar {

enum class LogLevel { off, warn, info, debug, trace };  // each includes those before it

// "off", "warn", "info", "debug" or "trace".
std::optional<LogLevel> parse_log_level(std::string_view text);

struct LogOptions {
    LogLevel console = LogLevel::off;        // lines on standard error
    std::function<void()> before_line = {};  // called before each of those, to clear a progress line; may be empty
    std::string file = {};                   // "": none
    LogLevel file_level = LogLevel::off;
    std::size_t file_bytes = 5 << 20;  // the file is renamed to FILE.1 before it grows beyond this, FILE.1 to FILE.2
    std::size_t files = 3;             // the oldest beyond these is deleted
};

// Opens the log, or opens it anew. Errors: io (the file cannot be written).
Result<void> open_log(LogOptions options);
// Nothing is logged any more. For a copy of this process, too: its standard error belongs to its parent.
void close_log();

bool log_enabled(LogLevel level);
// One line. Threads may write at once.
void write_log(LogLevel level, std::string_view message);

// Passwords and tokens in URLs ("https://user:secret@host/x", "https://token@host/x") and after "Authorization:" become
// "***". A user's name alone stays with ssh, where it is no secret.
std::string mask_secrets(std::string_view text);

// Processes, locks, refreshes, timings.
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
    if (log_enabled(LogLevel::debug)) write_log(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
// Details.
template <class... Args>
void log_trace(fmt::format_string<Args...> format, Args&&... args) {
    if (log_enabled(LogLevel::trace)) write_log(LogLevel::trace, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cultivar
