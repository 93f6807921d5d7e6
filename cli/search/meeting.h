// An exploration's meetings with the others: it pulls at the start and every 30 minutes, and pushes if it is asked to.
// Being offline is none of its errors.
#pragma once

#include <atomic>
#include <mutex>

#include "cli/search/search_observer.h"
#include "cli/session/session.h"
#include "pool/util/clock.h"

namespace cultivar {

class Meeting {
public:
    // All of them must outlive it. `propose`: pushes too.
    Meeting(SearchObserver& observer, const Clock& clock, Session& session, bool propose)
        : observer_(observer), clock_(clock), session_(session), propose_(propose) {}

    // Errors of each: interrupted, io, and those of git on this machine.
    Result<void> pull();
    Result<bool> again_if_due();  // did it pull? Not where another thread is at it.
    Result<void> push();          // nothing if it is not asked to
    // After a signal: the same within 20 s, whatever came.
    Result<void> push_after_stop();

    // The seconds that the last push may take, by the slowest meeting so far; 0: there will be none.
    double push_s() const;

    // From now on several threads may ask whether it is due and for push_s().
    void share() { shared_ = true; }

private:
    Result<void> push_unless(const std::function<bool()>& stop);

    SearchObserver& observer_;
    const Clock& clock_;
    Session& session_;
    const bool propose_;
    bool shared_ = false;
    std::mutex meeting_;
    std::atomic<bool> remote_ = false;
    double pulled_s_ = 0;
    std::atomic<double> slowest_s_ = 0;
};

}  // namespace cultivar
