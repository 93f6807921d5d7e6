// Processor time of groups of processes, read from /proc.
#pragma once

#include <map>
#include <set>

#include <sys/types.h>

namespace cultivar {

// User and system time of the processes in each group that live now, with that of the children they waited for. A group
// without a living process has no entry.
std::map<pid_t, double> processor_s_of(const std::set<pid_t>& groups);

}  // namespace cultivar
