// Lanes: threads that work in parallel without waiting for each other. Each takes micro-batches, windows or matrices of
// its own, and torch's own threads are not used. Measured on two cores: 1.3 times the tokens per second of sharing each
// matrix product among threads, and no collapse when another process takes a core.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "train/lm/ops/work_time.h"

namespace cultivar {

// Returns a sensible number of lanes for this many pieces of work.
inline std::int64_t lanes_for(std::int64_t pieces) {
    return std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), pieces));
}

// Calls work(lane) for each lane, in parallel. Within a lane torch uses one thread, unless there is only one lane. The
// work of a lane must not depend on the others; exceptions reach the caller.
template <typename Work>
void run_lanes(std::int64_t lanes, const Work& work) {
    if (lanes == 1) return work(0);
    WorkRegion region(static_cast<std::size_t>(lanes));
    at::parallel_for(0, lanes, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t lane = first; lane < last; ++lane)
            region.time(static_cast<std::size_t>(lane), [&] { work(lane); });
    });
    region.end(static_cast<std::size_t>(lanes));
}

// Calls work(i) for each i below `count` in several lanes, each of which takes the next free i. Put costly ones first.
// The work of an i must not depend on the others.
template <typename Work>
void each_in_turn(std::int64_t count, const Work& work) {
    const std::int64_t lanes = lanes_for(count);
    WorkRegion region(static_cast<std::size_t>(count));
    std::atomic<std::int64_t> next = 0;
    at::parallel_for(0, lanes, 1, [&](std::int64_t, std::int64_t) {
        for (std::int64_t i = next++; i < count; i = next++) region.time(static_cast<std::size_t>(i), [&] { work(i); });
    });
    region.end(static_cast<std::size_t>(lanes));
}

}  // namespace cultivar
