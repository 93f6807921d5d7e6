// Landlock, as the newest kernel knows it; the system's headers may be older. Only pool/process/sandbox uses it.
#pragma once

#include <cstdint>

#include <linux/landlock.h>

#include "pool/process/sandbox.h"
#include "pool/util/result.h"

namespace cultivar::landlock {

inline constexpr int kWithTcp = 4;     // the version that can forbid connections
inline constexpr int kWithScopes = 6;  // and the one that can forbid signals
inline constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

inline constexpr std::uint64_t kMake = LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                       LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                       1ULL << 13 /* REFER */;
inline constexpr std::uint64_t kChange =
    LANDLOCK_ACCESS_FS_WRITE_FILE | 1ULL << 14 /* TRUNCATE */ | 1ULL << 15 /* IOCTL_DEV */;

// A ruleset's descriptor, for a kernel of this version (1 or later); `handled` gets the rights to files that it governs.
// Errors: io.
Result<int> make_ruleset(const SandboxRules& rules, int version, std::uint64_t& handled);

// Async-signal-safe. 0, or errno; a path that is not there is passed over.
int allow(int ruleset, std::uint64_t handled, const char* path, std::uint64_t wanted);

}  // namespace cultivar::landlock
