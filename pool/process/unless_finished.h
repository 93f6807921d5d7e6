// A folder that is either finished or gone: a process of its own waits for this one to end, however that happens, and
// removes the folder unless this process said that it is finished. A kill, a crash and a full disk leave nothing behind;
// a power cut may.
#pragma once

#include <string>
#include <utility>

#include "pool/process/keeper.h"

namespace cultivar {

class UnlessFinished {
public:
    // Watches `folder`, which is absent, or empty: then it stays, and its content goes. Folders on the way to it that are
    // absent now go too. Only while this process has one thread. Errors: io.
    static Result<UnlessFinished> watch(const std::string& folder);
    UnlessFinished(UnlessFinished&&) = default;
    UnlessFinished& operator=(UnlessFinished&&) = delete;
    ~UnlessFinished() { keeper_.do_it_now(); }  // returns once the folder is gone, if it is not finished

    void finished() { keeper_.call_off(); }

private:
    explicit UnlessFinished(Keeper keeper) : keeper_(std::move(keeper)) {}
    Keeper keeper_;
};

}  // namespace cultivar
