#include "pool/git/inflated_file.h"

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

#include "pool/process/uninterrupted.h"

namespace cultivar {

InflatedFile::InflatedFile(int fd) : fd_(fd), good_(inflateInit(&stream_) == Z_OK) {}

InflatedFile::~InflatedFile() {
    inflateEnd(&stream_);
    ::close(fd_);
}

std::optional<std::size_t> InflatedFile::file_bytes() const {
    struct stat facts {};
    if (::fstat(fd_, &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
    return static_cast<std::size_t>(facts.st_size);
}

std::size_t InflatedFile::read(char* into, std::size_t most) {
    std::size_t done = 0;
    while (good_ && !ended_ && done < most) {
        if (stream_.avail_in == 0) refill();
        const auto room = static_cast<uInt>(std::min(most - done, kChunk_bytes));
        stream_.next_out = reinterpret_cast<Bytef*>(into + done);
        stream_.avail_out = room;
        const int state = inflate(&stream_, Z_NO_FLUSH);  // Z_BUF_ERROR once the file has no more and nothing is left
        done += room - stream_.avail_out;
        good_ = state == Z_OK || state == Z_STREAM_END;
        ended_ = state == Z_STREAM_END;
    }
    return done;
}

bool InflatedFile::is_at_end() {
    char more = 0;
    if (read(&more, 1) != 0 || !ended_ || stream_.avail_in != 0) return false;
    refill();
    return stream_.avail_in == 0;
}

void InflatedFile::refill() {
    const ssize_t got = uninterrupted([&] { return ::read(fd_, input_, sizeof input_); });
    stream_.next_in = reinterpret_cast<Bytef*>(input_);
    stream_.avail_in = static_cast<uInt>(std::max<ssize_t>(got, 0));
}

}  // namespace cultivar
