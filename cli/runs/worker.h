// The program that trains, scores and measures, as the engines see it. Tests replace it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "train/launch/trainer_process.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// Of a command of the pool.
enum class Confinement {
    sandbox,
    watched,  // in its sandbox, which reports all that it refuses
    none,     // its user lets it run with all rights
};

struct WorkerJob {
    Specification specification;
    std::string folder;  // exists, with a trailing '/'; takes spec.json and the log
    double hang_s = 0;   // longest time without an event
    double wall_limit_s = 0;
    std::function<void(pid_t group)> began = {};  // called as each of its programs starts, with its process group
};

class Worker {
public:
    virtual ~Worker() = default;

    // Is there a worker, and may it run here? Gives one line for each part of the sandbox that this machine lacks, and for
    // a device that a pool's command never hears of. Errors: not_found (no worker, or a command that is not trusted),
    // usage (a command in the sandbox on a machine without the device), io, git.
    virtual Result<std::vector<std::string>> check() const = 0;

    // Errors: usage (this machine has no such device: "cuda", "mps").
    virtual Result<void> require_device(const std::string&) const { return {}; }

    // SHA-256 of the worker's program file, or of a pool's command with its files, in hex. Errors: not_found, io.
    virtual Result<std::string> digest() const = 0;

    // Runs the job to its end on the caller's thread; `listener` and `should_stop` as in
    // train/launch/trainer_process.h. Failures of the program are in the outcome. Errors: not_found, io: it could not
    // be started.
    virtual Result<Outcome> run(const WorkerJob& job, const Listener& listener,
                                const std::function<bool()>& should_stop) = 0;
};

}  // namespace cultivar
