// Tries a push again when the remote could not be reached or refused a ref for a transient reason (a lock, a busy or
// restarting server, a broken connection). A rule (a hook, a rewind, a missing permission) is final, and so is a limit
// of pool/transport/transport.h that ran out. Fetches and lists pass through.
#pragma once

#include <functional>
#include <memory>

#include "pool/transport/transport.h"

namespace cultivar {

struct Backoff {
    int tries = 3;
    double first_s = 1;                         // doubled with every try, times 0.5 to 1.5
    std::function<bool(double seconds)> sleep;  // false: do not go on
    std::function<double()> uniform;            // 0 to 1
};

// Really sleeps, while `stop` does not say true.
Backoff real_backoff(std::function<bool()> stop);

std::unique_ptr<Transport> retrying(std::unique_ptr<Transport> inner, Backoff backoff);

// Is another try worth it? Of a ref that was refused, and of a remote that could not be reached.
bool may_pass(const PushStatus& status);
bool may_pass(const Error& error);

}  // namespace cultivar
