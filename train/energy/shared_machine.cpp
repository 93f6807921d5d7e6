#include "train/energy/shared_machine.h"

#include <algorithm>

namespace cultivar {

int SharedMachine::join(int threads, std::set<std::string> devices) {
    const std::lock_guard lock(mutex_);
    look();
    if (std::ranges::none_of(runs_, [](const auto& one) { return one.second.here; })) runs_.clear();
    Sharer& mine = runs_[next_];
    mine.threads = threads;
    mine.devices = std::move(devices);
    for (const auto& [number, one] : runs_) mine.seen_at_last[number] = one.seconds;
    return next_++;
}

void SharedMachine::leave(int run) {
    const std::lock_guard lock(mutex_);
    look();
    runs_[run].here = false;
}

void SharedMachine::follow(int run, pid_t group) {
    const std::lock_guard lock(mutex_);
    look();
    Sharer& mine = runs_[run];
    mine.earlier_s = mine.seconds;
    mine.group = group;
}

void SharedMachine::look() {
    std::set<pid_t> groups;
    for (const auto& [number, one] : runs_) {
        if (one.here && one.group > 0) groups.insert(one.group);
    }
    if (groups.empty()) return;
    const std::map<pid_t, double> times = times_(groups);
    for (auto& [number, one] : runs_) {
        const auto known = one.here ? times.find(one.group) : times.end();
        if (known != times.end()) one.seconds = std::max(one.seconds, one.earlier_s + known->second);
    }
}

double SharedMachine::part(int run) {
    const std::lock_guard lock(mutex_);
    look();
    Sharer& mine = runs_[run];
    double all_s = 0, mine_s = 0, threads = 0;
    for (const auto& [number, one] : runs_) {
        const double used_s = one.seconds - mine.seen_at_last[number];
        mine.seen_at_last[number] = one.seconds;
        all_s += used_s;
        if (number == run) mine_s = used_s;
        if (one.here) threads += one.threads;
    }
    if (all_s > 0) return mine_s / all_s;
    return threads > 0 ? mine.threads / threads : 1;
}

double SharedMachine::part_of_device(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto users = std::ranges::count_if(
        runs_, [&](const auto& one) { return one.second.here && one.second.devices.contains(key); });
    return users > 0 ? 1.0 / static_cast<double>(users) : 1;
}

}  // namespace cultivar
