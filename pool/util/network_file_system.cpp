#include "pool/util/network_file_system.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace cultivar {
namespace {

struct Magic {
    std::uint32_t number;
    const char* name;
};

// statfs(2) and the kernel's linux/magic.h; those of BeeGFS, GPFS and Lustre are in their own sources. What runs through
// FUSE may be sshfs, and its index costs nothing elsewhere.
constexpr std::array kNetworks = {Magic{0x6969, "NFS"},        Magic{0x517B, "SMB"},        Magic{0xFE534D42, "SMB"},
                                  Magic{0xFF534D42, "CIFS"},   Magic{0x0BD00BD0, "Lustre"}, Magic{0x47504653, "GPFS"},
                                  Magic{0x19830326, "BeeGFS"}, Magic{0x00C36400, "Ceph"},   Magic{0x5346414F, "AFS"},
                                  Magic{0x6B414653, "AFS"},    Magic{0x73757245, "Coda"},   Magic{0x01021997, "9P"},
                                  Magic{0x65735546, "FUSE"}};

}  // namespace

std::string network_file_system(const std::string& folder) {
    struct statfs facts {};
    if (::statfs(folder.c_str(), &facts) != 0) return "";
    const auto number = static_cast<std::uint32_t>(facts.f_type);
    const auto found = std::ranges::find(kNetworks, number, &Magic::number);
    return found == kNetworks.end() ? "" : found->name;
}

}  // namespace cultivar
