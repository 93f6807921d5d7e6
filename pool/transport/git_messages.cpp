#include "pool/transport/git_messages.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::string_view kRules[] = {
    "hook declined",
    "non-fast-forward",
    "fetch first",
    "denied",
    "not allowed",
    "prohibited",
    "protected",
    "forbidden",
    "unauthorized",
    "authentication",
    "could not read username",
    "could not read password",
    "host key",
    "does not appear to be a git repository",
    "not found",
    "no such",
    "does not exist",
    "couldn't find",
    "error: 401",
    "error: 403",
    "error: 404",
    "code: 401",
    "code: 403",
    "code: 404",
    "publickey",
    "credential",
};
constexpr std::string_view kTransient[] = {
    "cannot lock ref",
    "failed to lock",
    "unable to lock",
    ".lock",
    "failed to update ref",
    "busy",
    "try again",
    "temporar",
    "timed out",
    "timeout",
    "hung up",
    "could not read from remote",
    "connection",
    "failed to connect",
    "early eof",
    "unexpected eof",
    "rpc failed",
    "reset by peer",
    "broken pipe",
    "could not resolve",
    "failed to resolve",
    "internal server error",
    "unexpected disconnect",
    "error: 5",
    "code: 5",
    "too many requests",
    "unavailable",
    "no status",
};

bool has_any(std::string_view text, std::span<const std::string_view> phrases) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return lower.find(phrase) != std::string::npos; });
}

bool is_transient(std::string_view text) { return !has_any(text, kRules) && has_any(text, kTransient); }

bool holds(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

}  // namespace

Reason reason_of(std::string_view complaint) {
    if (holds(complaint, "couldn't find remote ref")) return Reason::ref_missing;
    return is_transient(complaint) ? Reason::transient : Reason::unspecified;
}

PushRefusal refusal_of(std::string_view status) {
    if (holds(status, "non-fast-forward") || holds(status, "fetch first")) return PushRefusal::behind;
    return is_transient(status) ? PushRefusal::transient : PushRefusal::rule;
}

bool is_rewound(std::string_view why) { return why == "non-fast-forward"; }

bool tells_out_of_memory(std::string_view complaint) { return holds(complaint, "ut of memory"); }

Error out_of_memory(std::int64_t limit_bytes) {
    return {Code::git,
            fmt::format("stopped talking to the remote: its answer does not fit into {} bytes of memory", limit_bytes),
            "", Reason::too_large};
}

}  // namespace cultivar
