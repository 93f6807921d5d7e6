#include "cli/record_claim.h"

#include "eval/bits_per_byte.h"
#include "eval/significance.h"

namespace cultivar {
namespace {

constexpr double kConfidence = 0.95;

double in_score(const Task& task, double nats) {
    if (!task.data) return nats;
    return bits_per_byte(nats, task.data->slice_score.targets, task.data->slice_score.bytes);
}

}  // namespace

Result<RecordMark> judge_record(Session& session, const ClaimRow& row, std::vector<double> scores) {
    const Task& task = session.clone->task;
    if (scores.empty()) {
        TRY_ASSIGN(scores, session.index->claim_scores(row.id));
    }
    TRY_ASSIGN(std::optional<RecordHolder> holder, session.index->record_holder(row.claim.category, row.id));
    RecordMark mark;
    mark.seeds = static_cast<int>(scores.size());
    const bool enough = mark.seeds >= task.record_min_seeds;
    if (!holder) {
        mark.accepted = enough;
        return mark;
    }
    mark.against = holder->claim;
    if (mark.seeds < 2) return mark.against.clear(), mark;  // nothing to test with
    const RecordRule rule{in_score(task, task.record_min_gain_nats), task.record_p_value, task.record_min_seeds};
    TRY_ASSIGN(const RecordTest test, test_record(scores, holder->scores, rule));
    TRY_ASSIGN(const Interval gain, difference_interval(scores, holder->scores, kConfidence));
    mark.accepted = test.record;
    mark.gain = test.gain, mark.p = test.p, mark.low = gain.low, mark.high = gain.high;
    return mark;
}

Result<void> hold_against_pool(Session& session, const ClaimRow& row, Verdict& verdict, std::vector<double> scores) {
    if (verdict.result != "accepted") return {};
    TRY_ASSIGN(const std::vector<std::string> odd, session.index->suspicions(row));
    if (!odd.empty() && verdict.tier != "rerun") {
        verdict.result = "inconclusive";
        verdict.reason = odd.front();
        return {};
    }
    TRY_ASSIGN(verdict.record, judge_record(session, row, std::move(scores)));
    return {};
}

}  // namespace cultivar
