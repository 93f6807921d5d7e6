// The kept parts of a program's output: of each stream the first 64 KiB and the last 64 KiB.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cultivar {

inline constexpr std::size_t kKeptHead_bytes = 64 << 10, kKeptTail_bytes = 64 << 10;

class KeptOutput {
public:
    void add(std::string_view bytes);

    // Head, a line that counts the bytes left out if there are any, and tail. The bytes are foreign and as they came.
    std::string text() const;
    // The last `count` lines that are not empty, as far as they are kept.
    std::vector<std::string> last_lines(std::size_t count) const;

private:
    std::string head_, tail_;
    std::size_t left_out_bytes_ = 0;
};

}  // namespace cultivar
