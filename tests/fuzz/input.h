// Shared by all fuzz targets: the input as text and as a file.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace cultivar {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Aborts if a property that must hold for any input does not.
inline void demand(bool holds) {
    if (!holds) std::abort();
}

// A file in memory only.
class InputFile {
public:
    explicit InputFile(std::string_view bytes) : descriptor_(::memfd_create("input", 0)) {
        demand(descriptor_ >= 0);
        demand(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile() { ::close(descriptor_); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

}  // namespace cultivar
