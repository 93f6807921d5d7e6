// Which file system holds a folder?
#pragma once

#include <functional>
#include <string>

namespace cultivar {

// The kind of the network file system that holds a folder ("NFS", "Lustre", ...); "" on a disk of this machine, or where it
// cannot be told.
std::string network_file_system(const std::string& folder);

// The same, as tests give it.
using FileSystemKind = std::function<std::string(const std::string& folder)>;

}  // namespace cultivar
