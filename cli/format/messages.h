// Messages that several commands print.
#pragma once

#include "cli/app/json.h"
#include "cli/app/terminal.h"
#include "cli/session/session.h"
#include "pool/sync/propose.h"
#include "pool/sync/pull.h"
#include "pool/types/record.h"
#include "pool/types/score_text.h"

namespace cultivar {

void tell_refresh(Ui& ui, const PullReport& report);  // notes the news, warns of refused records
void tell_proposed(Ui& ui, const ProposeReport& report);
// Warns when this machine's clock is behind the pool's own creation: everything it records would carry a wrong time.
void tell_clock(Ui& ui, const Task& task, std::int64_t now_s);
// "kept  2.1034  tune  1a2b3c4d  why"
std::string run_line(const Ui& ui, const ScoreText& text, const Run& run);
std::string cost_text(const UseCost& cost);  // "1234567 parameters, 2.47 MFLOP per token forward, 0.147 mJ per token"
// Says of a candidate that is in the pool already which run gave it its score.
void tell_first_result(Ui& ui, const Task& task, const RunRow& first);
// Refuses a run by hand that would tell nothing (settled_by()). Errors: unfit.
Result<void> refuse_second_run(Session& session, const std::string& candidate);
std::string score_text(const ScoreText& text, const Run& run);  // "2.1034", "~2.3100" (extrapolated), "-"
// Adds "score", as the task counts it, and "metric", its name.
void add_score(Json& json, const Task& task, std::optional<double> loss);
std::string record_text(const RecordMark& record);  // "no record, 3 seeds: 0.0012 better than 1a2b3c4d (...)"

}  // namespace cultivar
