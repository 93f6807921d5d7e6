// A pool with two seeds and its data, opened as a command would open it, and all that an engine asks for.
#pragma once

#include "cli/search/exploration.h"
#include "tests/cli/support/fakes.h"
#include "tests/pool/support/world.h"
#include "tests/train/support/fake_clock.h"

namespace cultivar {

class SearchWorld {
public:
    explicit SearchWorld(bool with_seeds = true);

    Result<void> explore(ExploreOptions options) {
        return cultivar::explore(observer, worker, clock, session, std::move(options));
    }
    // The session as the next process would open it.
    void reopen();
    Clone& clone() { return *session.clone; }
    std::string run_folder() const { return session.clone->state_dir + "run/"; }
    std::vector<RunRow> runs() { return must(session.index->runs()); }
    bool has_branch(const std::string& candidate);

    World world;
    FakeClock clock;
    FakeWorker worker;
    FakeObserver observer;
    Session session;
};

// The category that FakeWorker's benchmark gives, for the budget of tiny_task().
inline const std::string kFakeCategory = "cpu-20s-e11";

}  // namespace cultivar
