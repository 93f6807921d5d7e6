#include "pool/clone/own_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "pool/clone/user_state.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndexes = "index/";
constexpr const char* kDatabase = "index.sqlite";
constexpr std::size_t kNameDigits = 16;

// Does any process have this database open? SQLite holds a lock on one of its files all the while. True where that cannot
// be found out. Not for a database that this process has open: its locks would go with the file that is closed here.
bool is_in_use(const std::string& database) {
    for (const char* tail : {"", "-shm"}) {
        const int file = ::open((database + tail).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file < 0 && errno == ENOENT) continue;
        if (file < 0) return true;
        struct flock all {};
        all.l_type = F_WRLCK;
        const bool is_free = ::fcntl(file, F_OFD_GETLK, &all) == 0 && all.l_type == F_UNLCK;
        ::close(file);
        if (!is_free) return true;
    }
    return false;
}

struct Used {
    std::string folder;
    std::time_t at_s = 0;  // SQLite makes and removes files in it with every use
};

std::vector<Used> others(const std::string& indexes, const std::string& own) {
    std::vector<Used> found;
    std::error_code ec;
    for (fs::directory_iterator at(indexes, ec), end; !ec && at != end; at.increment(ec)) {
        const std::string folder = at->path().string();
        struct stat facts {};
        if (folder == own || !is_private_folder(folder) || ::stat(folder.c_str(), &facts) != 0) continue;
        found.push_back({folder, facts.st_mtime});
    }
    std::ranges::sort(found, std::ranges::greater(), &Used::at_s);
    return found;
}

void remove_unused(const std::string& indexes, const std::string& own) {
    const std::vector<Used> all = others(indexes, own);
    const std::time_t now_s = std::time(nullptr);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const bool is_old = now_s - all[i].at_s > kUnusedIndex_s, is_one_too_many = i + 1 >= kKeptIndexes;
        if (!(is_old || is_one_too_many) || is_in_use(all[i].folder + "/" + kDatabase)) continue;
        std::error_code ignored;
        fs::remove_all(all[i].folder, ignored);
    }
}

void remove_unused_of_earlier_versions(const std::string& state_dir) {
    const std::string database = state_dir + kDatabase;
    struct stat facts {};
    if (::lstat(database.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid()) return;
    if (std::time(nullptr) - facts.st_mtime <= kUnusedIndex_s || is_in_use(database)) return;
    for (const char* tail : {"", "-wal", "-shm"}) ::unlink((database + tail).c_str());
}

}  // namespace

bool is_private_folder(const std::string& folder) {
    struct stat facts {};
    return ::lstat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid() &&
           (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Result<std::string> own_index(const std::string& state_dir, const std::string& git_dir) {
    TRY_ASSIGN(const std::string secret, user_secret());
    TRY_ASSIGN(const Identified git, identify(git_dir));
    const std::string indexes = state_dir + kIndexes;
    const std::string own = indexes + sha256_hex(secret + " " + git.inode).substr(0, kNameDigits);
    std::error_code ec;
    fs::create_directories(indexes, ec);
    if (::mkdir(own.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return fail(Code::io, fmt::format("cannot create '{}': {}", own, std::strerror(errno)));
    if (!is_private_folder(own)) return fail(Code::io, fmt::format("others can write to '{}'", own));
    remove_unused(indexes, own);
    remove_unused_of_earlier_versions(state_dir);
    return own + "/";
}

}  // namespace cultivar
