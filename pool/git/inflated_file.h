// A file's zlib stream, inflated part by part. Ends for every file, a truncated one too.
#pragma once

#include <cstddef>
#include <optional>

#include <zlib.h>

namespace cultivar {

class InflatedFile {
public:
    // Takes an open file, and closes it.
    explicit InflatedFile(int fd);
    ~InflatedFile();
    InflatedFile(const InflatedFile&) = delete;
    InflatedFile& operator=(const InflatedFile&) = delete;

    // The file's own size; none if it is no plain file.
    std::optional<std::size_t> file_bytes() const;

    // The next `most` bytes; fewer at the stream's end, or where the file is damaged or ends before its stream does.
    std::size_t read(char* into, std::size_t most);

    // Is the whole file one whole stream, of which nothing is left to read?
    bool is_at_end();

private:
    static constexpr std::size_t kChunk_bytes = 1 << 15;
    void refill();

    int fd_;
    z_stream stream_{};
    bool good_, ended_ = false;
    char input_[kChunk_bytes];
};

}  // namespace cultivar
