#include "train/lm/trainer.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "pool/digest.h"
#include "pool/file.h"
#include "train/clock.h"
#include "train/lm/build_info.h"
#include "train/lm/caps.h"
#include "train/lm/checkpoint.h"
#include "train/lm/lanes.h"
#include "train/lm/memory.h"
#include "train/lm/model.h"
#include "train/lm/optimizer.h"
#include "train/lm/quantize.h"
#include "train/lm/schedule.h"
#include "train/lm/score.h"
#include "train/lm/stop.h"
#include "train/lm/token_stream.h"

namespace cultivar {
namespace {

constexpr double kCheckpointEvery_s = 30;
constexpr std::int64_t kMicroBatchTokens = 1024;  // activations of a layer stay near the cache
constexpr double kHopeless = 4;                   // a cold estimate this far over the budget needs no second look

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The training clock: runs from construction, but not while something is excluded.
class RunClock {
public:
    explicit RunClock(double elapsed_s) : offset_s_(now_s() - elapsed_s) {}
    double elapsed_s() const { return now_s() - offset_s_; }

    template <typename Work>
    auto exclude(Work work) {
        const double began_s = now_s();
        auto result = work();
        offset_s_ += now_s() - began_s;
        return result;
    }

private:
    double offset_s_;
};

// How a step is cut up: micro-batches of whole rows, taken in turn by the lanes.
struct StepPlan {
    std::int64_t tokens;        // of a step
    std::int64_t micro_tokens;  // of a micro-batch; the last one may be smaller
    std::int64_t batches;       // micro-batches of a step
    std::int64_t lanes;

    explicit StepPlan(const LmConfig& config) : tokens(config.tokens_per_step) {
        const std::int64_t row = config.model.seq_len, rows = tokens / row, threads = at::get_num_threads();
        const std::int64_t per_thread = (rows + threads - 1) / threads;
        micro_tokens = row * std::clamp<std::int64_t>(kMicroBatchTokens / row, 1, per_thread);
        batches = (tokens + micro_tokens - 1) / micro_tokens;
        lanes = lanes_for(batches);
    }
    // Tokens of a step's micro-batch and the one after them.
    std::span<const std::int64_t> micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const {
        const std::int64_t begin = batch * micro_tokens, count = std::min(micro_tokens, tokens - begin);
        return step.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count + 1));
    }
};

class Run {
public:
    Run(const Specification& specification, const LmConfig& config, TokenStream stream, const Emit& emit)
        : specification_(specification),
          config_(config),
          emit_(emit),
          stream_(std::move(stream)),
          plan_(config),
          model_(config.model, plan_.lanes),
          optimizer_(model_, config.optim),
          digest_(sha256_hex(to_json(specification))),
          tokens_(static_cast<std::size_t>(config.tokens_per_step + 1)) {}

    Outcome<DoneEvent> operator()() {
        const auto checkpoint = Checkpoint::read(specification_.work_dir, digest_, model_.layout().size);
        if (checkpoint) progress_ = checkpoint->progress();
        emit_(StartEvent{trainer_name(specification_.threads), model_.layout().size,
                         config_.model.forward_flops_per_token(), progress_.elapsed_s});
        model_.initialise(specification_.seed);
        TRY(prime(!checkpoint));
        reset();
        if (checkpoint) checkpoint->restore(state());
        stream_.seek(progress_.position);
        TRY(train_to_budget());
        emit_(EvalEvent{});
        return artifact_and_score();
    }

private:
    StateView state() {
        return {model_.value_floats(), optimizer_.first_moment_floats(), optimizer_.second_moment_floats()};
    }

    void reset() {
        model_.initialise(specification_.seed);
        for (std::span<float> moments : {optimizer_.first_moment_floats(), optimizer_.second_moment_floats()}) {
            std::fill(moments.begin(), moments.end(), 0.0F);
        }
        model_.clear_gradients();
    }

    // Runs micro-batches 0 to batches - 1 of the step in tokens_ and gathers their gradients; the sum of the losses.
    double run_micro_batches(std::int64_t batches) {
        const double weight = 1.0 / static_cast<double>(plan_.tokens);
        std::vector<double> sums(static_cast<std::size_t>(batches));
        run_lanes(plan_.lanes, [&](std::int64_t lane) {
            for (std::int64_t batch = lane; batch < batches && !stop_requested(); batch += plan_.lanes) {
                sums[static_cast<std::size_t>(batch)] =
                    model_.accumulate(lane, plan_.micro_batch(tokens_, batch), weight);
            }
        });
        model_.gather_gradients();
        return std::accumulate(sums.begin(), sums.end(), 0.0);
    }

