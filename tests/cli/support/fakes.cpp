#include "tests/cli/support/fakes.h"

#include <algorithm>
#include <numbers>

#include "pool/util/file.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

DoneEvent score_of(double val_loss) {
    const ValidationPart slice = tiny_task().data->slice_score;
    const auto targets = static_cast<double>(slice.targets);
    DoneEvent done;
    done.val_loss = val_loss;
    done.val_bpb = val_loss / std::numbers::ln2 * targets / static_cast<double>(slice.bytes);
    done.chunk_loss_sums.assign(kScoreChunks, val_loss * targets / kScoreChunks);
    return done;
}

Outcome done_with(const DoneEvent& done) {
    Outcome outcome;
    outcome.how = Outcome::How::done;
    outcome.exit_code = 0;
    outcome.done = done;
    outcome.wall_s = 1;
    return outcome;
}

}  // namespace

int FakeObserver::count(const std::string& event) const { return static_cast<int>(std::ranges::count(events, event)); }

Result<Outcome> FakeWorker::run(const WorkerJob& job, const Listener& listener, const std::function<bool()>& stop) {
    jobs.push_back(job);
    const Specification& specification = job.specification;
    if (specification.mode == Specification::Mode::bench) {
        DoneEvent done;
        done.flops_per_s = 1e11;
        return done_with(done);
    }
    if (specification.mode == Specification::Mode::score) {
        listener(StartEvent{"fake", 1234, 2468, 0, 0});
        return done_with(score_of(val_loss));
    }
    if (training) return training(job, listener, stop);
    val_loss -= 0.1;
    return train(job, listener, val_loss);
}

Outcome FakeWorker::train(const WorkerJob& job, const Listener& listener, double val_loss, int steps) {
    listener(StartEvent{"fake", 1234, 2468, 0, 0});
    const double budget_s = job.specification.budget_s;
    for (int step = 1; step <= steps; ++step) {
        const double elapsed_s = budget_s * step / steps, before_s = budget_s * (step - 1) / steps;
        const StepEvent event{step, elapsed_s, before_s, val_loss + 1.0 / step, step * 100};
        if (listener(event) == Advice::go_on) continue;
        Outcome outcome;
        outcome.how = Outcome::How::hopeless;
        outcome.message = "stopped as hopeless";
        return outcome;
    }
    listener(EvalEvent{});
    must(write_file_atomically(job.specification.artifact, "weights of " + std::to_string(job.specification.seed)));
    DoneEvent done = score_of(val_loss);
    done.steps = steps;
    done.tokens = steps * 100;
    done.train_s = budget_s;
    return done_with(done);
}

Outcome FakeWorker::stopped(double wall_s) {
    Outcome outcome;
    outcome.how = Outcome::How::stopped;
    outcome.exit_code = 143;
    outcome.wall_s = wall_s;
    return outcome;
}

Outcome FakeWorker::failed(const std::string& kind, const std::string& message) {
    Outcome outcome;
    outcome.how = Outcome::How::error_event;
    outcome.exit_code = 1;
    outcome.error = ErrorEvent{kind, message};
    outcome.message = message;
    return outcome;
}

}  // namespace cultivar
