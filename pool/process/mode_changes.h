// Changes of modes and times that a child in a sandbox asks for, and of owners to those that a file has already: Landlock
// does not cover them, so the kernel reports the call and the parent makes the change itself, only below the child's own
// folders. It opens the file beneath the folder and without links, so that nothing that the child does meanwhile leads it
// elsewhere; of a link itself only the times change.
#pragma once

#include <string>
#include <vector>

#include <linux/seccomp.h>

namespace cultivar {

inline constexpr int kFchmodat2 = 452;  // newer than the headers of Debian 12

// The system calls that change modes, owners and times; those that this architecture lacks are left out.
std::vector<int> mode_calls();
bool is_mode_call(int system_call);

// Makes the change. Returns 0 or errno: EPERM for a file elsewhere. `still_valid`: does the child still wait for it?
int change_mode(const seccomp_notif& report, const std::vector<std::string>& folders, bool (*still_valid)(int, __u64),
                int listener);

}  // namespace cultivar
