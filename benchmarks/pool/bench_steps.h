// The steps that pool_bench does by the library, each in a process of its own. Memory that a process ever used counts
// as its children's, so the measuring process stays small.
//   generate FOLDER [shape]   makes a synthetic pool
//   push FOLDER ROUND [shape] adds ten more runs by its first contributor, on the host's side
//   spool CLONE ROUND         adds ten own runs of this clone, not proposed yet; kept ones have artifacts
//   choose-next CLONE         plans one run as `explore` does and prints the time of each part
//   merges CLONE              merges random pairs of candidates, the merge alone: median and worst with nothing read
//                             before, as in a process of its own, and median with the graph already read
#pragma once

#include <string>
#include <vector>

namespace cultivar {

// Runs a step and returns the exit code. The step prints a line of JSON on standard output.
int run_bench_step(const std::vector<std::string>& words);

}  // namespace cultivar
