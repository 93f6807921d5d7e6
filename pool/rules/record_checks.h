// The conditions under which a record counts. Every record from elsewhere is checked by the index before it counts; tier 1
// of verification makes the same checks. They need nothing but the record and the task, and read nothing.
#pragma once

#include <string>
#include <string_view>

#include "pool/types/record.h"
#include "pool/types/task.h"

namespace cultivar {

// `owner` is the writer that the journal's name gives. Errors: corrupt, with the reason; usage: the record is of another
// task, or the pool has no data yet; unfit: over a cap.
Result<void> check_record(const Task& task, const std::string& task_id, const Record& record, std::string_view owner);
// A run takes no more time in all, start-up, scoring and pauses included.
inline constexpr double kMostBudgetsInAll = 100, kMostBesides_s = 86'400;

// A run names this task, hashes to its candidate, carries the derived seed, names the owner as its writer and has the
// budget that its category tells (pool/types/category.h). A scored run
// fits its budget and gives every figure that the pool caps, none over its cap. Its figures agree: val_bpb with val_loss by
// the pool's own tokens/bytes (which finds a run that counted bytes wrongly), the 64 chunks with val_loss, the joules of
// training with those of the run, these with its time, and so do the slots of its domains (pool/types/energy.h). Of a command's run only budget, caps and the size of its artifact are checked: nothing
// in the record can confirm its score.
Result<void> check_run(const Task& task, const std::string& task_id, const Run& run, std::string_view owner);
// Only where nothing scores artifacts: of a command without an evaluator. A rerun confirms its claims.
bool may_lack_artifact(const Task& task);
// Leaves out the further figures that the task's command does not declare: their names are a stranger's text.
void leave_out_undeclared(const Task& task, Run& run);
Result<void> check_claim(const Task& task, const std::string& task_id, const Claim& claim, std::string_view owner);
Result<void> check_lease(const Task& task, const std::string& task_id, const Lease& lease, std::string_view owner);
// A lease or a retirement is of this task and by the journal's owner.
Result<void> check_note(const std::string& task_id, const std::string& of_task, std::string_view writer,
                        std::string_view owner);

}  // namespace cultivar
