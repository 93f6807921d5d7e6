// Requests to stop: SIGTERM and the other signals that ask for it, the death of the parent process, or a closed event
// stream. SIGXCPU is none: it is the limit of processor time.
#pragma once

namespace cultivar {

// After this call SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 set a flag instead of ending the process, the parent's
// death counts as SIGTERM, and SIGPIPE is an ordinary write error. Call once, from the main thread.
void install_stop_signals();

// Long work calls this between pieces of at most about a second.
bool stop_requested();
void request_stop();

}  // namespace cultivar
