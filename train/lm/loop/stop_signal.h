// Being asked to leave: SIGTERM, SIGINT, the death of whoever started us, or nobody reading our events.
#pragma once

namespace cultivar {

// From here on SIGTERM and SIGINT set a flag instead of ending the process, the parent's death counts as SIGTERM and
// SIGPIPE is an ordinary write error. Call once, from the main thread.
void install_stop_signals();

// Long work asks between pieces of at most about a second.
bool stop_requested();
void request_stop();

}  // namespace cultivar
