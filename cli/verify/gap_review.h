// Claims whose gap to the hold-out or to the full set could not be judged when their turn came, since too few other
// candidates were known there: they are judged once enough are (cli/verify/hold_out_book.h). Their losses are in the book,
// so that nothing is scored again.
#pragma once

#include "cli/session/session.h"
#include "cli/verify/hold_out_book.h"

namespace cultivar {

inline constexpr const char* kHoldOutGap = "hold-out gap";
inline constexpr const char* kFullSetGap = "full set gap";

// Of the built-in task, or of a command's metric.
GapScale gap_scale_of(const Task& task);

bool has_gap(const Verdict& verdict);  // to the hold-out, judged or not
// Is its gap still to be judged, on the hold-out? In a pool with an evaluator that takes one, too if the verifier had none.
bool owes_gap(const Task& task, const Verdict& verdict);

// Puts a judgement of a gap into the verdict's checks. A gap that is not honest rejects the claim; where the gap was all
// that an accepted one still owed, it is accepted for good.
void apply_gap(const Task& task, const std::string& check, const GapJudgement& judgement, Verdict& verdict);

struct GapReview {
    std::vector<Verdict> verdicts{};   // new ones on claims whose verdict changes by it; not written yet
    std::vector<Appearance> judged{};  // to be marked in the book once those are written
};
// The gaps that can be judged now and could not before. A claim that was rejected or never concluded stays as it is. Errors:
// those of the index.
Result<GapReview> review_gaps(Session& session, const HoldOut& book, std::int64_t now_s);

}  // namespace cultivar
