// What an artifact alone does not show about a claim that passed its tiers: is anything odd beside the rest of the pool
// (Index::suspicions), and does it set its category's record?
//
// A record is accepted by the pool's rule over seeds (eval/significance), never by one score: the scores of the claim's
// runs, one a seed, against those of the record that stands. min_gain is in nats a token and counts in the score's unit,
// bits per byte of the slice; a command's score is taken as it is. Where no record stands, a claim of enough seeds sets
// the first.
#pragma once

#include "cli/session.h"

namespace cultivar {

// `scores`: of fresh runs of a verifier's, where it made any; else those that the claim's own runs say. Errors: io.
Result<RecordMark> judge_record(Session& session, const ClaimRow& row, std::vector<double> scores = {});

// An accepted verdict becomes inconclusive, with the reason, where something is odd and fresh seeds (tier rerun) did not
// settle it; else it says whether it is a record. Errors: io.
Result<void> hold_against_pool(Session& session, const ClaimRow& row, Verdict& verdict,
                               std::vector<double> scores = {});

}  // namespace cultivar
