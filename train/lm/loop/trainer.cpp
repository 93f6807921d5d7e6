#include "train/lm/loop/trainer.h"

#include <fmt/format.h>
#include <algorithm>

#include <cmath>

#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "train/lm/config/cap_check.h"
#include "train/lm/config/memory_estimate.h"
#include "train/lm/loop/build_info.h"
#include "train/lm/loop/run_clock.h"
#include "train/lm/loop/scorer.h"
#include "train/lm/loop/stepper.h"
#include "train/lm/loop/stop_signal.h"
#include "train/lm/loop/token_stream.h"
#include "train/lm/model/quantize.h"

namespace cultivar {
namespace {

// Shares of checkpoint_s. If a step ends soon it is better to wait, since a checkpoint within a step is larger.
constexpr double kSaveAfterStep = 0.5, kSaveWithinStep = 0.8, kKeepPart = 0.15;
constexpr double kHopeless = 4;  // a cold estimate over this multiple of the budget is not repeated

double memory_bytes(const LmConfig& config, const StepPlan& plan) {
    const double tokens_bytes = static_cast<double>(sizeof(std::int64_t)) * static_cast<double>(plan.tokens);
    return tokens_bytes + training_memory_bytes(config, make_layout(config.model).size, plan.micro_tokens, plan.lanes);
}

// The digest includes the version, since another version's checkpoint may have another meaning.
std::string run_digest(const Specification& specification) {
    return sha256_hex(trainer_name(specification.threads) + to_json(specification));
}

class TimedRun {
public:
    TimedRun(const Specification& specification, const LmConfig& config, at::Device device, double memory_bytes,
             TokenStream stream, const Emit& emit)
        : specification_(specification),
          config_(config),
          device_(device),
          memory_bytes_(memory_bytes),
          emit_(emit),
          stream_(std::move(stream)),
          stepper_(std::make_unique<Stepper>(config, device)),
          clock_(make_run_clock(specification)),
          digest_(run_digest(specification)),
          tokens_(static_cast<std::size_t>(config.tokens_per_step + 1)) {}

    Outcome<DoneEvent> operator()() {
        const auto checkpoint = Checkpoint::read(specification_.work_dir, digest_, checkpoint_shape());
        if (checkpoint) progress_ = checkpoint->progress();
        emit_(StartEvent{trainer_name(specification_.threads), stepper_->layout().size,
                         config_.model.forward_flops_per_token(), progress_.elapsed_s, memory_bytes_});
        stepper_->start(specification_.seed);
        if (specification_.clock.empty()) TRY(prime(!checkpoint));
        stepper_->start(specification_.seed);
        if (checkpoint) restore(*checkpoint);
        TRY(train_to_end());
        if (specification_.mode == Specification::Mode::replay) return replayed();
        emit_(EvalEvent{});
        return artifact_and_score();
    }

private:
    CheckpointShape checkpoint_shape() const {
        return {stepper_->state_floats(), static_cast<std::size_t>(stepper_->plan().lanes),
                static_cast<std::size_t>(stepper_->layout().size)};
    }

    void restore(const Checkpoint& checkpoint) {
        const bool within_step = !progress_.lanes.empty();
        checkpoint.restore(stepper_->checkpoint_floats(within_step));
        stepper_->checkpoint_floats_were_written();
        if (within_step) stepper_->lanes() = progress_.lanes;
        stream_.seek(progress_.position);
    }

    // Estimates the seconds of one step from one micro-batch per lane and, if wanted, one update.
    Outcome<double> estimate_step_s(bool with_update) {
        const StepPlan& plan = stepper_->plan();
        const auto count = static_cast<std::size_t>(std::min(plan.tokens, plan.lanes * plan.micro_tokens));
        stream_.seek(0);
        TRY(blame("data", stream_.take(std::span(tokens_).first(count + 1))));
        stream_.seek(0);
        const double gathering_since_s = clock_->now_s();
        stepper_->accumulate(tokens_, plan.lanes, stop_requested);
        double step_s =
            (clock_->now_s() - gathering_since_s) * static_cast<double>(plan.tokens) / static_cast<double>(count);
        const double updating_since_s = clock_->now_s();
        if (with_update) {
            stepper_->update(0, 0, specification_.budget_s);
            step_s += clock_->now_s() - updating_since_s;
        }
        stepper_->abandon();
        if (stop_requested()) return fail(ErrorEvent{kInterrupted, "asked to stop while priming"});
        return step_s;
    }

    // The first pass also includes page faults and the libraries' own start-up, and any pass may meet a busy moment of
    // the machine. The better of two warm passes therefore decides a near miss.
    Outcome<void> prime(bool may_refuse) {
        const double budget_s = specification_.budget_s;
        TRY_ASSIGN(double step_s, estimate_step_s(false));
        if (step_s <= kHopeless * budget_s || !may_refuse) {
            TRY_ASSIGN(step_s, estimate_step_s(true));
            if (may_refuse && step_s > budget_s) {
                TRY_ASSIGN(const double again_s, estimate_step_s(true));
                step_s = std::min(step_s, again_s);
            }
        }
        if (!may_refuse || step_s <= budget_s) return {};
        return fail(
            ErrorEvent{"unfit", fmt::format("a step of {} tokens would take about {:.{}f} s here, the budget is "
                                            "{:g} s",
                                            stepper_->plan().tokens, step_s, step_s < 100 ? 1 : 0, budget_s)});
    }

    bool another_step() const { return clock_->another_step(progress_.step, progress_.reached_s); }

