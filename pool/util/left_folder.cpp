#include "pool/util/left_folder.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

using Listing = std::unique_ptr<DIR, int (*)(DIR*)>;

// Opens a folder, which is no link, to this user. Where that fails, the next step fails too.
void make_accessible(int at, const char* name) { ::fchmodat(at, name, S_IRWXU, 0); }

Listing list_folder(int at, const char* name) {
    make_accessible(at, name);
    const int folder = ::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return {folder < 0 ? nullptr : ::fdopendir(folder), &::closedir};
}

// The next entry; none at the end or (errno) on an error.
const char* next_name(const Listing& listing) {
    errno = 0;
    while (const dirent* entry = ::readdir(listing.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") return entry->d_name;
        errno = 0;
    }
    return nullptr;
}

bool is_folder(int at, const char* name) {
    struct stat facts {};
    return ::fstatat(at, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode);
}

// Removes what is no folder. True: it is gone.
bool remove_plain(int at, const char* name) { return ::unlinkat(at, name, 0) == 0 || errno == ENOENT; }

// Empties a folder one level at a time: folders in the folders below it move up beside those, so that it never goes
// deeper.
class Emptier {
public:
    explicit Emptier(const Listing& top) : top_(top), at_(::dirfd(top.get())) {}

    bool empty() {
        for (bool any = true; any;) {
            any = false;
            ::rewinddir(top_.get());
            while (const char* name = next_name(top_)) {
                any = true;
                if (!remove_plain(at_, name) && !(is_folder(at_, name) && take_apart(name))) return false;
            }
            if (errno != 0) return false;
        }
        return true;
    }

private:
    bool take_apart(const char* name) {
        const Listing below = list_folder(at_, name);
        if (!below) return false;
        const int from = ::dirfd(below.get());
        while (const char* one = next_name(below)) {
            if (!remove_plain(from, one) && !(is_folder(from, one) && move_up(from, one))) return false;
        }
        return errno == 0 && ::unlinkat(at_, name, AT_REMOVEDIR) == 0;
    }

    bool move_up(int from, const char* name) {
        make_accessible(from, name);  // to move a folder is to write in it
        for (;;) {
            if (::renameat(from, name, at_, fmt::format(".{}", moved_++).c_str()) == 0) return true;
            const bool taken = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR || errno == EISDIR;
            if (!taken) return false;
        }
    }

    const Listing& top_;
    int at_;
    std::uint64_t moved_ = 0;
};

}  // namespace

Result<void> remove_folder(const std::string& folder) {
    std::string path = folder;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (remove_plain(AT_FDCWD, path.c_str())) return {};
    const Listing top = list_folder(AT_FDCWD, path.c_str());
    if (top && Emptier(top).empty() && ::rmdir(path.c_str()) == 0) return {};
    return fail(Code::io, fmt::format("cannot remove '{}': {}", folder, std::strerror(errno)));
}

}  // namespace cultivar
