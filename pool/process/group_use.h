// The use of a group of processes, read from /proc: memory, threads, and files that no folder names any more.
#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace cultivar {

struct GroupUse {
    // Of no file in a folder: private pages of each process, and, once for the group, what its processes share and files
    // in memory (memfd_create).
    std::int64_t memory_bytes = 0;
    std::int64_t threads = 0;
    // On the file system that holds the folder: of files that are open or mapped, and unlinked.
    std::int64_t unlinked_bytes = 0;
    // It may hold more than that: a file that is mapped and open no more, on the way through a socket, or of a process that
    // hides its files.
    bool may_hold_more_memory = false, may_hold_more_disk = false;
};

// Of the group's processes now; `folder`: where they may write, "" for nowhere.
GroupUse use_of_group(pid_t group, const std::string& folder);

// Bytes that are free: for new files next to `folder`, and for new processes. 0 if the system does not say.
std::int64_t free_disk_bytes(const std::string& folder);
std::int64_t free_memory_bytes();

// What a group counts as: what is seen of it or, where it may hold more, all that became less free since it started.
std::int64_t counted_bytes(std::int64_t seen, bool may_be_more, std::int64_t free_before, std::int64_t free_now);

}  // namespace cultivar
