#include "cli/verify/gap_review.h"

#include <algorithm>

#include <fmt/format.h>

#include "eval/judge/certainty.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

std::int64_t bytes_of(const Session& session, const HoldOut& book, const std::string& on) {
    if (on == kFullSet) return session.clone->task.data ? session.clone->task.data->full_score.bytes : 0;
    return book.bytes_of(on);
}

// The verdict as this verifier gives it now; none if it stays as it is.
std::optional<Verdict> reviewed(const Session& session, const ClaimRow& row, const Appearance& one,
                                const GapJudgement& judgement, std::int64_t now_s) {
    if (!row.verdict || row.verdict->result != VerdictResult::accepted) return std::nullopt;
    if (row.key == session.clone->key.fingerprint()) return std::nullopt;
    Verdict verdict = *row.verdict;
    apply_gap(session.clone->task, one.on == kFullSet ? kFullSetGap : kHoldOutGap, judgement, verdict);
    const bool own = row.verdict->verifier == session.clone->writer;
    if (judgement.honest && (!own || verdict.certainty == row.verdict->certainty)) return std::nullopt;
    verdict.verifier = session.clone->writer;
    verdict.seconds = verdict.joules = verdict.ratio = 0;
    verdict.energy.reset();
    verdict.at = verdict_time(row.verdict, now_s);
    return verdict;
}

}  // namespace

GapScale gap_scale_of(const Task& task) {
    if (!task.command) return {};
    return {task.command->evaluator ? task.command->evaluator->tolerance : 0, true};
}

bool has_gap(const Verdict& verdict) {
    return std::ranges::find(verdict.checks, kHoldOutGap, &Check::name) != verdict.checks.end();
}

bool owes_gap(const Task& task, const Verdict& verdict) {
    const auto gap = std::ranges::find(verdict.checks, kHoldOutGap, &Check::name);
    return gap == verdict.checks.end() ? task.takes_hold_out() : !gap->claimed;
}

void apply_gap(const Task& task, const std::string& check, const GapJudgement& judgement, Verdict& verdict) {
    for (Check& one : verdict.checks) {
        if (one.name == check) one.claimed = judgement.usual_bpb, one.tolerance = judgement.allowed_bpb;
    }
    const std::string said = fmt::format("{}: {}", check.substr(0, check.rfind(' ')), judgement.reason);
    if (!judgement.honest) {
        verdict.result = VerdictResult::rejected, verdict.tier = Tier::rescore, verdict.reason = said;
        verdict.certainty = Certainty::accepted, verdict.record.reset();
        return;
    }
    verdict.reason += (verdict.reason.empty() ? "" : "; ") + said;
    if (verdict.certainty == Certainty::provisional && verdict.plan)
        verdict.certainty =
            settled_certainty(*verdict.plan, {verdict.tier, true, owes_gap(task, verdict), task.command.has_value()});
}

Result<GapReview> review_gaps(Session& session, const HoldOut& book, std::int64_t now_s) {
    GapReview review;
    std::map<std::string, Verdict> changed;  // by claim
    for (const Appearance& one : book.unjudged()) {
        const GapJudgement judgement =
            book.judge(one, bytes_of(session, book, one.on), gap_scale_of(session.clone->task));
        if (!judgement.judged) continue;
        review.judged.push_back(one);
        TRY_ASSIGN(std::vector<ClaimRow> claims, session.index->claims(one.candidate));
        const auto row = std::ranges::find(claims, one.claim, &ClaimRow::id);
        if (row == claims.end()) continue;
        if (const auto earlier = changed.find(one.claim); earlier != changed.end()) row->verdict = earlier->second;
        if (auto verdict = reviewed(session, *row, one, judgement, now_s))
            changed.insert_or_assign(one.claim, std::move(*verdict));
    }
    for (auto& [claim, verdict] : changed) review.verdicts.push_back(std::move(verdict));
    return review;
}

}  // namespace cultivar
