// A verifier's clone with a stranger's claims, a worker that answers what a test wants, and a clock that stands still.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/verify/audit_round.h"
#include "pool/storage/artifact_commit.h"
#include "pool/util/sha256.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {

class CollectingObserver final : public Observer {
public:
    bool interrupted() const override { return stop; }
    void note(std::string_view line) override { notes.emplace_back(line); }
    void warn(std::string_view line) override { warnings.emplace_back(line); }

    bool stop = false;
    std::vector<std::string> notes, warnings;
};

class StandingClock final : public Clock {
public:
    double now_s() const override { return seconds; }
    std::int64_t unix_s() const override { return unix; }
    void sleep_s(double) const override {}

    double seconds = 0;
    std::int64_t unix = 1795240000;
};

// Scores a chunk as `chunk_losses` say, replays `replay_losses`, and scores the fresh seeds `fresh_bpb` one after the other.
// Each job takes `job_s` of the clock.
class FakeWorker final : public Worker {
public:
    explicit FakeWorker(StandingClock& clock) : clock_(clock) {}

    Result<std::vector<std::string>> check() const override {
        if (gone) return fail(*gone);
        return gaps;
    }
    Result<std::string> digest() const override { return std::string(64, 'd'); }
    Result<Outcome> run(const WorkerJob& job, const Listener& listener, const std::function<bool()>& stop) override {
        jobs.push_back(job.specification);
        limits_s.push_back(job.wall_limit_s);
        clock_.seconds += job_s;
        if (fault) {
            if (auto why = fault(job.specification)) return fail(*why);
        }
        Outcome outcome;
        outcome.how = stop() ? Outcome::How::stopped : how;
        if (job.specification.mode == Specification::Mode::train && train_how) outcome.how = *train_how;
        outcome.message = message;
        outcome.error = error;
        if (outcome.how != Outcome::How::done) return outcome;
        listener(StartEvent{"fake 1", parameters, 2468, 0, 0});
        outcome.done.emplace();
        switch (job.specification.mode) {
            case Specification::Mode::score:
                if (evaluated) {
                    const bool hidden = !job.specification.val_shard.empty();
                    outcome.done->score = hidden ? on_hold_out(job.specification) : evaluated;
                    if (hidden && !outcome.done->score) return unscored();
                    break;
                }
                for (int chunk : job.specification.chunks)
                    outcome.done->chunk_loss_sums.push_back(chunk_losses.at(static_cast<std::size_t>(chunk)) *
                                                            (1 + apart * static_cast<double>(jobs.size())));
                break;
            case Specification::Mode::replay:
                for (double loss : replay_losses) {
                    clock_.seconds += replay_step_s;
                    listener(StepEvent{0, 0, 0, loss, 0});
                }
                break;
            default:
                outcome.done->val_bpb = fresh_bpb.at(trained++ % fresh_bpb.size());
                outcome.wall_s = wall_s;
        }
        return outcome;
    }
    std::size_t count(Specification::Mode mode) const {
        return static_cast<std::size_t>(
            std::count_if(jobs.begin(), jobs.end(), [&](const Specification& one) { return one.mode == mode; }));
    }

    std::vector<std::string> gaps{};
    std::optional<Error> gone{};
    std::vector<Specification> jobs{};
    std::vector<double> limits_s{};  // of these jobs
    std::vector<double> chunk_losses, replay_losses{6.9, 6.5}, fresh_bpb;
    std::int64_t parameters = 1234;
    Outcome::How how = Outcome::How::done;
    std::optional<Outcome::How> train_how{};                            // of trainings alone
    std::function<std::optional<Error>(const Specification&)> fault{};  // a job that could not be started
    std::string message{};
    std::optional<ErrorEvent> error{};
    double job_s = 1, replay_step_s = 0;
    double wall_s = 0;                  // that a training says it took
    std::optional<double> evaluated{};  // the score that an evaluator gives, in place of chunks
    std::function<std::optional<double>(const Specification&)> on_hold_out = [](const Specification&) {
        return std::optional<double>();  // it has none there
    };
    double apart = 0;  // by this share the losses grow with every job, as those of different weights differ
    std::size_t trained = 0;

private:
    static Outcome unscored() {
        Outcome outcome;
        outcome.how = Outcome::How::died;
        outcome.message = "no such row: the secret";
        return outcome;
    }
    StandingClock& clock_;
};

class VerifyTest : public IndexTest {
protected:
    static constexpr const char* kCategory = "cpu-20s-e10.5";

    explicit VerifyTest(const Task& task = tiny_task(), const MainFiles& files = {})
        : IndexTest(task, files), worker_(clock_) {
        if (ann_.task.data) {
            const Data& data = *ann_.task.data;
            std::filesystem::create_directories(ann_.data_dir());
            for (const std::string& name :
                 {data.train[0].name, data.train[1].name, data.slice.name, data.byte_table.name})
                must(write_file_atomically(ann_.data_dir() + name, ""));
        }
        be_of_the_category();
    }

