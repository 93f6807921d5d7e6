// A process of its own that does a duty if this one ends without calling it off, however it ends: SIGKILL too.
#pragma once

#include <functional>

#include "pool/util/result.h"

namespace cultivar {

class Keeper {
public:
    // `duty` runs in a copy of this process that has no open file but `kept`, is out of reach of this one's group and terminal, and
    // passes over signals that ask to stop. If this process has threads, it must make system calls alone. Errors: io.
    static Result<Keeper> start(const std::function<void()>& duty, int kept = -1);
    Keeper(Keeper&& other) noexcept;
    Keeper& operator=(Keeper&&) = delete;
    ~Keeper() { call_off(); }

    void call_off();
    void do_it_now();  // returns when it is done

private:
    Keeper(int pipe, int process) : pipe_(pipe), process_(process) {}
    void wait();
    int pipe_ = -1, process_ = -1;
};

// Ends the group of processes that `leader` leads with SIGKILL once the leader has ended, and after so many seconds at
// most. The leader was asked to stop already: by its own death signal, when its parent was killed.
void end_group(int leader, double grace_s);

}  // namespace cultivar
