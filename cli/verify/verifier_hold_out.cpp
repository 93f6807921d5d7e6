// The gap of a claim between public and private data: of the built-in task, and of a command with an evaluator that takes a
// hold-out.
#include <algorithm>

#include <fmt/format.h>

#include "cli/runs/command_runner.h"
#include "cli/verify/gap_review.h"
#include "cli/verify/verifier.h"
#include "eval/judge/audit_cost.h"
#include "eval/judge/rescore_test.h"
#include "pool/sync/artifact_store.h"
#include "pool/util/short_id.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kBeginWith = 12;  // candidates that a slice of the hold-out begins with

}  // namespace

void add_reason(Verdict& verdict, const std::string& reason) {
    verdict.reason += (verdict.reason.empty() ? "" : "; ") + reason;
}

std::vector<double> in_order(const std::vector<int>& order, const std::vector<double>& ascending) {
    std::vector<double> sums;
    for (int chunk : order) {
        const auto place = std::count_if(order.begin(), order.end(), [&](int other) { return other < chunk; });
        sums.push_back(ascending[static_cast<std::size_t>(place)]);
    }
    return sums;
}

// A slice without others to compare with is scored with weights that are here already, so that its first claims are not
// free. Costs up to kBeginWith scorings of kUsualChunks chunks, or of a command's file, once a slice. Weights that cannot be
// scored are passed over.
Result<void> Verifier::begin_slice(const ServingSlice& slice) {
    const Task& task = session_.clone->task;
    std::set<std::string> there = hold_out_.candidates_on(slice.name);
    if (there.size() >= kFewestOthers) return {};
    TRY_ASSIGN(const std::vector<KnownWeights> known, session_.index->known_weights());
    std::vector<int> order;
    if (!task.command) order.assign(slice.order.begin(), slice.order.begin() + kUsualChunks);
    for (const KnownWeights& one : known) {
        if (there.size() >= kBeginWith) break;
        if (there.contains(one.candidate)) continue;
        const auto weights = load_artifact(*session_.clone, nullptr, one.artifact);
        const auto candidate = parse_canonical(task.space, session_.clone->task_id, one.toml);
        if (!weights || !candidate) continue;
        TRY_ASSIGN(const Scored scored, score_artifact(tools_.worker, tools_.observer, session_, candidate->genes,
                                                       *weights, order, kVerifyFolder, slice.path));
        const auto& done = scored.outcome.done;
        if (!done || done->chunk_loss_sums.size() != order.size()) continue;
        Appearance here{slice.name, one.claim, one.candidate, one.slice_bpb, in_order(order, done->chunk_loss_sums)};
        if (task.command) here.score = loss_of(task, *done);
        there.insert(one.candidate);
        TRY(hold_out_.remember(here, tools_.clock.unix_s(), HoldOut::Use::known_weights));
    }
    return {};
}

// Holds its gap against those of others, and keeps it for the claims to come.
Verifier::Tried Verifier::compare_gap(Appearance here, const ServingSlice& part, const std::string& label,
                                      double begun_s, Verdict& verdict) {
    const GapJudgement judgement = hold_out_.judge(here, part.bytes, gap_scale_of(session_.clone->task));
    here.judged = judgement.judged;
    TRY(hold_out_.remember(here, tools_.clock.unix_s()));
    const std::int64_t count = here.score ? 1 : static_cast<std::int64_t>(part.order.size());
    Check check{label + " gap", std::nullopt, judgement.gap_bpb, std::nullopt, count};
    if (judgement.judged) {
        check.claimed = judgement.usual_bpb;
        check.tolerance = judgement.allowed_bpb;
    }
    check.seconds = tools_.clock.now_s() - begun_s;
    verdict.checks.push_back(check);
    if (part.name == kFullSet)
        verdict.checks.push_back({label, std::nullopt, here.slice_bpb + judgement.gap_bpb, std::nullopt, kScoreChunks});
    if (judgement.honest) {
        if (judgement.judged || here.score) add_reason(verdict, fmt::format("{}: {}", label, judgement.reason));
        return true;
    }
    conclude(verdict, VerdictResult::rejected, Tier::rescore, fmt::format("{}: {}", label, judgement.reason));
    return false;
}

// Scores the artifact by the same evaluator on this verifier's own file. Whatever the evaluator says there may hold parts of
// the file, so that the verdict takes nothing of it but the figure. An artifact that has no score there is not vouched
// for: it may be made so.
Verifier::Tried Verifier::evaluate_on_hold_out(const QueuedClaim& one, const std::string& artifact, double measured,
                                               Verdict& verdict) {
    const Task& task = session_.clone->task;
    if (!task.takes_hold_out()) return true;
    const auto hidden = hold_out_.serving(tools_.clock.unix_s());
    if (!hidden) return add_reason(verdict, "its gap is open: this verifier has no hold-out"), true;
    TRY(begin_slice(*hidden));
    TRY_ASSIGN(const Candidate candidate, candidate_of(one));
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(const Scored scored,
               score_artifact(tools_.worker, tools_.observer, session_, candidate.genes, artifact, {}, kVerifyFolder,
                              hidden->path, job_limit_s(one.jobs, one.expected_s, one.tries)));
    verdict.data.push_back({"hold-out", hidden->commitment});
    if (scored.outcome.how != Outcome::How::done || !scored.outcome.done) {
        tools_.observer.warn(fmt::format("the evaluator gives the artifact of {} no score on the hold-out: {}",
                                         short_id(one.row.claim.candidate), clean(scored.outcome.message)));
        fail_outside(Tier::rescore, "the evaluator gives its artifact no score on the hold-out", verdict);
        return false;
    }
    const Appearance here{
        hidden->name, one.row.id, one.row.claim.candidate, measured, {}, false, loss_of(task, *scored.outcome.done)};
    return compare_gap(here, *hidden, "hold-out", begun_s, verdict);
}

}  // namespace cultivar
