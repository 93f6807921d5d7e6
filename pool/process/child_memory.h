// The arguments of a system call that a child in a sandbox waits with: they lie in its memory and are in its own terms.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/types.h>

namespace cultivar {

// Copies from the child. False if it has ended or the address is none of its own.
bool read_memory(__u32 process, __u64 address, void* to, std::size_t bytes);

// The path that a call names, from the child's descriptor `folder` (AT_FDCWD: its own folder); `address` 0: the
// descriptor's own. Links are not followed. None if the child has ended or names nothing.
std::optional<std::filesystem::path> path_of_call(__u32 process, int folder, __u64 address);
// The same of a path that was read already.
std::optional<std::filesystem::path> path_in(__u32 process, const std::string& text, int folder = AT_FDCWD);

// What `act` gives for the file that lies beneath the first of these folders that has it: 0 or a reason of errno. The file is
// opened (O_PATH) without following links, so that nothing that the child does meanwhile leads elsewhere. ENOENT or ENOTDIR
// if the path leads to nothing there, `elsewhere` if it lies beneath none of the folders.
int act_beneath(const std::vector<std::string>& folders, const std::filesystem::path& path, int elsewhere,
                const std::function<int(int file)>& act);

}  // namespace cultivar
