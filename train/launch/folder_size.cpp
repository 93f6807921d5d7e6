#include "train/launch/folder_size.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace cultivar {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct Sum {
    const FolderLimits& limits;
    std::int64_t bytes = 0;
    std::size_t files = 0;
};

bool add_entry(int folder, const char* name, int depth, Sum& sum);

// Its size, or the room that it takes on the disk where that reaches far beyond its end.
std::int64_t room_of(const struct stat& facts) {
    constexpr std::int64_t kUsualMore_bytes = 1 << 20, kBlock_bytes = 512;
    const std::int64_t room_bytes = std::int64_t{facts.st_blocks} * kBlock_bytes;
    return room_bytes > facts.st_size + kUsualMore_bytes ? room_bytes : facts.st_size;
}

// Takes the descriptor. False where a limit is passed or something cannot be counted.
bool add_folder(int folder, int depth, Sum& sum) {
    if (folder < 0) return errno == ENOENT;
    DIR* listing = depth <= sum.limits.depth ? ::fdopendir(folder) : nullptr;
    if (!listing) return ::close(folder), false;
    bool good = true;
    errno = 0;
    while (const dirent* entry = good ? ::readdir(listing) : nullptr) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") good = add_entry(folder, entry->d_name, depth, sum);
        errno = 0;
    }
    good = good && errno == 0;
    ::closedir(listing);
    return good;
}

bool add_entry(int folder, const char* name, int depth, Sum& sum) {
    struct stat facts {};
    if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
    if (++sum.files > sum.limits.files) return false;
    if (S_ISREG(facts.st_mode)) sum.bytes += room_of(facts);
    if (sum.bytes > sum.limits.bytes) return false;
    return !S_ISDIR(facts.st_mode) || add_folder(::openat(folder, name, kFolderFlags), depth + 1, sum);
}

}  // namespace

std::int64_t folder_bytes(const std::string& folder, const FolderLimits& limits) {
    Sum sum{limits};
    const bool good = add_folder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, sum);
    return good ? sum.bytes : limits.bytes + 1;
}

}  // namespace cultivar
