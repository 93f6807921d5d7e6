#include "pool/process/group_time.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace cultivar {
namespace {

// Of /proc/PID/stat, after the name in brackets, which may hold anything: fields 14 to 17 of proc(5).
std::optional<double> processor_s_in(const std::filesystem::path& process) {
    std::string line;
    std::getline(std::ifstream(process / "stat") >> std::ws, line);
    const std::size_t bracket = line.rfind(')');
    if (bracket == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(bracket + 1));
    constexpr int kSkipped = 11;  // state to cmajflt
    std::string skipped;
    for (int i = 0; i < kSkipped; ++i) fields >> skipped;
    double ticks = 0;
    for (int i = 0; i < 4; ++i) {
        double one = 0;
        if (!(fields >> one)) return std::nullopt;
        ticks += one;
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

std::map<pid_t, double> processor_s_of(const std::set<pid_t>& groups) {
    std::map<pid_t, double> found;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const pid_t group = ::getpgid(std::atoi(name.c_str()));
        if (group <= 0 || !groups.contains(group)) continue;
        if (const auto seconds = processor_s_in(at->path())) found[group] += *seconds;
    }
    return found;
}

}  // namespace cultivar
