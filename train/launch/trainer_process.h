// Running a trainer: started, listened to, kept within its limits, and always cleared away.
//
// A worker that runs a foreign configuration or reads a foreign artifact does so in a sandbox (pool/sandbox): confine().
// What the sandbox itself cannot hold is held here: what a child reports to have tried, all of its memory, its threads,
// its folder, the wall clock. Each ends it, with its own reason.
//
// A pool's own command is trusted by its user, and gets what does not break it: the wall clock, the silence clock, the
// limits on its words and its log, and it leaves no core file behind.
//
// The trainer speaks train/protocol/protocol.h. A line of its standard output that begins with '{' and names an "event" is an
// event and must be a good one; anything else is noise and is ignored up to a limit. Its standard error goes to the log
// (the first kMaxLogBytes of it); the last line that it wrote there becomes part of a failure's message.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pool/process/child_process.h"
#include "pool/util/clock.h"
#include "pool/util/result.h"
#include "train/protocol/protocol.h"

namespace cultivar {

inline constexpr std::int64_t kMaxLogBytes = 1 << 20;
inline constexpr std::int64_t kMaxNoiseBytes = 64 << 20;

struct LaunchOptions {
    std::vector<std::string> command;  // with a word {specification}, else "run SPEC" is appended
    std::string spec_path;
    std::string log_path;
    double hang_s = 0;        // no event for this long: killed. Scoring sends none, so allow for it
    double wall_limit_s = 0;  // since the start, all included: killed
    double grace_s = 20;      // from SIGTERM, or from its last event, to SIGKILL
    int nice = 0;
    ChildLimits limits;                   // a file over its limit, or the processor's, ends it by a signal
    std::optional<SandboxRules> sandbox;  // none: a program that its user trusts
    // Looked at each second while a sandbox is there; 0: no limit.
    std::string work_dir;
    std::int64_t work_dir_bytes = 0;
    KernelParts parts = kernel_parts();  // those that the sandbox may use
};

// The sandbox and the limits of a worker of cultivar's own: it reads its specification, its data and the artifact that it
// is to score, and writes below its work_dir. Memory: the machine's. Processor: every thread for all of the wall time.
// Disk: 8 GiB a file, 16 GiB in all. Devices other than "cpu" are reached as well, and memory is not limited for them.
void confine(LaunchOptions& options, const Specification& specification);

struct Outcome {
    // The first that applies. `done`: a done event and exit code 0, whatever had been asked of it meanwhile.
    enum class How {
        done,
        error_event,  // the trainer itself said what is wrong
        stopped,      // by should_stop
        hopeless,     // by the listener
        hung,
        too_long,
        died,  // left without a word, or broke the protocol or its sandbox's limits and was killed
    } how = How::died;
    int exit_code = -1;  // -1: ended by a signal
    int signal = 0;
    std::optional<DoneEvent> done;
    std::optional<ErrorEvent> error;
    double wall_s = 0;
    double cpu_s = 0;
    std::int64_t peak_rss_bytes = 0;
    std::string message;  // one line; empty when done
};

enum class Advice { go_on, stop_hopeless };
using Listener = std::function<Advice(const Event&)>;  // called for every event, in order, on the caller's thread

// Blocks until the trainer and its whole process group are gone. `should_stop` is asked at least every 100 ms (as long
// as the listener is quick); on true the group gets SIGTERM, and after the grace SIGKILL. Limits kill at once. Errors:
// not_found, io: the trainer or its log could not be started; everything later is an Outcome.
Result<Outcome> run_trainer(const LaunchOptions& options, const Clock& clock, const Listener& listener,
                            const std::function<bool()>& should_stop);

}  // namespace cultivar
