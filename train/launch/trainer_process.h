// Runs a trainer: starts it, reads its events, enforces its limits, and always removes its processes, also when this
// process is killed meanwhile: the trainer gets SIGTERM at once, and all of them SIGKILL once it has left or its grace is
// over.
//
// A worker that runs a foreign configuration or reads a foreign artifact, and a pool's command, run in a sandbox
// (pool/process/sandbox.h, train/launch/confinement.h). Limits that the sandbox cannot enforce are enforced here: violations that the child reports, total memory,
// threads, size of its folder, wall clock. Each one ends the run with its own message.
//
// The trainer speaks train/protocol/protocol.h. A line of its standard output that begins with '{' and contains "event"
// must be a valid event; other lines are ignored up to kMaxNoiseBytes. Its standard error goes to the log (the first
// kMaxLogBytes of it); the last line of it becomes part of a failure's message. A program whose output is read by rules
// (train/launch/figure_reader.h) speaks no protocol: its figures make the done event, and both streams have a limit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pool/process/child_process.h"
#include "pool/types/record.h"
#include "pool/util/clock.h"
#include "pool/util/result.h"
#include "train/launch/figure_reader.h"
#include "train/protocol/protocol.h"

namespace cultivar {

inline constexpr std::int64_t kMaxLogBytes = 1 << 20;
inline constexpr std::int64_t kMaxNoiseBytes = 64 << 20;

struct LaunchOptions {
    std::vector<std::string> command;  // with a word {specification}; without one, "run SPEC" is appended
    std::string spec_path;
    std::string log_path;
    double hang_s = 0;           // killed after this long without an event; scoring sends none, so allow for it
    double wall_limit_s = 0;     // killed this long after the start, everything included
    double grace_s = 20;         // from SIGTERM, or from its last event, to SIGKILL
    bool expects_result = true;  // false: exit code 0 is all there is to it
    bool term_first = false;     // at its wall limit too it gets SIGTERM, and may still end with a score
    ChildPlace place;
    FigureReader* figures = nullptr;  // of a pool's command; outlives the run
    int nice = 0;
    ChildLimits limits;                   // exceeding the file or CPU time limit ends it by a signal
    std::optional<SandboxRules> sandbox;  // none for a program that its user trusts
    // Size limit of the work folder with the files that were unlinked from it and are open still, checked every second
    // if there is a sandbox; 0 means no limit.
    std::string work_dir;
    std::int64_t work_dir_bytes = 0;
    KernelParts parts = kernel_parts();  // kernel features that the sandbox may use
    std::function<void(pid_t group)> began = {};
};

struct Outcome {
    // The first that applies. `done` means a done event and exit code 0, even if it was asked to stop meanwhile.
    enum class How {
        done,
        error_event,  // the trainer sent an error event
        stopped,      // by should_stop
        hopeless,     // by the listener
        hung,
        too_long,
        died,  // ended without a last event, or was killed for breaking the protocol or the sandbox's limits
    } how = How::died;
    // The cause of a run without a result, as far as it can be told.
    FailureCause failure = FailureCause::unknown;  // of a pool's command
    enum class Cause {
        unknown,       // it hung, took too long, or sent an error event of a kind that says nothing
        candidate,     // its own exit code, a broken protocol or limit, an error event "diverged" or "artifact"
        cannot_start,  // exit code 126 or 127: the program, its interpreter or a library cannot be loaded
        disk_full,     // the file system of its log or its work folder has no room left
        device,        // an error event "machine"
        signal,        // a signal that nothing here sent
    } cause = Cause::unknown;
    int exit_code = -1;  // -1 if ended by a signal
    int signal = 0;
    std::optional<DoneEvent> done;
    std::optional<ErrorEvent> error;
    double wall_s = 0;
    double cpu_s = 0;
    std::int64_t peak_rss_bytes = 0;
    std::string message;  // one line; empty when done
    std::map<std::string, double> metrics;
    bool unsandboxed = false;
    std::set<Attempt> refused;     // the attempts of a pool's command that its sandbox refused
    std::string output, errors;    // of a pool's command: the kept parts (train/launch/kept_output.h)
    std::string evaluator_output;  // of both its streams
    double evaluate_s = 0;         // of wall_s: by the pool's evaluator
};

enum class Advice { go_on, stop_hopeless };
using Listener = std::function<Advice(const Event&)>;  // called for every event, in order, on the caller's thread

// Blocks until the trainer and its whole process group are gone. `should_stop` is polled at least every 100 ms (if the
// listener is quick); when it is true the group gets SIGTERM, and SIGKILL after the grace period. Limits kill at once.
// Errors: not_found, io (the trainer or its log could not be started); every later failure is an Outcome.
Result<Outcome> run_trainer(const LaunchOptions& options, const Clock& clock, const Listener& listener,
                            const std::function<bool()>& should_stop);

}  // namespace cultivar
