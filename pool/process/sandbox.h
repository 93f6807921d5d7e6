// The sandbox of a child process: what may be reached by code that foreign bytes or a foreign configuration have taken
// over. Each part stops what the others cannot:
//
//   no_new_privs   a set-user-id program gives it nothing. Capabilities of root are dropped, but for those that pass over
//                  the permissions of files, which Landlock bounds; NUMA and nice stay as they are
//   Landlock       files: what `read` and `write` do not name cannot be opened, made, deleted or renamed; the other half
//                  is seccomp's: names, modes, owners, times and attributes of files anywhere cannot be changed
//   seccomp        no sockets, no other program or process, no signals to others, no ptrace, no mounts, namespaces, keys,
//                  BPF, io_uring, shared memory of System V; system calls that are newer than this list do not exist
//   limits         open files, no core file; with pool/child's: private memory, processor time, size of a file
//   environment    only what a trainer reads of it: no tokens, no agents (not where `network` is given)
//
// Whoever watches the child adds the wall clock, all of its memory, its threads and the size of its folder
// (train/launcher, pool/supervise). What is left: it can spend the processor time and the memory that it is given, and
// say anything in its output, which is parsed as foreign bytes. A child that tries what no honest one does is reported,
// with what it tried (Child::tried()); where the kernel cannot report, the call fails and the child goes on.
//
// One program may be started, by its descriptor, which is closed by that: its number lies beyond the limit on
// descriptors, so that it cannot come again. Needs no privilege; works for root, for users and in containers that have
// none. Where the kernel lacks a part the others hold: sandbox_gaps() says what that means.
//
// Outside stay, as no more than limits can hold them: the user's `git` and what it starts (network, credentials, hooks of
// the user's own configuration), and a pool's own command, which runs only where `cultivar trust` pinned it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct SandboxRules {
    std::vector<std::string> read;   // files, and folders with all below; what is absent is passed over
    std::vector<std::string> write;  // files, and folders in which files may be made, changed and deleted, too
    bool programs = false;           // may it start programs and processes, in the same sandbox?
    bool network = false;
};

// What the kernel has, and lets this process use.
struct KernelParts {
    int landlock = 0;      // its version; 0: none
    bool seccomp = false;  // filters, on this architecture
    bool reports = false;  // can it be told what a child tried?
};
KernelParts kernel_parts();
// A line for each part that is missing or too old, with what that means; none: the sandbox is whole.
std::vector<std::string> sandbox_gaps(const KernelParts& parts);

// "Landlock 7, seccomp", for people.
std::string sandbox_text(const KernelParts& parts);

class Sandbox {
public:
    // `parts`: those to use; never more than the kernel has. Errors: io.
    static Result<Sandbox> prepare(const SandboxRules& rules, const KernelParts& parts = kernel_parts());
    // The same for a program that is started: what it needs to begin (its libraries, clocks, facts on the machine) may be
    // read. A script may start programs: it needs its interpreter.
    static Result<Sandbox> for_program(SandboxRules rules, const std::string& program,
                                       const KernelParts& parts = kernel_parts());

    Sandbox(Sandbox&&) noexcept;
    Sandbox& operator=(Sandbox&&) noexcept;
    ~Sandbox();

    // In the child, which never leaves it again; async-signal-safe. `listener`: gets the descriptor that reports what it
    // tries, -1 where there is none. 0, or errno.
    int enter(int& listener) const;
    // After enter(), in the child of start(): becomes the program that for_program() named. Returns errno.
    int become(char* const* argv) const;
    bool has_program() const;

private:
    struct Impl;
    explicit Sandbox(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// What a report of the kernel says was tried ("tried to reach the network"); "" where there is none to read. The call
// fails there.
std::string take_report(int listener);

// Of the machine or this container, whichever is less.
std::int64_t machine_memory_bytes();

}  // namespace cultivar
