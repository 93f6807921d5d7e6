#include "cli/runs/rerun_worker.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"
#include "cli/runs/run_folder.h"
#include "cli/runs/score_artifact.h"
#include "cli/runs/source_overlay.h"
#include "cli/runs/specification.h"
#include "pool/types/candidate.h"
#include "pool/util/file.h"
#include "pool/util/left_folder.h"
#include "pool/util/secret_random.h"
#include "train/protocol/replay_spec.h"

namespace cultivar {
namespace {

Result<WorkerResult> make(Worker& worker, const Observer& observer, const Clock& clock, Specification specification,
                          double limit_s, const std::string& folder) {
    const std::string dir = std::filesystem::absolute(folder).string();
    TRY(remove_folder(dir));                 // a checkpoint that an interrupted one left
    specification.work_dir = dir + "work/";  // all that the run may write to
    specification.artifact = specification.work_dir + "artifact";
    TRY(make_folder_of(specification.artifact));
    WorkerResult made;
    double first_s = 0, last_s = 0;
    auto listener = [&](const Event& event) {
        const auto* step = std::get_if<StepEvent>(&event);
        if (step == nullptr) return Advice::go_on;
        last_s = step->here_s > 0 ? step->here_s : clock.now_s();
        if (made.losses.empty()) first_s = last_s;
        made.losses.push_back(step->train_loss);
        return Advice::go_on;
    };
    TRY_ASSIGN(made.outcome, run_apart(worker, observer, specification, dir, limit_s, listener));
    if (made.losses.size() > 1) made.step_s = (last_s - first_s) / static_cast<double>(made.losses.size() - 1);
    return made;
}

}  // namespace

Result<WorkerResult> replay_run(Worker& worker, const Observer& observer, const Clock& clock, const Session& session,
                                Run run, int steps, double limit_s, const std::string& folder) {
    run.trace_elapsed_s.resize(std::min(run.trace_elapsed_s.size(), static_cast<std::size_t>(steps)));
    run.trace_loss.resize(std::min(run.trace_loss.size(), static_cast<std::size_t>(steps)));
    TRY_ASSIGN(Specification base, base_specification(session));
    take_threads_of(session, run.category, base);
    TRY_ASSIGN(Specification specification, replay_specification(session.clone->task.space, run, base));
    return make(worker, observer, clock, std::move(specification), limit_s, session.clone->state_dir + folder + "/");
}

Result<WorkerResult> rerun(Worker& worker, const Observer& observer, const Clock& clock, const Session& session,
                           const Run& run, std::uint64_t seed, double limit_s) {
    TRY_ASSIGN(const RunFolder folder, RunFolder::take_free(session));
    TRY_ASSIGN(Specification specification, base_specification(session));
    take_threads_of(session, run.category, specification);
    TRY_ASSIGN(Candidate candidate, parse_canonical(session.clone->task.space, run.task, run.toml));
    TRY_ASSIGN(specification.source, source_of(session, candidate));
    specification.mode = Specification::Mode::train;
    specification.genes = std::move(candidate.genes);
    specification.seed = seed;
    specification.budget_s = run.budget_s;
    return make(worker, observer, clock, std::move(specification), limit_s, folder.path());
}

std::uint64_t fresh_seed(const std::string& candidate) {
    SecretRandom secret;
    constexpr unsigned kBeyondAnybodys = 1U << 20;
    return run_seed(candidate, static_cast<int>(kBeyondAnybodys + (secret() >> 2)));
}

}  // namespace cultivar
