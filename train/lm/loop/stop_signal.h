// Requests to stop: SIGTERM, SIGINT, the death of the parent process, or a closed event stream.
#pragma once

namespace cultivar {

// After this call SIGTERM and SIGINT set a flag instead of ending the process, the parent's death counts as SIGTERM,
// and SIGPIPE is an ordinary write error. Call once, from the main thread.
void install_stop_signals();

// Long work calls this between pieces of at most about a second.
bool stop_requested();
void request_stop();

}  // namespace cultivar
