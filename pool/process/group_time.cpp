#include "pool/process/group_time.h"

#include <unistd.h>

#include "pool/process/process_list.h"

namespace cultivar {

std::map<pid_t, double> processor_s_of(const std::set<pid_t>& groups) {
    constexpr const char* kProc = "/proc";
    const auto ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
    std::map<pid_t, double> found;
    for (const pid_t process : processes_in(kProc)) {
        const pid_t group = ::getpgid(process);
        if (group <= 0 || !groups.contains(group)) continue;
        if (const auto stat = process_stat(kProc, process))
            found[group] += static_cast<double>(stat->ticks) / ticks_per_s;
    }
    return found;
}

}  // namespace cultivar
