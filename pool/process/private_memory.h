// A /dev/shm of a child's own, for the semaphores and shared memory of POSIX, such as Python's multiprocessing makes: the
// machine's holds files of other programs. It is a file system in memory, mounted where the child and its descendants alone
// see it, and ends with the last of them. Root mounts it; a user does so in a user namespace, if the system lets him.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cultivar {

inline constexpr const char* kSharedMemory = "/dev/shm";

class PrivateMemory {
public:
    // Prepares the words that the system calls take.
    explicit PrivateMemory(std::int64_t most_bytes);
    // In the child; async-signal-safe. False: there is none, and the machine's stays closed.
    bool enter() const;

private:
    std::string options_, user_map_, group_map_;
    bool is_root_;
};

// The bytes that are used in the /dev/shm of a process ("/proc/123"); none if that is the machine's.
std::optional<std::int64_t> private_memory_bytes(const std::string& process);

}  // namespace cultivar
