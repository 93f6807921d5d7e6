#include "pool/process/attempt.h"

#include <fmt/format.h>

namespace cultivar {
namespace {

const char* words_of(Attempt::Kind kind) {
    switch (kind) {
        case Attempt::Kind::network:
            return "reach the network";
        case Attempt::Kind::local_socket:
            return "reach a socket of this machine";
        case Attempt::Kind::program:
            return "start another program";
        case Attempt::Kind::process:
            return "start another process";
        case Attempt::Kind::signal:
            return "signal another process";
        case Attempt::Kind::look:
            return "look into another process";
        case Attempt::Kind::read:
            return "read";
        case Attempt::Kind::write:
            return "write";
        case Attempt::Kind::start:
            return "start";
        default:
            return "change the system";
    }
}

}  // namespace

std::string text_of(const Attempt& attempt) {
    const std::string text = fmt::format("tried to {}", words_of(attempt.kind));
    if (attempt.call != 0) return fmt::format("{} (system call {})", text, attempt.call);
    return attempt.path.empty() ? text : fmt::format("{} '{}'", text, attempt.path);
}

}  // namespace cultivar
