// The signals by which people, terminals and schedulers ask a program to stop.
#pragma once

#include <array>
#include <csignal>

namespace cultivar {

inline constexpr std::array kStopSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};

}  // namespace cultivar
