#include "cli/verify/verifier.h"

#include <algorithm>

#include <fmt/format.h>

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
#include "train/launch/energy_meter.h"

namespace cultivar {

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
    const int threads = session.settings.threads.value;
    const double watts = session.settings.watts.value;
    Verifier verifier(tools, session, std::move(hold_out), threads, watts);
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
    verdict.tolerance_bpb = kRescoreTolerance_bpb;
    verdict.slice = clone.task.data->slice.sha256;
    verdict.data = {{"slice", clone.task.data->slice.sha256}, {"byte_table", clone.task.data->byte_table.sha256}};
    verdict.evaluator_sha256 = evaluator_;
    verdict.verifier = clone.writer;
    verdict.chosen = one.plan.why;
    verdict.plan = one.plan.audit;
    TRY_ASSIGN(auto reruns, session_.index->reruns(claim.category));
    verdict.reruns = std::move(reruns[claim.candidate]);
    EnergyMeter energy(tools_.clock, threads_, watts_ > 0 ? std::optional(watts_) : std::nullopt);
    energy.start();
    const double begun_s = tools_.clock.now_s();
    TRY(check_tiers(one, verdict));
    TRY(apply_suspicions(session_, one.row, verdict));
    settle_certainty(one, verdict);
    verdict.seconds = tools_.clock.now_s() - begun_s;
    verdict.joules = energy.stop().joules;
    verdict.ratio = one.claim_s > 0 ? verdict.seconds / one.claim_s : 0;
    verdict.at = verdict_time(one.row.verdict, tools_.clock.unix_s());
    return verdict;
}

void Verifier::settle_certainty(const QueuedClaim& one, Verdict& verdict) const {
    if (verdict.result != VerdictResult::accepted || !verdict.plan) return;
    const Category category = category_named(one.row.claim.category);
    const bool here = !is_of_another_device(category, session_.settings.device.value);
    verdict.certainty = settled_certainty(*verdict.plan, {verdict.tier, here, owes_gap(verdict)});
}

// The last conclusion holds.
Result<void> Verifier::check_tiers(const QueuedClaim& one, Verdict& verdict) {
    TRY_ASSIGN(bool sound, check_structure_of(one, verdict));
    if (!sound) return {};
    const auto git = tools_.open_remote ? tools_.open_remote() : nullptr;
    auto weights = load_artifact(*session_.clone, git.get(), one.row.claim.artifact);
    // Anyone may have put other bytes under that name: the claimant did not sign them, and they say nothing of the
    // claim. Nor does a remote that fails: one claim's artifact stops no other's audit.
    const bool elsewhere = !weights && (weights.error().code == Code::corrupt || weights.error().code == Code::git ||
                                        weights.error().code == Code::not_found);
    if (elsewhere) {
        conclude(verdict, VerdictResult::inconclusive, Tier::structure,
                 "it cannot be checked, its artifact is missing or replaced: " + weights.error().message);
        return {};
    }
    if (!weights) return fail(weights.error());
    if (auto said = check_weights(*one.artifact_run(), *weights); !said) {
        conclude(verdict, VerdictResult::rejected, Tier::structure, said.error().message);
        return {};
    }
    if (one.plan.audit.tier < Tier::rescore) {
        conclude(verdict, VerdictResult::inconclusive, Tier::structure,
                 "its structure is sound; it was not scored again");
        return {};
    }
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
    TRY_ASSIGN(GapReview review, review_gaps(session_, hold_out_, tools_.clock.unix_s()));
    TRY(write(review.verdicts));
    if (!review.judged.empty()) TRY(hold_out_.mark_judged(review.judged));
    return std::move(review.verdicts);
}

Result<void> Verifier::write(const std::vector<Verdict>& verdicts) {
    if (verdicts.empty()) return {};
    std::vector<std::string> lines;
    for (const Verdict& verdict : verdicts) lines.push_back(to_line(verdict));
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
