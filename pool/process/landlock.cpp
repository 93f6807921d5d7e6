#include "pool/process/landlock.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar::landlock {
namespace {

struct LandlockRights {
    std::uint64_t files = 0, network = 0, scopes = 0;
};
constexpr std::uint64_t kRefer = 1ULL << 13, kTruncate = 1ULL << 14, kDevices = 1ULL << 15;
constexpr std::uint64_t kTcp = 3, kSocketsAndSignals = 3;
constexpr int kWithRefer = 2, kWithTruncate = 3, kWithDevices = 5;

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
// Links, pipes and sockets, of which the parent opens none (pool/util/left_file.h).
constexpr std::uint64_t kMadeByCommands =
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t kNeverMade = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

LandlockRights rights_of(int version, bool network, bool command) {
    LandlockRights rights;
    rights.files = kRead | kMake | kMadeByCommands | kChange | kNeverMade;
    if (version < kWithRefer) rights.files &= ~kRefer;
    if (version < kWithTruncate) rights.files &= ~kTruncate;
    if (version < kWithDevices) rights.files &= ~kDevices;
    if (version >= kWithTcp && !network) rights.network = kTcp;
    if (version >= kWithScopes && (!network || command)) rights.scopes = kSocketsAndSignals;
    return rights;
}

// The kernel takes as much of the structure as its version has.
std::size_t size_of_rights(int version) { return version >= kWithScopes ? 24 : version >= kWithTcp ? 16 : 8; }

}  // namespace

int allow(int ruleset, std::uint64_t handled, const char* path, std::uint64_t wanted) {
    const int at = ::open(path, O_PATH | O_CLOEXEC);
    if (at < 0) return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : errno;
    struct stat facts {};
    ::fstat(at, &facts);
    if (!S_ISDIR(facts.st_mode)) wanted &= kReadFile | kChange;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = wanted & handled;
    rule.parent_fd = at;
    const long done = ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    const int reason = done == 0 ? 0 : errno;
    ::close(at);
    return reason;
}

Result<int> make_ruleset(const SandboxRules& rules, int version, std::uint64_t& handled) {
    const LandlockRights rights = rights_of(version, rules.network, rules.command);
    handled = rights.files;
    const long made = ::syscall(SYS_landlock_create_ruleset, &rights, size_of_rights(version), 0);
    if (made < 0) return fail(Code::io, fmt::format("cannot make a sandbox: {}", std::strerror(errno)));
    const int ruleset = static_cast<int>(made);
    const auto allow_all = [&](const std::vector<std::string>& paths, std::uint64_t wanted) -> Result<void> {
        for (const std::string& path : paths) {
            if (const int reason = allow(ruleset, handled, path.c_str(), wanted))
                return fail(Code::io, fmt::format("cannot open a sandbox for '{}': {}", path, std::strerror(reason)));
        }
        return {};
    };
    auto done = allow_all(rules.read, kRead);
    if (done) done = allow_all(rules.write, kRead | kMake | kChange | (rules.command ? kMadeByCommands : 0));
    if (done) return ruleset;
    ::close(ruleset);
    return fail(done.error());
}

}  // namespace cultivar::landlock
