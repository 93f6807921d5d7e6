// A new folder that is either finished or gone. It is built under a name of its own, in the folder where it will lie, and
// takes its place once it is finished. A process of its own waits for this one to end, however that happens, and removes
// a folder that is not finished: a kill, a crash and a full disk leave nothing behind; a power cut may. Only folders made
// here are removed, by descriptors and inodes: whatever else lies at their paths by then stays, and no link is followed.
#pragma once

#include <string>
#include <utility>

#include "pool/process/keeper.h"

namespace cultivar {

class UnlessFinished {
public:
    // `folder` is absent, or empty: then it stays, and is filled. Folders on the way to it that are absent are made, and
    // go too. Only while this process has one thread. Errors: io.
    static Result<UnlessFinished> make(const std::string& folder);
    UnlessFinished(UnlessFinished&& other) noexcept;
    UnlessFinished& operator=(UnlessFinished&&) = delete;
    ~UnlessFinished();  // returns once everything is gone, if it is not finished

    const std::string& path() const { return path_; }  // an empty folder, to be filled
    // Puts it where it belongs. Errors: io (something lies there by now; nothing is replaced).
    Result<void> finish();

private:
    UnlessFinished(Keeper keeper, int place, bool fills, std::string path, std::string target)
        : keeper_(std::move(keeper)),
          place_(place),
          fills_(fills),
          path_(std::move(path)),
          target_(std::move(target)) {}
    Keeper keeper_;
    int place_;                  // the folder that `path_` lies in
    bool fills_;                 // is `target_` that folder, and stays?
    std::string path_, target_;  // absolute
};

}  // namespace cultivar
