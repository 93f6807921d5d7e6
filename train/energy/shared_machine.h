// One machine for several runs at once: each is given its part of the joules that counters tell, by the processor time
// of its trainer's processes since it asked last; where nobody's can be read, by threads. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include <sys/types.h>

namespace cultivar {

class SharedMachine {
public:
    using ProcessorTimes = std::function<std::map<pid_t, double>(const std::set<pid_t>& groups)>;
    explicit SharedMachine(ProcessorTimes times) : times_(std::move(times)) {}

    // A run begins and ends; `devices` are the keys of the sources that only it and others that name them use.
    int join(int threads, std::set<std::string> devices);
    void leave(int run);
    // Its processes are in this group from now on.
    void follow(int run, pid_t group);

    // Its part of the time since it joined or asked last, 0 to 1.
    double part(int run);
    // Of a device that so many runs use now.
    double part_of_device(const std::string& key) const;

private:
    struct Sharer {
        int threads = 1;
        std::set<std::string> devices{};
        pid_t group = 0;
        double earlier_s = 0, seconds = 0;     // of processor time: of earlier groups, and in all
        bool here = true;                      // it has not left
        std::map<int, double> seen_at_last{};  // of each run, when this one asked last
    };
    void look();

    ProcessorTimes times_;
    mutable std::mutex mutex_;
    std::map<int, Sharer> runs_;
    int next_ = 0;
};

}  // namespace cultivar