    // Seconds that one step would take, judging by one micro-batch a lane and, if wanted, one update.
    Outcome<double> estimate_step_s(bool with_update) {
        const auto count = static_cast<std::size_t>(std::min(plan_.tokens, plan_.lanes * plan_.micro_tokens));
        stream_.seek(0);
        TRY(blame("data", stream_.take(std::span(tokens_).first(count + 1))));
        const double began_s = now_s();
        run_micro_batches(plan_.lanes);
        double step_s = (now_s() - began_s) * static_cast<double>(plan_.tokens) / static_cast<double>(count);
        if (with_update) {
            const double update_s = now_s();
            optimizer_.step(0, 1);
            step_s += now_s() - update_s;
        }
        if (stop_requested()) return fail(ErrorEvent{kInterrupted, "asked to stop while priming"});
        return step_s;
    }

    // The first pass also pays for page faults and the libraries' own start-up, and any may meet a busy moment of the
    // machine: the better of two warm ones decides a near miss.
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
                                            plan_.tokens, step_s, step_s < 100 ? 1 : 0, budget_s)});
    }

    Outcome<void> train_to_budget() {
        RunClock clock(progress_.elapsed_s);
        double saved_s = progress_.elapsed_s;
        while (another_step_fits()) {
            TRY(one_step(clock));
            const bool last = !another_step_fits();
            if (last || progress_.elapsed_s - saved_s >= kCheckpointEvery_s) {
                TRY(clock.exclude([&] { return save(); }));
                saved_s = progress_.elapsed_s;
            }
        }
        return {};
    }

    // The budget is a cap: a step that at the mean pace so far would end beyond it is not begun. Otherwise a long step
    // would buy up to twice the budget.
    bool another_step_fits() const {
        const double steps = static_cast<double>(progress_.step);
        return progress_.step == 0 || progress_.elapsed_s * (steps + 1) / steps <= specification_.budget_s;
    }

    Outcome<void> one_step(RunClock& clock) {
        TRY(blame("data", stream_.take(tokens_)));
        const double loss = run_micro_batches(plan_.batches) / static_cast<double>(plan_.tokens);
        if (stop_requested()) return abandon_step();
        if (!std::isfinite(loss)) {
            return fail(ErrorEvent{"diverged", fmt::format("the loss of step {} is not finite", progress_.step + 1)});
        }
        const double before_s = progress_.elapsed_s;
        optimizer_.step(progress_.step,
                        lr_multiplier(progress_.step, before_s, specification_.budget_s, config_.schedule));
        progress_ = {progress_.step + 1, stream_.position(), clock.elapsed_s()};
        emit_(StepEvent{progress_.step, progress_.elapsed_s, before_s, loss, progress_.step * plan_.tokens});
        return {};
    }

    Outcome<void> abandon_step() {
        if (progress_.step > 0) TRY(save());
        return fail(ErrorEvent{kInterrupted, "asked to stop"});
    }

    Outcome<void> save() {
        return blame("internal", write_checkpoint(specification_.work_dir, digest_, progress_, state()));
    }

    Outcome<DoneEvent> artifact_and_score() {
        TRY_ASSIGN(const Artifact artifact, blame("diverged", quantize(model_.layout(), model_.value_floats())));
        TRY_ASSIGN(const std::string bytes, blame("internal", pack_artifact(artifact)));
        const auto size_bytes = static_cast<std::int64_t>(bytes.size());
        if (size_bytes > specification_.artifact_cap_bytes) {
            return fail(ErrorEvent{"unfit", fmt::format("artifact of {} bytes is over the cap of {}", size_bytes,
                                                        specification_.artifact_cap_bytes)});
        }
        TRY(blame("internal", write_file_atomically(specification_.artifact, {bytes})));
        TRY_ASSIGN(Score score,
                   score_artifact(config_.model, bytes, specification_.val_shard, specification_.byte_table, {}));
        DoneEvent done;
        done.steps = progress_.step;
        done.tokens = progress_.step * plan_.tokens;
        done.train_s = progress_.elapsed_s;
        done.artifact = specification_.artifact;
        done.artifact_bytes = size_bytes;
        done.parameters = model_.layout().size;
        set_score(done, std::move(score));
        return done;
    }

    const Specification& specification_;
    LmConfig config_;
    const Emit& emit_;
    TokenStream stream_;
    StepPlan plan_;
    Model model_;
    Optimizer optimizer_;
    std::string digest_;
    std::vector<std::int64_t> tokens_;  // of one step, and one more
    Progress progress_;
};

}  // namespace

Outcome<DoneEvent> train(const Specification& specification, const Emit& emit) {
    TRY_ASSIGN(const LmConfig config, blame("usage", read_lm_config(specification.genes, specification.vocabulary)));
    TRY(check_caps(specification.caps, config.model));
    const StepPlan plan(config);
    TRY(check_memory(config.model, make_layout(config.model).size, plan.micro_tokens, plan.lanes));
    TRY(check_validation(specification.val_shard, specification.byte_table, specification.vocabulary));
    TRY_ASSIGN(TokenStream stream,
               blame("data", TokenStream::open(specification.train_shards, specification.vocabulary)));
    Run run(specification, config, std::move(stream), emit);
    return run();
}

}  // namespace cultivar
