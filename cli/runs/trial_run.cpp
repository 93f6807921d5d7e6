#include "cli/runs/trial_run.h"

#include <filesystem>

#include "cli/runs/specification.h"
#include "cli/runs/trainer_worker.h"
#include "pool/clone/seeds.h"
#include "pool/util/file.h"
#include "pool/util/left_folder.h"

namespace cultivar {
namespace {

constexpr double kSilence_s = 120;

Result<TrialRun> first_of(const Clone& clone, PlannedRun& planned) {
    TRY_ASSIGN(const std::vector<Seed> seeds, read_seeds(clone));
    if (seeds.empty()) {
        TRY_ASSIGN(planned.child, make_candidate(clone.task.space, clone.task_id, {}));
    } else {
        planned.child = seeds.front().candidate;
    }
    return TrialRun{planned.child.id, seeds.empty() ? "" : seeds.front().name, {}};
}

}  // namespace

Result<TrialRun> try_command(const Session& session, const Clock& clock, const std::function<bool()>& should_stop) {
    const Clone& clone = *session.clone;
    const auto& command = clone.task.command;
    if (!command)
        return fail(Code::usage, "this pool has no command of its own: it is trained by cultivar's worker",
                    "cultivar version");
    PlannedRun planned;
    planned.budget_s = clone.task.budget_s;
    TRY_ASSIGN(TrialRun trial, first_of(clone, planned));
    const std::string folder = std::filesystem::absolute(clone.state_dir + "trial/").string();
    TRY(make_empty_folder(folder));
    TRY(make_folder_of(folder + "work/"));
    TRY_ASSIGN(const Specification specification, specification_of(session, planned, folder + "work/"));
    const double most_s =
        command->format < 2 ? 2 * kSilence_s + 4 * planned.budget_s : limit_s(*command, planned.budget_s);
    TrainerWorker worker(session, clock, Confinement::watched);
    TRY_ASSIGN(trial.outcome,
               worker.run(
                   {specification, folder, most_s, most_s}, [](const Event&) { return Advice::go_on; }, should_stop));
    TRY(remove_folder(folder));
    return trial;
}

}  // namespace cultivar
