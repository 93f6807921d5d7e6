// Intake: what a record must satisfy before it counts. Everything from elsewhere is hostile until checked; these checks
// need nothing but the record and the task (tier 1 of verification does the same, and looks at claims too).
#pragma once

#include <string>
#include <string_view>

#include "pool/types/record.h"
#include "pool/types/task.h"

namespace cultivar {

// A run must name this task, hash to its candidate, carry the derived seed, be written by the journal's owner, and its
// figures must agree with each other: val_bpb with val_loss by the pool's own tokens/bytes (a run that counted bytes
// wrongly is found by this line alone), the 64 chunks with val_loss, steps and seconds with the budget, the joules of
// training with those of the run. A scored run gives every figure that the pool caps, and none is over its cap. `owner`
// is the writer that the journal's name gives. The score of a command is its own claim: only its budget, its caps and the
// size of its artifact, if it has one, are checked. Errors: corrupt, with the reason; usage: of another task; unfit: over a
// cap.
Result<void> check_record(const Task& task, const std::string& task_id, const Record& record, std::string_view owner);
Result<void> check_run(const Task& task, const std::string& task_id, const Run& run, std::string_view owner);
Result<void> check_claim(const Task& task, const std::string& task_id, const Claim& claim, std::string_view owner);
Result<void> check_lease(const Task& task, const std::string& task_id, const Lease& lease, std::string_view owner);
// Of a lease or a retirement: of this task and by the journal's owner.
Result<void> check_note(const std::string& task_id, const std::string& of_task, std::string_view writer,
                        std::string_view owner);

}  // namespace cultivar
