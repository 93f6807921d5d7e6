#include "cli/schedule/own_processes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>

#include "pool/util/file.h"
#include "train/energy/system_file.h"

namespace cultivar {
namespace {

constexpr double kLeastTime_s = 1;
constexpr std::size_t kMostStat_bytes = 4096;

struct ProcessStat {
    pid_t parent = 0;
    std::uint64_t ticks = 0;
};

// Of /proc/PID/stat, after the name in brackets, which may hold anything: state, parent, ..., then the times of fields 14 to
// 17 of proc(5).
std::optional<ProcessStat> stat_of(const std::string& path) {
    const auto text = read_file(path, kMostStat_bytes);
    const std::size_t bracket = text ? text->rfind(')') : std::string::npos;
    if (bracket == std::string::npos) return std::nullopt;
    std::istringstream fields(text->substr(bracket + 1));
    constexpr int kFirstTime = 11;
    ProcessStat stat;
    std::string state, skipped;
    fields >> state >> stat.parent;
    for (int i = 2; i < kFirstTime; ++i) fields >> skipped;
    for (int i = 0; i < 4; ++i) {
        std::uint64_t ticks = 0;
        if (!(fields >> ticks)) return std::nullopt;
        stat.ticks += ticks;
    }
    return stat;
}

}  // namespace

OwnProcesses own_processes(const MachinePlaces& places) {
    std::map<pid_t, ProcessStat> all;
    for (const std::string& name : names_in(places.proc)) {
        pid_t pid = 0;
        const auto [at, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || at != name.data() + name.size()) continue;
        if (const auto stat = stat_of(places.proc + "/" + name + "/stat")) all[pid] = *stat;
    }
    OwnProcesses own{.pids = {places.self}};
    for (bool grows = true; grows;) {
        grows = false;
        for (const auto& [pid, stat] : all)
            grows = (own.pids.contains(stat.parent) && own.pids.insert(pid).second) || grows;
    }
    for (const pid_t pid : own.pids) {
        if (const auto known = all.find(pid); known != all.end()) own.ticks += known->second.ticks;
    }
    return own;
}

std::optional<OthersLoad::Ticks> OthersLoad::read() const {
    std::istringstream fields(read_system_file(places_.proc + "/stat").text);
    std::string word;
    std::array<std::uint64_t, 7> one{};  // user, nice, system, idle, waiting for disks, interrupts, soft interrupts
    fields >> word;
    for (std::uint64_t& ticks : one) fields >> ticks;
    if (word != "cpu" || !fields) return std::nullopt;
    Ticks now;
    for (const std::uint64_t ticks : one) now.all += ticks;
    now.busy = now.all - one[3] - one[4];
    now.own = own_processes(places_).ticks;
    now.at_s = clock_.now_s();
    return now;
}

Reading OthersLoad::now() {
    if (!before_) {
        before_ = read();
        if (before_) clock_.sleep_s(kLeastTime_s);
    }
    if (before_ && percent_ && clock_.now_s() - before_->at_s < kLeastTime_s) return {percent_, "", ""};
    const auto after = read();
    if (!before_ || !after) return {{}, "", "'" + places_.proc + "/stat' cannot be read"};
    const auto since = [](std::uint64_t then, std::uint64_t now) {
        return now > then ? static_cast<double>(now - then) : 0.0;
    };
    const double all = since(before_->all, after->all);
    const double others = since(before_->busy, after->busy) - since(before_->own, after->own);
    before_ = after;
    if (all > 0) percent_ = 100 * std::clamp(others / all, 0.0, 1.0);
    if (!percent_) return {{}, "", "the processors' time stands still"};
    return {percent_, "", ""};
}

}  // namespace cultivar
