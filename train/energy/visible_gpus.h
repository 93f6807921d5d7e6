// The GPUs that a program sees: all of the machine's, or those that CUDA_VISIBLE_DEVICES lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cultivar {

struct Gpu {
    int index = 0;  // in the order of PCI addresses
    std::string uuid, name;
};

// `visible`: indices and UUIDs, or beginnings of UUIDs, separated by commas; the first word that names no GPU, or one named
// twice, ends the list, as in CUDA's own reading of it. None: all.
std::vector<Gpu> visible_gpus(const std::vector<Gpu>& all, const std::optional<std::string>& visible);

}  // namespace cultivar
