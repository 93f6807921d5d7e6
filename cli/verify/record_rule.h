// What an artifact alone does not show about a claim that passed its tiers: is anything odd beside the rest of the pool
// (Index::suspicions), and does it set its category's record?
//
// A record is accepted by the pool's rule over seeds (eval/significance), never by one score, and never by scores that its
// claimant chose: what fresh seeds of a verifier's scored, one a seed, against what they scored of the record that stands.
// min_gain is in nats a token and counts in the score's unit, bits per byte of the slice; a command's score is taken as it
// is. Where no record stands, enough fresh seeds set the first.
#pragma once

#include "cli/session/session.h"

namespace cultivar {

// `scores`: of the verifiers' reruns. Errors: io.
Result<RecordMark> judge_record(Session& session, const ClaimRow& row, const std::vector<double>& scores);

// An accepted verdict becomes inconclusive, with the reason, where something is odd and fresh seeds (tier rerun) did not
// settle it; else, where it passed its rerun, it says whether that makes it a record. Errors: io.
Result<void> apply_suspicions(Session& session, const ClaimRow& row, Verdict& verdict);

}  // namespace cultivar
