// Cuts a stream into lines at line feeds and, as progress bars write them, at carriage returns. Of a longer line only the
// first `limit_bytes` count.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace cultivar {

class LineSplitter {
public:
    explicit LineSplitter(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

    // Calls take(line) for each line that ends in these bytes.
    template <typename Take>
    void add(std::string_view bytes, const Take& take) {
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t feed = std::min(bytes.find_first_of("\r\n", at), bytes.size());
            line_.append(bytes.substr(at, std::min(feed - at, limit_bytes_ - line_.size())));
            if (feed < bytes.size()) finish(take);
            at = feed + 1;
        }
    }
    // The last line may have no line feed.
    template <typename Take>
    void finish(const Take& take) {
        if (!line_.empty()) take(std::string_view(line_));
        line_.clear();
    }

private:
    std::size_t limit_bytes_;
    std::string line_;
};

}  // namespace cultivar
