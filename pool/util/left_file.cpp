#include "pool/util/left_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/util/left_folder.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr int kFile = O_RDONLY | O_NONBLOCK, kFolder = O_RDONLY | O_DIRECTORY;

// From folder to folder by descriptors. -1: there is no such file or folder, or a link is on the way.
int open_left(const std::string& folder, const fs::path& name, int as) {
    if (name.is_absolute() || std::ranges::find(name, "..") != name.end()) return -1;
    int at = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (auto part = name.begin(); at >= 0 && part != name.end(); ++part) {
        const bool last = std::next(part) == name.end();
        const int flags = last ? as : O_PATH | O_DIRECTORY;
        const int next = ::openat(at, part->c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
        ::close(at);
        at = next;
    }
    struct stat facts {};
    if (at < 0 || as == kFolder || (::fstat(at, &facts) == 0 && S_ISREG(facts.st_mode))) return at;
    ::close(at);
    return -1;
}

Result<std::string> read_all(int file, const std::string& name, std::size_t limit_bytes) {
    std::string bytes;
    std::array<char, 1 << 16> buffer{};
    for (;;) {
        const ssize_t got = ::read(file, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Code::io, fmt::format("cannot read '{}': {}", name, std::strerror(errno)));
        if (got == 0) return bytes;
        bytes.append(buffer.data(), static_cast<std::size_t>(got));
        if (bytes.size() > limit_bytes)
            return fail(Code::corrupt, fmt::format("'{}' has more than {} bytes", name, limit_bytes));
    }
}

// Reads a folder by descriptors, so that no path is too long and no link leads anywhere.
class FolderReader {
public:
    explicit FolderReader(const LeftLimits& limits) : limits_(limits) {}

    // Takes the descriptor. `path` ends with '/' unless it is empty.
    Result<void> read(int folder, const std::string& path, std::size_t depth) {
        if (depth > limits_.depth) return ::close(folder), refuse(path, "lies too deep");
        DIR* listing = ::fdopendir(folder);
        if (!listing) return ::close(folder), fail(Code::io, std::strerror(errno));
        Result<void> good;
        while (const dirent* entry = good ? ::readdir(listing) : nullptr) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") good = read_entry(folder, name, path + name, depth);
        }
        ::closedir(listing);
        return good;
    }
    LeftFiles take() { return std::move(files_); }

private:
    static tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
        return fail(Code::corrupt, fmt::format("'{}' {}", clean(path), why));
    }

    Result<void> read_entry(int folder, const std::string& name, const std::string& path, std::size_t depth) {
        if (++entries_ > limits_.entries)
            return fail(Code::corrupt, fmt::format("it has more than {} files and folders", limits_.entries));
        struct stat facts {};
        if (::fstatat(folder, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return refuse(path, "cannot be read");
        if (!S_ISDIR(facts.st_mode) && !S_ISREG(facts.st_mode)) return refuse(path, "is neither a file nor a folder");
        const int opened =
            ::openat(folder, name.c_str(), (S_ISDIR(facts.st_mode) ? kFolder : kFile) | O_NOFOLLOW | O_CLOEXEC);
        if (opened < 0) return refuse(path, "cannot be read");
        if (S_ISDIR(facts.st_mode)) return read(opened, path + "/", depth + 1);
        auto bytes = read_all(opened, path, limits_.bytes - bytes_);
        ::close(opened);
        if (!bytes && bytes.error().code == Code::corrupt)
            return fail(Code::corrupt, fmt::format("it has more than {} bytes", limits_.bytes));
        if (!bytes) return fail(bytes.error());
        bytes_ += bytes->size();
        files_.emplace_back(path, std::move(*bytes));
        return {};
    }

    LeftLimits limits_;
    LeftFiles files_{};
    std::size_t entries_ = 0, bytes_ = 0;
};

}  // namespace

Result<std::string> read_left_file(const std::string& folder, const std::string& name, std::size_t limit_bytes) {
    const int file = open_left(folder, name, kFile);
    if (file < 0) return fail(Code::not_found, fmt::format("it left no file '{}'", name));
    auto bytes = read_all(file, name, limit_bytes);
    ::close(file);
    return bytes;
}

Result<LeftFiles> read_left_folder(const std::string& folder, const std::string& name, const LeftLimits& limits) {
    const int opened = open_left(folder, name, kFolder);
    if (opened < 0) return fail(Code::not_found, fmt::format("it left no folder '{}'", name));
    FolderReader reader(limits);
    TRY(reader.read(opened, "", 1));
    return reader.take();
}

Result<void> clear_way_to(const std::string& folder, const std::string& name) {
    const fs::path whole(name);
    fs::path at(folder);
    for (auto part = whole.begin(); part != whole.end(); ++part) {
        at /= *part;
        std::error_code ec;
        const fs::file_status facts = fs::symlink_status(at, ec);
        if (!fs::exists(facts)) return {};
        const bool last = std::next(part) == whole.end();
        if (last != fs::is_directory(facts)) {
            if (!last) fs::permissions(at, fs::perms::owner_all, fs::perm_options::add, ec);
            continue;
        }
        return remove_folder(at.string());
    }
    return {};
}

}  // namespace cultivar
