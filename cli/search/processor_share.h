// The processors of this process, dealt out to runs side by side.
#pragma once

#include <cstddef>
#include <vector>

namespace cultivar {

// The processors of one of `jobs`, each with as many; none where there are too few for `threads` each.
std::vector<int> share_of(const std::vector<int>& processors, std::size_t job, std::size_t jobs, int threads);

// Keeps the calling thread, and its children, on its share. Without one, everything stays as it is.
void take_processor_share(std::size_t job, std::size_t jobs, int threads);

}  // namespace cultivar
