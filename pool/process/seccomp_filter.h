// The filter on system calls of pool/sandbox, as the kernel takes it.
#pragma once

#include <cstddef>
#include <vector>

#include <linux/filter.h>

#include "pool/process/sandbox.h"

namespace cultivar {

struct SeccompFilter {
    std::vector<sock_filter> code;
    std::vector<std::size_t> own_process;  // instructions whose constant becomes the child's number
};

// Empty: none for this architecture. `reports`: what no honest child does is reported instead of refused. `program`: the
// descriptor of the one program that may be started; -1: none. `landlock`: its version, which decides what is left to do.
SeccompFilter seccomp_filter(const SandboxRules& rules, bool reports, int program, int landlock);

// What this system call is called among people.
const char* what_was_tried(int system_call);

}  // namespace cultivar
