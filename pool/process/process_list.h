// The processes of this machine as a folder like /proc tells them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace cultivar {

std::vector<pid_t> processes_in(const std::string& proc);

struct ProcessStat {
    pid_t parent = 0;
    std::uint64_t ticks = 0;  // user and system time, with that of the children that it waited for
};
// None: it has ended.
std::optional<ProcessStat> process_stat(const std::string& proc, pid_t process);

}  // namespace cultivar
