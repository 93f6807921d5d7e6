#include "pool/process/process_list.h"

#include <charconv>
#include <filesystem>
#include <sstream>

#include "pool/util/file.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostStat_bytes = 4096;
constexpr int kFirstTime = 11, kTimes = 4;  // of the fields behind the name: 14 to 17 of proc(5)

}  // namespace

std::vector<pid_t> processes_in(const std::string& proc) {
    std::vector<pid_t> found;
    std::error_code ec;
    for (std::filesystem::directory_iterator at(proc, ec), end; !ec && at != end; at.increment(ec)) {
        const std::string name = at->path().filename().string();
        pid_t process = 0;
        const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), process);
        if (error == std::errc() && rest == name.data() + name.size()) found.push_back(process);
    }
    return found;
}

// The name stands in brackets and may hold anything; state and parent come after it.
std::optional<ProcessStat> process_stat(const std::string& proc, pid_t process) {
    const auto text = read_file(proc + "/" + std::to_string(process) + "/stat", kMostStat_bytes);
    const std::size_t bracket = text ? text->rfind(')') : std::string::npos;
    if (bracket == std::string::npos) return std::nullopt;
    std::istringstream fields(text->substr(bracket + 1));
    ProcessStat stat;
    std::string skipped;
    fields >> skipped >> stat.parent;
    for (int i = 2; i < kFirstTime; ++i) fields >> skipped;
    for (int i = 0; i < kTimes; ++i) {
        std::uint64_t ticks = 0;
        if (!(fields >> ticks)) return std::nullopt;
        stat.ticks += ticks;
    }
    return stat;
}

}  // namespace cultivar
