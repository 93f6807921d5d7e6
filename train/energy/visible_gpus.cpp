#include "train/energy/visible_gpus.h"

#include <algorithm>
#include <charconv>

namespace cultivar {
namespace {

bool is_named(const Gpu& gpu, std::string_view word) {
    int index = -1;
    const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), index);
    if (error == std::errc() && at == word.data() + word.size()) return gpu.index == index;
    return word.size() > std::string_view("GPU-").size() && gpu.uuid.starts_with(word);
}

std::string_view trimmed(std::string_view word) {
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    return word;
}

}  // namespace

std::vector<Gpu> visible_gpus(const std::vector<Gpu>& all, const std::optional<std::string>& visible) {
    if (!visible) return all;
    std::vector<Gpu> seen;
    for (std::string_view rest = *visible; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view word = trimmed(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        const auto gpu = std::ranges::find_if(all, [&](const Gpu& one) { return is_named(one, word); });
        const bool again = gpu != all.end() && std::ranges::find(seen, gpu->index, &Gpu::index) != seen.end();
        if (gpu == all.end() || again) break;
        seen.push_back(*gpu);
    }
    return seen;
}

}  // namespace cultivar
