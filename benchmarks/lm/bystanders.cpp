#include "benchmarks/lm/bystanders.h"

#include <algorithm>
#include <fstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "pool/util/clock.h"

namespace cultivar {
namespace {

double cpu_s(int who) {
    struct rusage usage {};
    ::getrusage(who, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// proc(5): "cpu user nice system idle iowait irq softirq steal ...", in ticks, over all cores.
double busy_s() {
    std::ifstream file("/proc/stat");
    std::string label;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    if (!(file >> label >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal)) return 0;
    return (user + nice + system + irq + softirq + steal) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

Bystanders::Bystanders() : began_(now()) {}

Bystanders::Account Bystanders::now() {
    return {SystemClock().now_s(), busy_s(), cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN)};
}

double Bystanders::cores() const {
    const Account ended = now();
    const double others_s = (ended.all_s - began_.all_s) - (ended.own_s - began_.own_s);
    return std::max(0.0, others_s / (ended.at_s - began_.at_s));
}

}  // namespace cultivar
