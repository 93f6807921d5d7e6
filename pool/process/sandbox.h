// The sandbox of a child process. It limits the damage when foreign bytes or a foreign configuration take the child over.
// Each part covers gaps of the others:
//
//   no_new_privs   a set-user-id program gives it nothing. Capabilities of root are dropped, but for those that pass over
//                  the permissions of files, which Landlock bounds; NUMA and nice stay as they are
//   Landlock       files: only paths in `read` and `write` can be opened, made, deleted or renamed; seccomp does the other
//                  half: names, modes, owners, times and attributes of files anywhere cannot be changed
//   seccomp        no sockets but those that reach nobody else, one table of open files per process, no other program or
//                  process, no signals to others, no ptrace, no mounts, namespaces, keys, BPF, io_uring, shared memory of
//                  System V; priorities and processors of itself alone; system calls newer than this list do not exist
//   limits         open files, no core file; with ChildLimits: private memory, processor time, size of a file
//   environment    only variables that a trainer reads: no tokens, no agents (not where `network` is given)
//
// The parent adds limits on wall clock, total memory, threads and folder size (train/launch/trainer_process.h,
// pool/process/communicate.h). A child can still spend its processor time and memory, and write anything to its output,
// which is parsed as foreign bytes. A call that no honest child makes is reported (Child::attempt()); where the kernel
// cannot report, the call fails and the child goes on.
//
// One program may be started, through its descriptor, which closes with that: its number lies beyond the limit on
// descriptors, so it cannot be opened again. The sandbox needs no privilege; it works for root, for users and in
// unprivileged containers. If the kernel lacks a part, the others still hold; sandbox_gaps() explains the consequences.
//
// The user's `git` with its children (network, credentials, hooks of the user's own configuration) runs outside, under
// limits only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/process/attempt.h"
#include "pool/util/result.h"

namespace cultivar {

struct SandboxRules {
    std::vector<std::string> read;   // files, and folders with all below; absent paths are skipped
    std::vector<std::string> write;  // files, and folders in which files may be made, changed and deleted, too
    bool programs = false;           // may it start programs and processes, in the same sandbox?
    bool network = false;
    // For the command of a pool: it stays in its process group, joins its own processes by pairs of sockets, by sockets with
    // names where it may write (pool/process/named_sockets.h; not where it has the network) and by shared memory of its own
    // (pool/process/private_memory.h), makes links and pipes there, and changes modes and times there, through its parent
    // (pool/process/mode_changes.h).
    bool command = false;
    // Reports everything that is refused, files too, for people who ask why a command does not run here. Slow.
    bool watched = false;
    std::vector<std::string> variables;  // "NAME=value", beside those that a trainer reads
};

// The parts that the kernel has and lets this process use.
struct KernelParts {
    int landlock = 0;      // its version; 0: none
    bool seccomp = false;  // filters, on this architecture
    bool reports = false;  // can the kernel report forbidden calls?
};
KernelParts kernel_parts();
// One line for each part that is missing or too old, with the consequence; empty if the sandbox is whole.
// `command`: for the command of a pool, which starts other programs.
std::vector<std::string> sandbox_gaps(const KernelParts& parts, bool command = false);

// "Landlock 7, seccomp", for people.
std::string sandbox_text(const KernelParts& parts);

class Sandbox {
public:
    // `parts`: those to use; never more than the kernel has. Errors: io.
    static Result<Sandbox> prepare(const SandboxRules& rules, const KernelParts& parts = kernel_parts());
    // Prepares the sandbox for starting `program`: the files that every program needs (its libraries, clocks, facts
    // about the machine) may be read. A script may start programs, because it needs its interpreter.
    static Result<Sandbox> for_program(SandboxRules rules, const std::string& program,
                                       const KernelParts& parts = kernel_parts());

    Sandbox(Sandbox&&) noexcept;
    Sandbox& operator=(Sandbox&&) noexcept;
    ~Sandbox();

    // Enters the sandbox for good; called in the child; async-signal-safe. `listener` gets the descriptor that reports
    // forbidden calls, or -1. Returns 0 or errno.
    int enter(int& listener) const;
    // After enter(), in the child of start(): becomes the program that for_program() named. Returns errno.
    int become(char* const* argv) const;
    bool has_program() const;
    const SandboxRules& rules() const;

private:
    struct Impl;
    explicit Sandbox(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Answers reports of the kernel until there is none, or up to one that is to be told, or many were answered; none where
// nothing is to be told. A change of modes is made below what may be written; any other reported call fails.
std::optional<Attempt> take_reports(int listener, const SandboxRules& rules);
// The child and the process that answers its reports take turns on one processor, where the kernel can do so.
void wake_together(int listener);

// Of the machine or this container, whichever is less.
std::int64_t machine_memory_bytes();

}  // namespace cultivar
