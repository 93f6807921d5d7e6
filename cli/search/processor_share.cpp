#include "cli/search/processor_share.h"

#include <sched.h>

namespace cultivar {

std::vector<int> share_of(const std::vector<int>& processors, std::size_t job, std::size_t jobs, int threads) {
    const std::size_t each = processors.size() / jobs;
    if (each < static_cast<std::size_t>(threads)) return {};
    const auto first = processors.begin() + static_cast<std::ptrdiff_t>(job * each);
    return {first, first + static_cast<std::ptrdiff_t>(each)};
}

void take_processor_share(std::size_t job, std::size_t jobs, int threads) {
    cpu_set_t mine;
    if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return;
    std::vector<int> processors;
    for (int one = 0; one < CPU_SETSIZE; ++one) {
        if (CPU_ISSET(one, &mine)) processors.push_back(one);
    }
    const std::vector<int> share = share_of(processors, job, jobs, threads);
    if (share.empty()) return;
    CPU_ZERO(&mine);
    for (const int one : share) CPU_SET(one, &mine);
    ::sched_setaffinity(0, sizeof mine, &mine);
}

}  // namespace cultivar
