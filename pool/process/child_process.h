// A child process in its own process group, with pipes on its output, that never outlives this process by much.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "pool/process/group_use.h"
#include "pool/process/keeper.h"
#include "pool/process/sandbox.h"
#include "pool/util/result.h"

namespace cultivar {

// Limits on a child and on each of its descendants; 0: as for this process. None of them leaves a core file. Address
// space is not limited, because large mapped files would count.
struct ChildLimits {
    std::int64_t memory_bytes = 0;  // private and writable
    std::int64_t file_bytes = 0;    // of a file that it writes; beyond that it is ended by SIGXFSZ
    std::int64_t processor_s = 0;   // user and system, of all threads; beyond that it is ended by SIGXCPU
};

// The beginnings of a child.
struct ChildPlace {
    std::string folder;  // "": this process's
    // Of its environment, "NAME=value", added to this process's or replacing them.
    std::vector<std::string> variables;
    // If this process is killed, the child's whole group ends within so many seconds. The child does not begin before
    // that is certain.
    std::optional<double> group_ends_within_s;
    std::string input{};  // its standard input, from a file in memory; "": /dev/null
};

// The same limits on this process itself, for good.
void limit_this_process(const ChildLimits& limits);

class Child {
public:
    // Starts argv[0], found along PATH. Standard input is that of `place`; output() and error_output() are non-blocking
    // pipes; no other descriptor is passed on; signals are at their defaults (0, 1 and 2 must be open here). If the
    // calling thread ends, the child gets SIGTERM. `sandbox`: made for this program, or null; its environment is the
    // sandbox's, so that `place` has no variables. Errors: not_found (no such program), io.
    static Result<Child> start(const std::vector<std::string>& argv, int nice, const ChildLimits& limits = {},
                               const Sandbox* sandbox = nullptr, const ChildPlace& place = {});

    // Starts a copy of this process that calls `body` and exits with its return value; its output is the data that it
    // writes to descriptors 1 and 2. Other descriptors stay open in it. Only for a process with one thread. Errors: io.
    static Result<Child> copy(const std::function<int()>& body, const ChildLimits& limits,
                              const Sandbox* sandbox = nullptr);

    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    ~Child();  // kills the group and reaps the child

    int output() const { return output_; }
    int error_output() const { return error_output_; }
    bool has_ended() const;  // the child itself, not its group; does not reap
    // The forbidden action that the child tried since the last call; none: there was none. `reports()` is readable when
    // there may be one; it is -1 if the kernel reports nothing.
    std::optional<Attempt> attempt() const { return take_reports(reports_, rules_); }
    int reports() const { return reports_; }

    GroupUse use(const std::string& folder) const { return use_of_group(pid_, folder); }
    int group() const { return pid_; }
    void signal_group(int signal) const;

    struct End {
        int exit_code = -1;  // -1: ended by a signal
        int signal = 0;
        double cpu_s = 0;  // user and system, with the descendants it waited for
        std::int64_t peak_rss_bytes = 0;
    };
    // Kills whatever is left of the group, waits for the child and takes its accounts. Once only.
    End reap();

private:
    Child() = default;
    int exec_trouble(int trouble) const;
    void listen(int output, int error_output);
    pid_t pid_ = -1;
    std::string name_;  // for the log
    std::chrono::steady_clock::time_point started_;
    SandboxRules rules_;  // of its sandbox
    std::optional<Keeper> keeper_;
    int output_ = -1;
    int error_output_ = -1;
    int reports_ = -1;
};

}  // namespace cultivar
