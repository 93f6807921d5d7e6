// Sockets with a name that a pool's command makes in its own folder and connects to, as Python's multiprocessing does where
// workers hand over open files: PyTorch's DataLoader, for one. The command has a network of its own without any device, so
// that a name that is no file means nothing outside; Landlock bounds where a file of a socket is made. It does not bound
// which one is connected to, so the parent makes each connection itself, to a socket below the command's own folders that it
// opens without following links, and hands it over in the place of the command's own unconnected one.
#pragma once

#include <string>
#include <vector>

#include <linux/seccomp.h>

namespace cultivar {

// In the child, with the right to make namespaces; async-signal-safe. False: there is none, and names stay closed.
bool enter_own_network();

// Answers connect(). Returns 0, with the socket in its place, or errno: EACCES for a name elsewhere. `still_valid`: does the
// child still wait for it?
int connect_within(const seccomp_notif& report, const std::vector<std::string>& folders,
                   bool (*still_valid)(int, __u64), int listener);

}  // namespace cultivar
