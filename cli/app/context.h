// The context of every command, and the exit codes.
#pragma once

#include <atomic>
#include <string>

#include "cli/app/terminal.h"

namespace cultivar {

struct Context {
    Ui ui;
    std::string folder = ".";                  // the current one; GIT_DIR counts there (pool/git/repository.h)
    const std::atomic<int>* signal = nullptr;  // the first signal to stop that came, or 0
    bool interrupted() const;
};

// Exit codes; those of git where git has one, so that `git bisect run` and cron understand them.
inline constexpr int kYes = 0, kNo = 1, kBusy = 75, kCannotJudge = 125, kFailed = 128, kUsage = 129;

}  // namespace cultivar
