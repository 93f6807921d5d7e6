#include "cli/verifier.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "cli/record_claim.h"
#include "cli/score_artifact.h"
#include "eval/rescore.h"
#include "pool/digest.h"
#include "pool/roots.h"
#include "pool/segment_log.h"

namespace cultivar {
namespace {

void conclude(Verdict& verdict, const char* result, const char* tier, const std::string& reason) {
    verdict.result = result;
    verdict.tier = tier;
    verdict.reason = reason;
}

}  // namespace

Result<Verifier> Verifier::make(Context& context, Session& session) {
    const Clone& clone = *session.clone;
    TRY_ASSIGN(const Roots roots, trusted_roots(clone));
    if (!why_not_allowed(roots.now.verifiers, clone.key.fingerprint(), std::time(nullptr)).empty())
        return fail(
            Code::usage,
            "this clone's key is none of the pool's verifiers: a maintainer must add it to allowed_signers on main",
            fmt::format("echo '{} namespaces=\"git\" {}' >> allowed_signers", clone.writer, clone.key.public_text()));
    TRY(need_data(clone));
    TRY_ASSIGN(int threads, session.config.threads());
    TRY_ASSIGN(double watts, session.config.watts());
    TRY_ASSIGN(const std::string worker, session.config.worker());
    Verifier verifier(context, session, threads, watts);
    TRY_ASSIGN(verifier.evaluator_, sha256_file_hex(worker));
    return verifier;
}

Result<Verdict> Verifier::judge(const ClaimRow& row) {
    const Clone& clone = *session_.clone;
    Verdict verdict;
    verdict.claim = row.id;
    verdict.task = clone.task_id;
    verdict.candidate = row.claim.candidate;
    verdict.artifact = row.claim.artifact;
    verdict.claimed_bpb = row.claim.val_bpb;
    verdict.tolerance_bpb = kRescoreTolerance_bpb;
    verdict.slice = clone.task.data->slice.sha256;
    verdict.data = {{"slice", clone.task.data->slice.sha256}, {"byte_table", clone.task.data->byte_table.sha256}};
    verdict.evaluator_sha256 = evaluator_;
    verdict.verifier = clone.writer;
    EnergyMeter energy(clock_, threads_, watts_ > 0 ? std::optional(watts_) : std::nullopt);
    energy.start();
    double begun_s = clock_.now_s();
    TRY(check_tiers(row, verdict));
    TRY(hold_against_pool(session_, row, verdict));
    verdict.seconds = clock_.now_s() - begun_s;
    verdict.joules = energy.stop().joules;
    double claim_s = 0;
    TRY_ASSIGN(std::vector<RunRow> runs, session_.index->runs(row.claim.candidate));
    for (const RunRow& run : runs) {
        if (std::find(row.claim.runs.begin(), row.claim.runs.end(), run.id) != row.claim.runs.end())
            claim_s += run.run.wall_s;
    }
    verdict.ratio = claim_s > 0 ? verdict.seconds / claim_s : 0;
    verdict.at = verdict_time(row.verdict, std::time(nullptr));
    return verdict;
}

Result<void> Verifier::check_tiers(const ClaimRow& row, Verdict& verdict) {
    if (!row.problem.empty()) return conclude(verdict, "rejected", "structure", row.problem), Result<void>();
    TRY_ASSIGN(std::vector<RunRow> runs, session_.index->runs(row.claim.candidate));
    auto run =
        std::find_if(runs.begin(), runs.end(), [&](const RunRow& one) { return one.id == row.claim.artifact_run; });
    if (run == runs.end())
        return conclude(verdict, "rejected", "structure", "it names a run that is not in the journal"), Result<void>();
    auto git = open_transport(session_.clone->repo.git_dir(), [this] { return context_.interrupted(); });
    auto weights = load_artifact(*session_.clone, git.get(), row.claim.artifact);
    // Anyone may have put other bytes under that name: they are not what the claimant signed, and say nothing of the claim.
    if (!weights && (weights.error().code == Code::corrupt || weights.error().code == Code::not_found))
        return conclude(verdict, "inconclusive", "structure",
                        "it cannot be checked, its artifact is missing or replaced: " + weights.error().message),
               Result<void>();
    if (!weights) return fail(weights.error());
    return rescore(row, run->run, *weights, verdict);
}

Result<void> Verifier::rescore(const ClaimRow& row, const Run& run, const std::string& weights, Verdict& verdict) {
    const Clone& clone = *session_.clone;
    TRY_ASSIGN(Candidate candidate, parse_canonical(clone.task.space, clone.task_id, row.claim.toml));
    const std::vector<int> chunks = draw_chunks(kRescoreChunks);
    TRY_ASSIGN(Scored scored, score_artifact(context_, session_, candidate.genes, weights, chunks, "verify"));
    const Outcome& outcome = scored.outcome;
    verdict.evaluator = scored.start.trainer;
    const UseCost cost = {scored.start.parameters, scored.start.flops_per_token, std::nullopt};
    if (outcome.error && outcome.error->kind == "artifact")
        return conclude(verdict, "rejected", "rescore", outcome.error->message), Result<void>();
    if (auto over = over_cap(cost, clone.task.caps))
        return conclude(verdict, "rejected", "structure", *over), Result<void>();
    if (!outcome.done) return conclude(verdict, "inconclusive", "rescore", outcome.message), Result<void>();
    if (outcome.done->chunk_loss_sums.size() != chunks.size())
        return fail(Code::io, "the worker did not score the chunks it was asked for", "cultivar version");
    const ValidationPart& slice = clone.task.data->slice_score;
    RescoreJudgement judgement =
        judge_rescore(run.chunk_loss_sums, chunks, outcome.done->chunk_loss_sums, slice.targets, slice.bytes);
    verdict.measured_bpb = judgement.measured_bpb;
    verdict.chunks = static_cast<int>(chunks.size());
    return conclude(verdict, judgement.accepted ? "accepted" : "rejected", "rescore", judgement.reason), Result<void>();
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

}  // namespace cultivar