    // This machine's speed is known, and of the claims' category or of another.
    void be_of_the_category(bool same = true) {
        must(write_file_atomically(
            ann_.state_dir + "speed.json",
            fmt::format(R"([{{"device":"cpu","threads":1,"flops_per_s":{}}}])", same ? 4e10 : 4e6)));
    }
    // A run that can be replayed, whose weights lie here.
    cultivar::Run run_of(const Stranger& writer, const Genes& changes, double val_loss, int replicate = 0) {
        auto run = scored_run(ann_.task, writer.writer, changes, val_loss, replicate);
        run.steps = 2, run.curve = {};
        run.trace_loss = {6.9 + val_loss * 1e-6, 6.5 - replicate * 1e-6};
        const std::string weights = "weights of " + run.candidate;
        run.artifact = sha256_hex(weights), run.artifact_bytes = static_cast<std::int64_t>(weights.size());
        must(store_artifact(ann_.repo, run.artifact, weights));
        return run;
    }
    // Publishes the runs with a claim of them, and lets the worker find of the claim's weights what its first run says.
    Claim claim(const Stranger& writer, const std::vector<cultivar::Run>& runs) {
        std::vector<Record> records(runs.begin(), runs.end());
        Claim made = claim_of(ann_, runs);
        made.writer = writer.writer;
        records.emplace_back(made);
        publish(writer, records);
        worker_.chunk_losses = runs.front().chunk_loss_sums;
        worker_.replay_losses = runs.front().trace_loss;
        worker_.fresh_bpb = {*runs.front().val_bpb, *runs.front().val_bpb + 0.001, *runs.front().val_bpb + 0.002};
        return made;
    }
    Session session() {
        Session open;
        open.clone = std::make_unique<Clone>(world_.reopen("ann"));
        open.index = std::make_unique<Index>(must(Index::open(*open.clone)));
        open.settings.threads = {1, "flag"};
        return open;
    }
    // Judges the first claim that waits this far, whatever its worth, and writes the verdict.
    Verdict write_judged(PlannedAudit audit) {
        Session open = session();
        QueuedClaim one = must(waiting_claims(open)).claims.at(0);
        one.plan = {audit, "because", false};
        Verifier verifier = must(Verifier::make(tools(), open));
        Verdict verdict = must(verifier.judge(one));
        must(verifier.write({verdict}));
        ++clock_.unix;
        return verdict;
    }
    std::string word_of(const std::string& candidate) {
        Session open = session();
        for (const Standing& one : must(open.index->standings(kCategory))) {
            if (one.candidate == candidate) return one.verdict;
        }
        return "?";
    }
    VerifierTools tools() {
        EnergyPlaces nowhere;  // a machine without counters
        nowhere.powercap = nowhere.hwmon = nowhere.power_supply = nowhere.nvml = "/nonexistent";
        return {observer_, worker_, clock_, {}, nowhere};
    }
    // A run of Ann's own, whose seconds pay for verification, 0.05 of them.
    void search(double seconds) {
        auto run = scored_run(ann_.task, ann_.writer, {{"optim.lr", 0.5}}, 3.0);
        run.decision = Decision::reverted;
        run.wall_s = run.budget_s = seconds;
        run.category = fmt::format("cpu-{}s-e10.5", seconds);
        spool(ann_, run);
    }
    // As if this clone had met the records of `who` by an earlier refresh.
    void seen_before(const Stranger& who) {
        must(Index::open(ann_));
        Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
        must(database.execute(
            fmt::format("UPDATE record SET seen_s = seen_s - 100 WHERE writer = '{}'", who.writer).c_str()));
    }
    // The verdict on the first claim that waits, audited this far.
    Verdict judge(PlannedAudit audit = {Tier::replay, AuditExtent::sample}, bool cut = false) {
        Session open = session();
        ClaimQueue queue = must(waiting_claims(open));
        QueuedClaim& one = queue.claims.at(0);
        one.plan = {audit, "because", cut};
        return must(must(Verifier::make(tools(), open)).judge(one));
    }
    AuditRound audit(const RoundOptions& options = {}, const RoundListener& listener = {}) {
        Session open = session();
        ClaimQueue queue = must(waiting_claims(open, clock_.unix_s()));
        const VerificationBudget share = allowance(open.clone->task, must(open.index->totals()));
        return must(audit_round(tools(), open, std::move(queue), share, options, listener));
    }

    StandingClock clock_;
    CollectingObserver observer_;
    FakeWorker worker_;
    Stranger bob_ = stranger("bob");
};

}  // namespace cultivar
