// Builds the filter on system calls for pool/process/sandbox.
#pragma once

#include <cstddef>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "pool/process/sandbox.h"

namespace cultivar {

struct SeccompFilter {
    std::vector<sock_filter> code;
    std::vector<std::size_t> own_process;  // instructions with the child's pid as constant
    std::vector<std::size_t> own_network;  // refusals that a child with a network of its own does without
};

// Empty if this architecture is unknown. `reports`: calls that no honest child makes are reported instead of refused.
// `program`: the descriptor of the one program that may be started; -1: none. `landlock`: its version; the filter
// covers its gaps.
SeccompFilter seccomp_filter(const SandboxRules& rules, bool reports, int program, int landlock);

// The purpose of a reported call.
Attempt::Kind attempt_of(const seccomp_data& call);

}  // namespace cultivar
