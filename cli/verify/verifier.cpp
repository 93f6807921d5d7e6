#include "cli/verify/verifier.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/runs/artifact_files.h"
#include "cli/runs/specification.h"
#include "cli/verify/gap_review.h"
#include "cli/verify/record_rule.h"
#include "eval/judge/certainty.h"
#include "eval/judge/rescore_test.h"
#include "eval/judge/structure_check.h"
#include "pool/clone/trust_roots.h"
#include "pool/git/allowed_signers.h"
#include "pool/storage/segment_log.h"
#include "pool/sync/artifact_store.h"
#include "pool/types/category.h"
#include "pool/util/shared_text.h"

namespace cultivar {

namespace {

// A verdict that stands is not undone by a judgement that failed for a reason outside the claim, which waits to be tried again.
Verdict as_before(const Verdict& before, const Verdict& now) {
    Verdict kept = before;
    kept.reason = "it stands as before; judged again, which failed: " + now.reason;
    if (kept.result == VerdictResult::accepted) {
        kept.reruns = now.reruns;
        kept.plan = {Tier::rerun, AuditExtent::in_full, true};
        if (kept.certainty != Certainty::scored && kept.tier < Tier::rerun) kept.certainty = Certainty::provisional;
    }
    kept.chosen = now.chosen, kept.verifier = now.verifier;
    return kept;
}

// The program that scores an artifact of this task, its data and its tolerance.
void describe_evaluator(const Task& task, Verdict& verdict) {
    if (!task.command) {
        verdict.tolerance_bpb = kRescoreTolerance_bpb;
        verdict.slice = task.data->slice.sha256;
        verdict.data = {{"slice", task.data->slice.sha256}, {"byte_table", task.data->byte_table.sha256}};
        return;
    }
    verdict.evaluator = "command " + command_digest(*task.command).substr(0, 12);
    if (task.command->evaluator) verdict.tolerance_bpb = task.command->evaluator->tolerance;
}

}  // namespace

Result<Verifier> Verifier::make(const VerifierTools& tools, Session& session) {
    const Clone& clone = *session.clone;
    TRY_ASSIGN(const Roots roots, trusted_roots(clone));
    if (!why_not_allowed(roots.now.verifiers, clone.key.fingerprint(), tools.clock.unix_s()).empty())
        return fail(
            Code::usage,
            "this clone's key is none of the pool's verifiers: a maintainer must add it to allowed_signers on main",
            fmt::format("echo '{} namespaces=\"git\" {}' >> allowed_signers", clone.writer, clone.key.public_text()));
    TRY(need_data(clone));
    TRY_ASSIGN(const std::vector<std::string> gaps, tools.worker.check());
    for (const std::string& gap : gaps) tools.observer.warn(gap);
    TRY_ASSIGN(HoldOut hold_out, HoldOut::open(clone));
    Verifier verifier(tools, session, std::move(hold_out));
    TRY_ASSIGN(verifier.evaluator_, tools.worker.digest());
    return verifier;
}

Result<Verdict> Verifier::judge(const QueuedClaim& one) {
    const Clone& clone = *session_.clone;
    const Claim& claim = one.row.claim;
    Verdict verdict;
    verdict.claim = one.row.id;
    verdict.task = clone.task_id;
    verdict.candidate = claim.candidate;
    verdict.artifact = claim.artifact;
    verdict.claimed_bpb = claim.val_bpb;
    describe_evaluator(clone.task, verdict);
    verdict.evaluator_sha256 = evaluator_;
    verdict.verifier = clone.writer;
    verdict.chosen = one.unsound.empty() ? one.plan.why : "the structure tier refused it";
    verdict.plan = one.plan.audit;
    EnergyMeter meter(tools_.clock, plan_energy(tools_.energy_places, energy_use(session_.settings)),
                      kept_idle_powers(tools_.energy_places));
    meter.start();
    worker_->use(&meter);
    const double begun_s = tools_.clock.now_s();
    in_vain_ = false;
    const auto judged = judge_into(one, verdict);
    worker_->use(nullptr);
    if (!judged) TRY(outlive(judged.error(), verdict));
    verdict.earns = verdict.earns || verdict.result != VerdictResult::accepted;
    if (!verdict.earns) verdict.reason += "; it earns no credit: nothing in it shows a run of its key";
    settle_certainty(one, verdict);
    if (verdict.result == VerdictResult::rejected) TRY(hold_out_.forget(verdict.claim));
    const auto& before = one.row.verdict;
    if (in_vain_ && before && before->result != VerdictResult::inconclusive) verdict = as_before(*before, verdict);
    settle_cost(meter, one, tools_.clock.now_s() - begun_s, verdict);
    verdict.at = verdict_time(before, tools_.clock.unix_s());
    return verdict;
}

void Verifier::settle_cost(EnergyMeter& meter, const QueuedClaim& one, double seconds, Verdict& verdict) const {
    Energy energy = meter.stop();
    for (const std::string& trouble : meter.take_troubles()) tools_.observer.warn(clean(trouble));
    limit_seconds(energy, seconds);
    round_figures(energy);
    verdict.seconds = seconds;
    verdict.joules = energy.joules;
    verdict.ratio = one.claim_s > 0 ? seconds / one.claim_s : 0;
    verdict.energy = std::move(energy);
    verdict.zone = session_.settings.zone.value;
}

Result<void> Verifier::judge_into(const QueuedClaim& one, Verdict& verdict) {
    TRY_ASSIGN(std::set<std::string> unsettled, session_.index->unsettled_claims());
    hold_out_.leave_out(std::move(unsettled));
    TRY_ASSIGN(auto reruns, session_.index->reruns(one.row.claim.category));
    verdict.reruns = std::move(reruns[one.row.claim.candidate]);
    TRY(session_.clone->task.command ? check_command_tiers(one, verdict) : check_tiers(one, verdict));
    return apply_suspicions(session_, one.row, verdict);
}

// One claim ends no round, unless this machine can judge none at all.
Result<void> Verifier::outlive(const Error& error, Verdict& verdict) {
    if (error.code == Code::interrupted) return fail(error);
    TRY(need_data(*session_.clone));
    TRY(tools_.worker.check());
    fail_outside(verdict.tier, "it could not be judged: " + error.message, verdict);
    return {};
}

void Verifier::fail_outside(Tier tier, const std::string& reason, Verdict& verdict) {
    in_vain_ = true;
    conclude(verdict, VerdictResult::inconclusive, tier, reason);
}

void Verifier::settle_certainty(const QueuedClaim& one, Verdict& verdict) const {
    if (verdict.result != VerdictResult::accepted || !verdict.plan) return;
    const Category category = category_named(one.row.claim.category);
    const bool here = !session_.clone->task.command &&  // no command's run can be replayed
                      !is_of_another_device(category, session_.settings.device.value);
    const Task& task = session_.clone->task;
    verdict.certainty =
        settled_certainty(*verdict.plan, {verdict.tier, here, owes_gap(task, verdict), task.command.has_value()});
}

Result<std::optional<std::string>> Verifier::artifact_of(const QueuedClaim& one, Verdict& verdict) {
    using Found = std::optional<std::string>;
    const auto git = tools_.open_remote ? tools_.open_remote() : nullptr;
    auto weights = load_artifact(*session_.clone, git.get(), one.row.claim.artifact);
    // Anyone may have put other bytes under that name: the claimant did not sign them, and they say nothing of the
    // claim. Nor does a remote that fails: one claim's artifact stops no other's audit.
    const bool elsewhere = !weights && (weights.error().code == Code::corrupt || weights.error().code == Code::git ||
                                        weights.error().code == Code::not_found);
    if (elsewhere) {
        fail_outside(Tier::structure,
                     "it cannot be checked, its artifact is missing or replaced: " + weights.error().message, verdict);
        return Found();
    }
    if (!weights) return fail(weights.error());
    if (auto said = check_weights(*one.artifact_run(), *weights); !said) {
        conclude(verdict, VerdictResult::rejected, Tier::structure, said.error().message);
        return Found();
    }
    const auto well = session_.clone->task.command ? check_artifact_form(*weights) : Result<void>();
    if (!well) {
        conclude(verdict, VerdictResult::rejected, Tier::structure, well.error().message);
        return Found();
    }
    return Found(std::move(*weights));
}

void Verifier::not_scored(Verdict& verdict) {
    conclude(verdict, VerdictResult::inconclusive, Tier::structure, "its structure is sound; it was not scored again");
}

// The last conclusion holds.
Result<void> Verifier::check_tiers(const QueuedClaim& one, Verdict& verdict) {
    TRY_ASSIGN(bool sound, check_structure_of(one, verdict));
    if (!sound) return {};
    TRY_ASSIGN(const std::optional<std::string> weights, artifact_of(one, verdict));
    if (!weights) return {};
    if (one.plan.audit.tier < Tier::rescore) return not_scored(verdict), Result<void>();
    TRY_ASSIGN(bool good, rescore(one, *weights, verdict));
    if (good && one.plan.audit.tier >= Tier::replay) {
        TRY_ASSIGN(good, replay(one, verdict));
    }
    if (good)
        TRY(one.plan.audit.tier >= Tier::rerun ? train_again(one, verdict) : hold_against_fresh_seeds(one, verdict));
    if (verdict.result == VerdictResult::accepted && one.plan.cut)
        conclude(verdict, VerdictResult::inconclusive, one.plan.audit.tier, verdict.reason + "; a replay is due");
    return {};
}

Verifier::Tried Verifier::check_structure_of(const QueuedClaim& one, Verdict& verdict) {
    if (one.unsound.empty()) return true;
    conclude(verdict, VerdictResult::rejected, Tier::structure, one.unsound);
    return false;
}

Result<std::vector<Verdict>> Verifier::review() {
    TRY_ASSIGN(std::set<std::string> unsettled, session_.index->unsettled_claims());
    hold_out_.leave_out(std::move(unsettled));
    TRY_ASSIGN(GapReview review, review_gaps(session_, hold_out_, tools_.clock.unix_s()));
    TRY(write(review.verdicts));
    if (!review.judged.empty()) TRY(hold_out_.mark_judged(review.judged));
    for (const Verdict& verdict : review.verdicts) {
        if (verdict.result == VerdictResult::rejected) TRY(hold_out_.forget(verdict.claim));
    }
    return std::move(review.verdicts);
}

Result<std::vector<Verdict>> Verifier::restate(const std::vector<ClaimRow>& grown) {
    std::vector<Verdict> verdicts;
    for (const ClaimRow& row : grown) {
        Verdict& verdict = verdicts.emplace_back(*row.verdict);
        if (!verdict.plan) verdict.plan.emplace();
        verdict.plan->tier = std::min(verdict.plan->tier, Tier::replay);  // no rerun was tried
        verdict.plan->rerun_waits = true;
        verdict.certainty = Certainty::provisional;
        verdict.reason += "; its candidate leads or is much used now, so it owes a rerun";
        verdict.verifier = session_.clone->writer;
        verdict.seconds = verdict.joules = verdict.ratio = 0;
        verdict.energy.reset();
        verdict.at = verdict_time(row.verdict, tools_.clock.unix_s());
    }
    TRY(write(verdicts));
    return verdicts;
}

Result<void> Verifier::write(const std::vector<Verdict>& verdicts) {
    if (verdicts.empty()) return {};
    std::vector<std::string> lines;
    for (Verdict verdict : verdicts) {
        verdict.reason = for_sharing(verdict.reason);
        lines.push_back(to_line(verdict));
    }
    Clone& clone = *session_.clone;
    TRY(append_log(clone.repo, clone.ledger_ref(), lines, clone.identity(), clone.key));
    TRY(session_.index->refresh());
    return {};
}

void conclude(Verdict& verdict, VerdictResult result, Tier tier, const std::string& reason) {
    verdict.result = result;
    verdict.tier = tier;
    verdict.reason = reason;
}

}  // namespace cultivar
