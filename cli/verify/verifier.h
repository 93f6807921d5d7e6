// Judging a claim, cheapest tier first, as far as its scope says (cli/verify/claim_queue.h): structure, a rescore of
// the artifact by the worker, a replay of its runs' first steps, a rerun with fresh seeds. The first tier that it fails
// ends it.
#pragma once

#include <functional>
#include <memory>

#include "cli/runs/metered_worker.h"
#include "cli/runs/run_meter.h"
#include "cli/runs/score_artifact.h"
#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/verify/claim_queue.h"
#include "cli/verify/hold_out_book.h"
#include "eval/judge/rerun_test.h"
#include "pool/transport/transport.h"
#include "pool/util/clock.h"

namespace cultivar {

inline constexpr const char* kVerifyFolder = "verify";  // of a claim's jobs, below a clone's state

// The world of a verifier. All of it must outlive the verifier.
struct VerifierTools {
    Observer& observer;
    Worker& worker;
    const Clock& clock;
    // For artifacts that are not here; null: only those that are here can be judged. Called once for a claim.
    std::function<std::unique_ptr<Transport>()> open_remote;
    EnergyPlaces energy_places = cultivar::energy_places();
};

void conclude(Verdict& verdict, VerdictResult result, Tier tier, const std::string& reason);
void add_reason(Verdict& verdict, const std::string& reason);
// The worker tells the sums of chunks in ascending order; the book keeps them in the part's.
std::vector<double> in_order(const std::vector<int>& order, const std::vector<double>& ascending);

class Verifier {
public:
    // Errors: usage, when this clone's key is none of the pool's verifiers; not_found (worker, data).
    static Result<Verifier> make(const VerifierTools& tools, Session& session);

    // Gives every claim a verdict. A fault that lies neither in the claim nor in this machine as a whole decides nothing:
    // the verdict that stands stays, else it is inconclusive, and the claim waits to be tried again. Errors: interrupted;
    // not_found (worker, data), io, git: this machine cannot judge at all.
    Result<Verdict> judge(const QueuedClaim& one);

    // Judges nothing, and writes that a rerun is due now of claims that were accepted for good. Errors: io, git.
    Result<std::vector<Verdict>> restate(const std::vector<ClaimRow>& grown);

    // Judges and writes what can be judged only now (cli/verify/gap_review.h). Errors: io, corrupt, git.
    Result<std::vector<Verdict>> review();

    // Appends to this verifier's ledger and signs its tip.
    Result<void> write(const std::vector<Verdict>& verdicts);

    const HoldOut& hold_out() const { return hold_out_; }

private:
    Verifier(const VerifierTools& tools, Session& session, HoldOut hold_out)
        : worker_(std::make_unique<MeteredWorker>(tools.worker)),
          tools_{tools.observer, *worker_, tools.clock, tools.open_remote, tools.energy_places},
          session_(session),
          hold_out_(std::move(hold_out)) {}

    // Each goes on while nothing is concluded.
    using Tried = Result<bool>;
    Result<void> judge_into(const QueuedClaim& one, Verdict& verdict);
    Result<void> outlive(const Error& error, Verdict& verdict);
    void settle_cost(EnergyMeter& meter, const QueuedClaim& one, double seconds, Verdict& verdict) const;
    void settle_certainty(const QueuedClaim& one, Verdict& verdict) const;
    Result<void> check_tiers(const QueuedClaim& one, Verdict& verdict);
    Tried check_structure_of(const QueuedClaim& one, Verdict& verdict);
    Tried rescore(const QueuedClaim& one, const std::string& weights, Verdict& verdict);
    Tried rescore_part(const QueuedClaim& one, const std::string& weights, double slice_bpb, const ServingSlice& part,
                       const std::string& label, Verdict& verdict);
    Tried rescore_elsewhere(const QueuedClaim& one, const std::string& weights, double slice_bpb, Verdict& verdict);
    // Of the hold-out (verifier_hold_out.cpp).
    Result<void> begin_slice(const ServingSlice& slice);
    Tried compare_gap(Appearance here, const ServingSlice& part, const std::string& label, double begun_s,
                      Verdict& verdict);
    Tried evaluate_on_hold_out(const QueuedClaim& one, const std::string& artifact, double measured, Verdict& verdict);
    Tried replay(const QueuedClaim& one, Verdict& verdict);
    Tried replay_one(const QueuedClaim& one, const RunRow& row, Verdict& verdict);
    void compare_pace(const RunRow& row, double here_step_s, Verdict& verdict) const;
    Tried train_again(const QueuedClaim& one, Verdict& verdict);
    Tried hold_against_fresh_seeds(const QueuedClaim& one, Verdict& verdict);
    Result<RerunJudgement> judge_fresh_seeds(const QueuedClaim& one, int looks, Verdict& verdict);
    using ReplicateScores = std::vector<std::vector<double>>;  // of other candidates, one list each
    Result<ReplicateScores> others_of(const Claim& claim);
    Tried one_more_seed(const QueuedClaim& one, Verdict& verdict);
    Result<bool> scored_well(const Scored& scored, std::size_t chunks, Verdict& verdict);
    // Of pools with a command of their own (verifier_command.cpp).
    Result<void> check_command_tiers(const QueuedClaim& one, Verdict& verdict);
    Tried evaluate_again(const QueuedClaim& one, const std::string& artifact, Verdict& verdict);
    bool scored_by_evaluator(const Scored& scored, Verdict& verdict);
    Result<RerunJudgement> judge_command_seeds(const QueuedClaim& one, const std::vector<double>& fresh,
                                               const ReplicateScores& others, int looks) const;
    bool explained_by_speed(const QueuedClaim& one, const Verdict& verdict) const;
    Result<void> settle_credit(const QueuedClaim& one, const RerunJudgement& judgement, Verdict& verdict);
    // The claim's artifact, if it is that of its run; else the verdict is concluded.
    Result<std::optional<std::string>> artifact_of(const QueuedClaim& one, Verdict& verdict);
    static void not_scored(Verdict& verdict);
    // Decides nothing, for a reason that lies outside the claim.
    void fail_outside(Tier tier, const std::string& reason, Verdict& verdict);
    Result<Candidate> candidate_of(const QueuedClaim& one) const;

    std::unique_ptr<MeteredWorker> worker_;  // the one of the tools, watched while a claim is judged
    VerifierTools tools_;
    Session& session_;
    HoldOut hold_out_;
    std::string evaluator_{};  // SHA-256 of the worker's program
    bool in_vain_ = false;     // the judgement under way decides nothing, for a reason outside the claim
};

}  // namespace cultivar
