#include "cli/verify/record_rule.h"

#include "eval/formats/bits_per_byte.h"
#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

double in_score(const Task& task, double nats) {
    if (!task.data) return nats;
    return bits_per_byte(nats, task.data->slice_score.targets, task.data->slice_score.bytes);
}

}  // namespace

Result<RecordMark> judge_record(Session& session, const ClaimRow& row, const std::vector<double>& scores) {
    const Task& task = session.clone->task;
    TRY_ASSIGN(std::optional<RecordHolder> holder, session.index->record_holder(row.claim.category, row.id));
    RecordMark mark;
    mark.seeds = static_cast<int>(scores.size());
    if (!holder) {
        mark.accepted = mark.seeds >= task.record_seeds();
        return mark;
    }
    if (task.noiseless && !scores.empty() && !holder->scores.empty()) {
        mark.against = holder->claim;
        mark.gain = mark.low = mark.high = holder->scores.front() - scores.front();
        mark.accepted = mark.gain > 0;
        mark.p = mark.accepted ? 0 : 1;
        return mark;
    }
    if (scores.size() < 2 || holder->scores.size() < 2) return mark;  // nothing to test with
    const RecordRule rule{in_score(task, task.record_min_gain_nats), task.record_p_value, task.record_min_seeds};
    TRY_ASSIGN(const RecordTest test, test_record(scores, holder->scores, rule));
    TRY_ASSIGN(const Interval gain, difference_interval(scores, holder->scores, kConfidence));
    mark.against = holder->claim;
    mark.accepted = test.record;
    mark.gain = test.gain, mark.p = test.p, mark.low = gain.low, mark.high = gain.high;
    return mark;
}

Result<void> apply_suspicions(Session& session, const ClaimRow& row, Verdict& verdict) {
    if (verdict.result != VerdictResult::accepted) return {};
    TRY_ASSIGN(verdict.first, session.index->first_claim(row));
    TRY_ASSIGN(const std::vector<std::string> odd, session.index->suspicions(row));
    if (!odd.empty() && verdict.tier != Tier::rerun) {
        if (!verdict.plan) verdict.plan.emplace();
        verdict.plan->rerun_waits = true;
        verdict.reason += "; it owes a rerun: " + odd.front();
        return {};
    }
    if (verdict.tier != Tier::rerun || verdict.reruns.empty()) return {};
    TRY_ASSIGN(verdict.record, judge_record(session, row, fresh_scores(verdict.reruns)));
    return {};
}

}  // namespace cultivar
