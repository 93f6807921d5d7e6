// The time that a thread's work would take on a machine that does nothing else.
//
// It is processor time (CLOCK_THREAD_CPUTIME_ID), so that time that other processes take of a core is not in it. A thread
// that starts lanes (train/lm/ops/parallel_lanes.h) and waits for them may spin meanwhile, and a lane may be late because
// others displaced it. Such a region therefore counts as long as it would have lasted with a core for each lane: from the
// processor time of each piece of its work. On a quiet machine this is wall time but for the start of threads.
#pragma once

#include <cstddef>
#include <vector>

namespace cultivar {

// Seconds, from an arbitrary start of the calling thread's own. Not to be asked for within a region.
double work_s();

// Processor seconds of the calling thread.
double thread_s();

// The time that these pieces take, in turn, on lanes of which each has a core: the next free lane takes the next piece.
double time_in_lanes(const std::vector<double>& pieces_s, std::size_t lanes);

// A region that the calling thread starts and waits for.
class WorkRegion {
public:
    explicit WorkRegion(std::size_t pieces);
    // Does piece `i`, in any thread. Each piece once.
    template <typename Work>
    void time(std::size_t i, const Work& work) {
        const double before_s = thread_s();
        work();
        pieces_s_[i] = thread_s() - before_s;
    }
    // Ends the region, in the thread that started it: `lanes` took the pieces in turn.
    void end(std::size_t lanes);

private:
    double began_s_;
    std::vector<double> pieces_s_;
};

}  // namespace cultivar
