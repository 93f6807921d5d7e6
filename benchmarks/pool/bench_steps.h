// What pool_bench has to do by the library, each in a process of its own: memory that a process ever used counts as its
// children's, so the process that measures stays small.
//   generate FOLDER [shape]   a synthetic pool
//   push FOLDER ROUND [shape] ten more runs by its first contributor, on the host's side
//   spool CLONE ROUND         ten runs of this clone's own, not yet proposed; kept ones with their artifacts
//   choose-next CLONE         plans one run as `explore` does and tells where the time went
//   merges CLONE              merges of pairs of candidates drawn at random, the merge alone: median and worst where
//                             nothing was read before, as in a process of its own, and median where the graph was
#pragma once

#include <string>
#include <vector>

namespace cultivar {

// The exit code; what a step tells goes to standard output as a line of JSON.
int run_bench_step(const std::vector<std::string>& words);

}  // namespace cultivar
