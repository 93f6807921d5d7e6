// Two checks on a claim that passed its tiers, beside the rest of the pool: is anything odd (Index::suspicions), and
// does it set its category's record?
//
// The pool's rule over seeds (eval/statistics/significance.h) accepts a record; one score never does, nor do scores
// that the claimant chose. It compares the scores of the verifiers' fresh seeds, one per seed, with those of the
// standing record. min_gain is in nats per token and is converted to the score's unit, bits per byte of the slice; a
// command's score is taken as it is. Where no record stands, enough fresh seeds set the first. In a task without noise one
// run is enough, and any gain is one.
#pragma once

#include "cli/session/session.h"

namespace cultivar {

// `scores`: of the verifiers' reruns. Errors: io.
Result<RecordMark> judge_record(Session& session, const ClaimRow& row, const std::vector<double>& scores);

// An accepted verdict owes a rerun, with the reason, where something is odd and fresh seeds (tier rerun) did not settle
// it; else, where it passed its rerun, it says whether that makes it a record. It names the older claim of the same
// candidate, if this clone saw one. Errors: io.
Result<void> apply_suspicions(Session& session, const ClaimRow& row, Verdict& verdict);

}  // namespace cultivar
