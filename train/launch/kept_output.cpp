#include "train/launch/kept_output.h"

#include <algorithm>

#include <fmt/format.h>

namespace cultivar {

void KeptOutput::add(std::string_view bytes) {
    const std::string_view first = bytes.substr(0, kKeptHead_bytes - head_.size());
    head_.append(first);
    bytes.remove_prefix(first.size());
    if (bytes.size() > kKeptTail_bytes) {
        left_out_bytes_ += tail_.size() + bytes.size() - kKeptTail_bytes;
        tail_.assign(bytes.substr(bytes.size() - kKeptTail_bytes));
        return;
    }
    tail_.append(bytes);
    if (tail_.size() <= 2 * kKeptTail_bytes) return;  // moved now and then rather than for every line
    left_out_bytes_ += tail_.size() - kKeptTail_bytes;
    tail_.erase(0, tail_.size() - kKeptTail_bytes);
}

std::string KeptOutput::text() const {
    const std::size_t more = tail_.size() > kKeptTail_bytes ? tail_.size() - kKeptTail_bytes : 0;
    const std::size_t left_out = left_out_bytes_ + more;
    if (left_out == 0) return head_ + tail_;
    return fmt::format("{}\n[{} bytes left out]\n{}", head_, left_out, tail_.substr(more));
}

std::vector<std::string> KeptOutput::last_lines(std::size_t count) const {
    const std::string all = text();
    std::vector<std::string> lines;
    std::size_t end = all.size();
    while (end > 0 && lines.size() < count) {
        const std::size_t feed = all.find_last_of("\r\n", end - 1);
        const std::size_t begin = feed == std::string::npos ? 0 : feed + 1;
        if (begin < end) lines.push_back(all.substr(begin, end - begin));
        end = feed == std::string::npos ? 0 : feed;
    }
    std::ranges::reverse(lines);
    return lines;
}

}  // namespace cultivar
