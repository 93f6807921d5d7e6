// Tells which files a watched child reaches for in vain (SandboxRules::watched). For people only: the child may change what it
// asks for once it was looked at, and Landlock decides.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <linux/seccomp.h>

#include "pool/process/attempt.h"
#include "pool/process/sandbox.h"

namespace cultivar {

// The system calls that name a file; those that this architecture lacks are left out.
std::vector<int> watched_calls();
bool is_watched_call(int system_call);

// Links followed: is it one of these files, or below one of these folders?
bool lies_in(const std::filesystem::path& path, const std::vector<std::string>& folders);

// What Landlock refuses of this call; none: nothing, or there is no such file.
std::optional<Attempt> refused_file(const SandboxRules& rules, const seccomp_notif& report);

}  // namespace cultivar
