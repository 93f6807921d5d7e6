#include "pool/process/unless_finished.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kMostNames = 1000;

tl::unexpected<Error> cannot(const char* what, const std::string& path, int reason = errno) {
    return fail(Code::io, fmt::format("cannot {} '{}': {}", what, path, std::strerror(reason)));
}

// --- The removal -------------------------------------------------------------------------------------------------------

// Folders that this process made, one within another from `base` on, and the one that holds everything else.
struct Made {
    int base = -1;
    std::vector<std::string> way;  // on the way; removed only where they are empty
    std::string name;              // in the last of them
    dev_t device = 0;
    ino_t inode = 0;
};

std::vector<std::string> names_in(int folder) {
    std::vector<std::string> names;
    DIR* listing = ::fdopendir(::openat(folder, ".", kFolder));
    if (!listing) return names;
    while (const dirent* entry = ::readdir(listing)) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    ::closedir(listing);
    return names;
}

// Everything in it; what another file system mounts there stays.
void clear_folder(int folder, dev_t device) {
    for (const std::string& name : names_in(folder)) {
        if (::unlinkat(folder, name.c_str(), 0) == 0) continue;
        const int inner = ::openat(folder, name.c_str(), kFolder | O_NOFOLLOW);
        if (inner < 0) continue;
        struct stat facts {};
        if (::fstat(inner, &facts) == 0 && facts.st_dev == device) clear_folder(inner, device);
        ::close(inner);
        ::unlinkat(folder, name.c_str(), AT_REMOVEDIR);
    }
}

void remove_within(const Made& made, int folder, std::size_t depth) {
    if (depth < made.way.size()) {
        const std::string& name = made.way[depth];
        const int inner = ::openat(folder, name.c_str(), kFolder | O_NOFOLLOW);
        if (inner < 0) return;
        remove_within(made, inner, depth + 1);
        ::close(inner);
        ::unlinkat(folder, name.c_str(), AT_REMOVEDIR);
        return;
    }
    const int built = ::openat(folder, made.name.c_str(), kFolder | O_NOFOLLOW);
    struct stat facts {};
    if (built < 0) return;
    const bool same = ::fstat(built, &facts) == 0 && facts.st_dev == made.device && facts.st_ino == made.inode;
    if (same) clear_folder(built, made.device);
    ::close(built);
    if (same) ::unlinkat(folder, made.name.c_str(), AT_REMOVEDIR);
}

// --- The making ------------------------------------------------------------------------------------------------------

// The folders on the way that are absent are made; returns the last one. `made` grows with each.
Result<int> go_there(const fs::path& above, Made& made) {
    fs::path existing = above;
    std::vector<std::string> absent;
    std::error_code ec;
    while (!fs::exists(existing, ec) && existing.has_parent_path() && existing.parent_path() != existing) {
        absent.push_back(existing.filename().string());
        existing = existing.parent_path();
    }
    int at = made.base = ::open(existing.c_str(), kFolder);
    if (at < 0) return cannot("open", existing.string());
    for (auto name = absent.rbegin(); name != absent.rend(); ++name) {
        existing /= *name;
        if (::mkdirat(at, name->c_str(), 0777) == 0)
            made.way.push_back(*name);
        else
            return cannot("create", existing.string());
        const int next = ::openat(at, name->c_str(), kFolder | O_NOFOLLOW);
        const int reason = errno;
        if (at != made.base) ::close(at);
        if (next < 0) return cannot("open", existing.string(), reason);
        at = next;
    }
    return at == made.base ? ::fcntl(at, F_DUPFD_CLOEXEC, 0) : at;
}

Result<void> make_folder(int place, const std::string& stem, Made& made) {
    for (int i = 0; i < kMostNames; ++i) {
        made.name = fmt::format(".{}.unfinished-{}-{}", stem.substr(0, 200), ::getpid(), i);
        struct stat facts {};
        if (::mkdirat(place, made.name.c_str(), 0777) == 0) {
            if (::fstatat(place, made.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return cannot("open", made.name);
            made.device = facts.st_dev, made.inode = facts.st_ino;
            return {};
        }
        if (errno != EEXIST) return cannot("create", made.name);
    }
    return cannot("create", made.name);
}

// --- The new in its place ---------------------------------------------------------------------------------------------

// Moves, and replaces nothing. Old file systems cannot promise that in one step.
bool move_new(int from, int to, const std::string& name) {
    if (::renameat2(from, name.c_str(), to, name.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    struct stat facts {};
    if (::fstatat(to, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return errno = EEXIST, false;
    return errno == ENOENT && ::renameat(from, name.c_str(), to, name.c_str()) == 0;
}

// .git comes last: with it the folder is a clone.
Result<void> move_all(int from, int to, const std::string& target) {
    std::vector<std::string> names = names_in(from);
    std::partition(names.begin(), names.end(), [](const std::string& name) { return name != ".git"; });
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (move_new(from, to, names[i])) continue;
        const int reason = errno;
        for (std::size_t back = 0; back < i; ++back) move_new(to, from, names[back]);
        return cannot("fill", target + "/" + names[i], reason);
    }
    return {};
}

}  // namespace

Result<UnlessFinished> UnlessFinished::make(const std::string& folder) {
    std::error_code ec;
    fs::path target = fs::absolute(folder, ec).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    const bool fills = fs::exists(target, ec);
    Made made;
    auto place = go_there(fills ? target : target.parent_path(), made);
    auto done = place ? make_folder(*place, target.filename().string(), made) : fail(place.error());
    auto keeper = done ? Keeper::start([made] { remove_within(made, made.base, 0); }, made.base) : fail(done.error());
    if (!keeper && made.base >= 0) remove_within(made, made.base, 0);
    if (made.base >= 0) ::close(made.base);
    if (!keeper) {
        if (place) ::close(*place);
        return fail(keeper.error());
    }
    const fs::path built = (fills ? target : target.parent_path()) / made.name;
    return UnlessFinished(std::move(*keeper), *place, fills, built.string(), target.string());
}

UnlessFinished::UnlessFinished(UnlessFinished&& other) noexcept
    : keeper_(std::move(other.keeper_)),
      place_(std::exchange(other.place_, -1)),
      fills_(other.fills_),
      path_(std::move(other.path_)),
      target_(std::move(other.target_)) {}

UnlessFinished::~UnlessFinished() {
    keeper_.do_it_now();
    if (place_ >= 0) ::close(place_);
}

Result<void> UnlessFinished::finish() {
    const std::string name = fs::path(path_).filename().string(), last = fs::path(target_).filename().string();
    if (fills_) {
        const int built = ::openat(place_, name.c_str(), kFolder | O_NOFOLLOW);
        if (built < 0) return cannot("open", path_);
        auto moved = move_all(built, place_, target_);
        ::close(built);
        TRY(moved);
        ::unlinkat(place_, name.c_str(), AT_REMOVEDIR);
    } else if (::renameat(place_, name.c_str(), place_, last.c_str()) != 0) {
        return cannot("create", target_);  // onto an empty folder alone
    }
    keeper_.call_off();
    return {};
}

}  // namespace cultivar
