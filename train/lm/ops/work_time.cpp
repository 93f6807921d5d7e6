#include "train/lm/ops/work_time.h"

#include <algorithm>
#include <ctime>

namespace cultivar {
namespace {

// Of the calling thread: the length of its regions less its own processor time within them.
thread_local double regions_s = 0;

}  // namespace

double thread_s() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    constexpr double kNano = 1e-9;
    return static_cast<double>(now.tv_sec) + kNano * static_cast<double>(now.tv_nsec);
}

double time_in_lanes(const std::vector<double>& pieces_s, std::size_t lanes) {
    std::vector<double> busy_s(std::max<std::size_t>(lanes, 1));
    for (const double piece_s : pieces_s) *std::ranges::min_element(busy_s) += piece_s;
    return *std::ranges::max_element(busy_s);
}

WorkRegion::WorkRegion(std::size_t pieces) : began_s_(thread_s()), pieces_s_(pieces) {}

void WorkRegion::end(std::size_t lanes) { regions_s += time_in_lanes(pieces_s_, lanes) - (thread_s() - began_s_); }

double work_s() { return thread_s() + regions_s; }

}  // namespace cultivar
