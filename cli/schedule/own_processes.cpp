#include "cli/schedule/own_processes.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "pool/process/process_list.h"
#include "train/energy/system_file.h"

namespace cultivar {
namespace {

constexpr double kLeastTime_s = 1;

}  // namespace

OwnProcesses own_processes(const MachinePlaces& places) {
    std::map<pid_t, ProcessStat> all;
    for (const pid_t process : processes_in(places.proc)) {
        if (const auto stat = process_stat(places.proc, process)) all[process] = *stat;
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
