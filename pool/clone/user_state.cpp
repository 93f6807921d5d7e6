#include "pool/clone/user_state.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/secret_random.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {

Result<std::string> user_state_folder() {
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state && *state == '/') return std::string(state) + "/cultivar";  // relative ones count not (XDG)
    const char* home = std::getenv("HOME");
    if (home && *home == '/') return std::string(home) + "/.local/state/cultivar";
    const passwd* user = ::getpwuid(::geteuid());
    if (user && user->pw_dir && *user->pw_dir == '/') return std::string(user->pw_dir) + "/.local/state/cultivar";
    return fail(Code::io, "there is no folder to keep trust in: neither XDG_STATE_HOME nor HOME is set");
}

Result<void> make_private_folder(const std::string& folder) {
    std::error_code ec;
    const std::filesystem::path path(folder);
    std::filesystem::create_directories(path.parent_path(), ec);
    if (!ec && std::filesystem::create_directory(path, ec))
        std::filesystem::permissions(path, std::filesystem::perms::owner_all, ec);
    return ec ? fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message())) : Result<void>();
}

namespace {

constexpr std::size_t kUserSecretDigits = 32;

// Of several processes that make one at once, the first wins.
Result<void> make_secret(const std::string& path) {
    const std::string draft = fmt::format("{}.{}", path, ::getpid());
    TRY(write_file_atomically(draft, SecretRandom().hex_digits(kUserSecretDigits), S_IRUSR | S_IWUSR));
    const bool made = ::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST;
    const int why = errno;
    ::unlink(draft.c_str());
    return made ? Result<void>() : fail(Code::io, fmt::format("cannot create '{}': {}", path, std::strerror(why)));
}

}  // namespace

Result<std::string> user_secret() {
    TRY_ASSIGN(const std::string folder, user_state_folder());
    const std::string path = folder + "/secret";
    auto kept = read_file(path, kUserSecretDigits);
    if (!kept && kept.error().code == Code::not_found) {
        TRY(make_private_folder(folder));
        TRY(make_secret(path));
        kept = read_file(path, kUserSecretDigits);
    }
    if (!kept) return fail(kept.error());
    if (!is_users_own(path) || !is_hex(*kept, kUserSecretDigits))
        return fail(Code::io, fmt::format("'{}' is not this user's", path), fmt::format("rm {}", shell_word(path)));
    return kept;
}

Result<Identified> identify(const std::string& path) {
    std::error_code ec;
    const std::string at = std::filesystem::canonical(path, ec).string();
    struct statx facts {};
    if (ec || ::statx(AT_FDCWD, at.c_str(), 0, STATX_INO | STATX_BTIME, &facts) != 0)
        return fail(Code::io, fmt::format("cannot look at '{}': {}", path, ec ? ec.message() : std::strerror(errno)));
    return Identified{at, fmt::format("{} {}.{:09}", facts.stx_ino, facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec)};
}

bool is_users_own(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && facts.st_uid == ::geteuid();
}

}  // namespace cultivar