    Outcome<void> train_to_end() {
        clock_->start(progress_.elapsed_s, progress_.wall_s);
        unsaved_.restart();
        while (another_step()) {
            TRY(one_step());
            if (!another_step() || unsaved_.elapsed_s() >= kSaveAfterStep * specification_.checkpoint_s) {
                TRY(save(false));
            }
        }
        return {};
    }

    Outcome<void> one_step() {
        if (stop_requested()) return leave(false);
        const Stopwatch part;
        TRY(blame("data", stream_.take(tokens_)));
        const auto pause = [&] {
            return stop_requested() || unsaved_.elapsed_s() >= kSaveWithinStep * specification_.checkpoint_s;
        };
        stepper_->begin(progress_.reached_s, specification_.budget_s);
        while (!stepper_->accumulate(tokens_, stepper_->plan().batches, pause)) {
            if (stop_requested()) return leave(part.elapsed_s() >= kKeepPart * specification_.checkpoint_s);
            TRY(save(true));
        }
        const double loss = stepper_->loss(), before_s = progress_.reached_s;
        if (!std::isfinite(loss)) {
            return fail(ErrorEvent{"diverged", fmt::format("the loss of step {} is not finite", progress_.step + 1)});
        }
        stepper_->update(progress_.step, before_s, specification_.budget_s);
        const std::int64_t step = progress_.step + 1;
        const double reached_s = clock_->elapsed_s(step);
        progress_ = {step, stream_.position(), reached_s, reached_s, clock_->wall_s(), {}};
        emit_(StepEvent{step, reached_s, before_s, loss, step * stepper_->plan().tokens, progress_.wall_s,
                        clock_->here_s()});
        return {};
    }

    Outcome<void> leave(bool keep_part) {
        if (keep_part || progress_.step > 0) TRY(save(keep_part));
        return fail(ErrorEvent{kInterrupted, "asked to stop"});
    }

    // If the step's part is not kept, its time does not count either.
    Outcome<void> save(bool within_step) {
        Progress now = progress_;
        now.lanes = within_step ? stepper_->lanes() : std::vector<LaneProgress>{};
        if (within_step) now.elapsed_s = clock_->elapsed_s(now.step), now.wall_s = clock_->wall_s();
        clock_->pause();
        auto written =
            write_checkpoint(specification_.work_dir, digest_, now, stepper_->checkpoint_floats(within_step));
        clock_->go_on();
        unsaved_.restart();
        return blame("internal", std::move(written));
    }

    DoneEvent replayed() const {
        DoneEvent done;
        done.replayed_steps = progress_.step;
        done.tokens = progress_.step * stepper_->plan().tokens;
        done.train_s = progress_.reached_s;
        return done;
    }

    Outcome<std::string> finished_artifact() {
        const Layout layout = stepper_->layout();
        const std::vector<float> values = stepper_->result();
        stepper_.reset();
        TRY_ASSIGN(const Artifact artifact, blame("diverged", quantize(layout, config_.artifact, values)));
        return blame("internal", pack_artifact(artifact, config_.artifact.compressor));
    }

    Outcome<DoneEvent> artifact_and_score() {
        DoneEvent done;
        done.steps = progress_.step;
        done.tokens = progress_.step * stepper_->plan().tokens;
        done.train_s = progress_.reached_s;
        done.parameters = stepper_->layout().size;
        done.artifact = specification_.artifact;
        TRY_ASSIGN(const std::string bytes, finished_artifact());
        done.artifact_bytes = static_cast<std::int64_t>(bytes.size());
        if (done.artifact_bytes > specification_.artifact_cap_bytes) {
            return fail(ErrorEvent{"unfit", fmt::format("artifact of {} bytes is over the cap of {}",
                                                        done.artifact_bytes, specification_.artifact_cap_bytes)});
        }
        TRY(blame("internal", write_file_atomically(specification_.artifact, bytes)));
        TRY_ASSIGN(Score score,
                   score_artifact(config_, device_, bytes, specification_.val_shard, specification_.byte_table, {}));
        set_score(done, std::move(score));
        return done;
    }

    const Specification& specification_;
    LmConfig config_;
    at::Device device_;
    double memory_bytes_;  // expected
    const Emit& emit_;
    TokenStream stream_;
    std::unique_ptr<Stepper> stepper_;  // reset after training: scoring needs the memory
    std::unique_ptr<RunClock> clock_;
    std::string digest_;
    std::vector<std::int64_t> tokens_;  // tokens of one step and one more
    Progress progress_;                 // as of the last finished step; the stepper has the progress within a step
    Stopwatch unsaved_;                 // since the last checkpoint
};

}  // namespace

Outcome<DoneEvent> train(const Specification& specification, at::Device device, const Emit& emit) {
    TRY_ASSIGN(const LmConfig config, blame("usage", read_lm_config(specification.genes, specification.vocabulary)));
    TRY(check_caps(specification.caps, config.model));
    const StepPlan plan(config, device);
    const double needed_bytes = memory_bytes(config, plan);
    if (device.is_cpu()) TRY(check_memory(needed_bytes));
    if (specification.mode == Specification::Mode::train) {
        TRY(check_validation(specification.val_shard, specification.byte_table, specification.vocabulary));
    }
    TRY_ASSIGN(TokenStream stream,
               blame("data", TokenStream::open(specification.train_shards, specification.vocabulary)));
    TimedRun run(specification, config, device, needed_bytes, std::move(stream), emit);
    return run();
}

}  // namespace cultivar
